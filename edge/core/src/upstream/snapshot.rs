//! Presence restated on a new link, piece by piece: each entry is restated or changed, never both.

use std::ops::Bound;

use trunkline_shared::frame::{PresenceSnapshot, ToNode};
use trunkline_shared::limits::PIECE_BYTES_MAX;
use trunkline_shared::{LinkId, Slot};

use super::Upstream;
use super::presence::{Key, OfSlot, Told};

impl Upstream {
    /// Goes on with the snapshots of a lane, as far as there is room.
    pub(super) fn pump_snapshots(&mut self, link: LinkId, lane: u8) {
        for slot in self.presences.untold(lane) {
            if self.routing.link_of(slot) == Some(link) && !self.send_snapshot(link, slot) {
                return;
            }
        }
    }

    /// Sends the pieces of a slot that are left; false when the lane is full before the last.
    fn send_snapshot(&mut self, link: LinkId, slot: Slot) -> bool {
        while let Some((piece, told)) = self
            .presences
            .get(slot)
            .and_then(|of_slot| next_piece(slot, of_slot))
        {
            let first = piece.first;
            if !self.try_send(link, ToNode::PresenceSnapshot(piece)) {
                return false;
            }
            self.counters.snapshots += u64::from(first);
            self.presences.set_told(slot, told);
        }
        true
    }
}

/// The next piece, and how far the owner is told with it; `None` when it is told everything.
fn next_piece(slot: Slot, of_slot: &OfSlot) -> Option<(PresenceSnapshot, Told)> {
    let (first, behind) = match &of_slot.told {
        Told::Nothing => (true, Bound::Unbounded),
        Told::UpTo(last) => (false, Bound::Excluded(last)),
        Told::All => return None,
    };
    let mut rest = of_slot
        .entries
        .range::<Key, _>((behind, Bound::Unbounded))
        .peekable();
    let mut entries = Vec::new();
    let mut last = None;
    let mut bytes = 0;
    while let Some((key, client)) = rest.next_if(|_| bytes < PIECE_BYTES_MAX / 2) {
        bytes += 128 + key.0.as_str().len() + client.weight();
        entries.push((key.0.clone(), client.clone()));
        last = Some(key.clone());
    }
    let is_last = rest.peek().is_none();
    let told = last.filter(|_| !is_last).map_or(Told::All, Told::UpTo);
    Some((
        PresenceSnapshot {
            slot,
            first,
            last: is_last,
            entries,
        },
        told,
    ))
}
