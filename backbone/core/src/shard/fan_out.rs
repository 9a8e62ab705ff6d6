//! One copy of a publication for each subscribed edge.

use trunkline_shared::frame::{Push, ToEdge};
use trunkline_shared::{Channel, Epoch, Incarnation, Now, Position, Publication, Slot};

use super::Shard;

impl Shard {
    /// Takes the next message of a numbered channel: into its ring, then to every subscribed edge that doesn't lag.
    pub(super) fn deliver(
        &mut self,
        now: Now,
        slot: Slot,
        channel: &Channel,
        publication: Publication,
    ) -> Option<Position> {
        let retention = self.rules_of(channel).ok()?.retention;
        let cached = self.make_ring_room(slot, channel, publication.weight());
        let state = self.slots.get_mut(&slot)?.channels.get_mut(channel)?;
        let log = state.log.as_mut()?;
        let before = log.bytes();
        log.push(
            now,
            publication.clone(),
            retention,
            self.config.ring_bytes_max,
        );
        if !cached {
            log.clear();
        }
        self.totals.ring_bytes = self.totals.ring_bytes - before + log.bytes();
        let position = log.position();
        self.counters.published += 1;
        let edges: Vec<_> = state
            .subscribers
            .iter()
            .filter(|(_, s)| s.lag.is_none())
            .map(|(edge, _)| *edge)
            .collect();
        for edge in edges {
            let frame = push(now, slot, channel, Some(position.epoch), &publication);
            self.push_to(slot, channel, edge, frame);
        }
        self.touch(slot, channel);
        Some(position)
    }

    fn push_to(&mut self, slot: Slot, channel: &Channel, edge: Incarnation, frame: ToEdge) {
        if self.edges.try_send(&mut self.outputs, edge, frame) {
            self.counters.pushes += 1;
        } else {
            self.begin_lag(slot, channel, edge);
        }
    }

    /// Gives an ephemeral publication to every subscribed edge whose stream has room; the others never get it.
    pub(super) fn push_ephemeral(
        &mut self,
        now: Now,
        slot: Slot,
        channel: &Channel,
        publication: &Publication,
    ) {
        let Some(state) = self
            .slots
            .get(&slot)
            .and_then(|state| state.channels.get(channel))
        else {
            return;
        };
        for edge in state.subscribers.keys() {
            let frame = push(now, slot, channel, None, publication);
            if self
                .edges
                .try_send_ephemeral(&mut self.outputs, *edge, frame)
            {
                self.counters.pushes += 1;
            } else {
                self.counters.ephemeral_dropped += 1;
            }
        }
    }
}

fn push(
    now: Now,
    slot: Slot,
    channel: &Channel,
    epoch: Option<Epoch>,
    publication: &Publication,
) -> ToEdge {
    let mut publication = publication.clone();
    publication.trace.left_owner_micros = now.unix.0.saturating_mul(1000);
    ToEdge::Push(Push {
        slot,
        channel: channel.clone(),
        epoch,
        publication,
    })
}
