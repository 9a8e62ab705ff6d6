//! Who is present over this edge, and how its owners are told of each change.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;
use trunkline_shared::frame::{PresenceChange, PresenceChanges, ToNode};
use trunkline_shared::limits::LANES;
use trunkline_shared::{Channel, ClientInfo, Slot};

use super::Upstream;

/// A connection in a channel.
pub(super) type Key = (Channel, SmolStr);

/// How far the owner of a slot has been told who is present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing since its link came up.
    Nothing,
    /// The snapshot up to and with this entry.
    UpTo(Key),
    /// Everything: changes follow.
    All,
}

/// The presences of one slot.
#[derive(Debug)]
pub(super) struct OfSlot {
    pub(super) entries: BTreeMap<Key, ClientInfo>,
    pub(super) told: Told,
    changes: Vec<PresenceChange>,
}

/// The table of presences.
///
/// A slot that had a presence once stays in it: the owner on the next link must be told that nobody is left.
#[derive(Debug, Default)]
pub(super) struct Presences {
    slots: BTreeMap<Slot, OfSlot>,
    /// Slots with a snapshot to begin or to go on with.
    untold: BTreeSet<Slot>,
    changed: BTreeSet<Slot>,
    len: usize,
}

impl Presences {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Slots of which anything is kept.
    pub(super) fn slots(&self) -> Vec<Slot> {
        self.slots.keys().copied().collect()
    }

    /// A slot has another link, or none: its owner is told everything again.
    pub(super) fn restate(&mut self, slot: Slot) {
        if let Some(of_slot) = self.slots.get_mut(&slot) {
            of_slot.told = Told::Nothing;
            of_slot.changes.clear();
            self.changed.remove(&slot);
            self.untold.insert(slot);
        }
    }

    fn change(&mut self, slot: Slot, change: PresenceChange) {
        let new = || OfSlot {
            entries: BTreeMap::new(),
            told: Told::Nothing,
            changes: Vec::new(),
        };
        let is_new = !self.slots.contains_key(&slot);
        let of_slot = self.slots.entry(slot).or_insert_with(new);
        if is_new {
            self.untold.insert(slot);
        }
        let key = (change.channel.clone(), change.client.client.clone());
        self.len -= of_slot.entries.len();
        if change.joined {
            of_slot.entries.insert(key.clone(), change.client.clone());
        } else {
            of_slot.entries.remove(&key);
        }
        self.len += of_slot.entries.len();
        let is_told = match &of_slot.told {
            Told::Nothing => false,
            Told::UpTo(last) => key <= *last,
            Told::All => true,
        };
        if is_told {
            of_slot.changes.push(change);
            self.changed.insert(slot);
        }
    }

    fn take_changes(&mut self) -> Vec<PresenceChanges> {
        let slots = std::mem::take(&mut self.changed);
        let of = |slot: Slot| {
            let changes = std::mem::take(&mut self.slots.get_mut(&slot)?.changes);
            Some(PresenceChanges { slot, changes })
        };
        slots.into_iter().filter_map(of).collect()
    }

    /// The slots of a lane whose owners aren't told everything.
    pub(super) fn untold(&self, lane: u8) -> Vec<Slot> {
        self.untold
            .iter()
            .copied()
            .filter(|slot| slot.lane(LANES) == lane)
            .collect()
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&OfSlot> {
        self.slots.get(&slot)
    }

    pub(super) fn set_told(&mut self, slot: Slot, told: Told) {
        if let Some(of_slot) = self.slots.get_mut(&slot) {
            if told == Told::All {
                self.untold.remove(&slot);
            }
            of_slot.told = told;
        }
    }

    /// Checks the indexes against the entries.
    ///
    /// # Panics
    /// When they differ.
    pub(super) fn check_invariants(&self) {
        let len: usize = self
            .slots
            .values()
            .map(|of_slot| of_slot.entries.len())
            .sum();
        assert_eq!(len, self.len, "presences are counted");
        let untold = self
            .slots
            .iter()
            .filter(|(_, of_slot)| of_slot.told != Told::All)
            .map(|(slot, _)| *slot);
        assert!(
            untold.eq(self.untold.iter().copied()),
            "slots to be told are known"
        );
    }
}

impl Upstream {
    pub(super) fn on_presence_change(
        &mut self,
        channel: Channel,
        client: ClientInfo,
        joined: bool,
    ) {
        let full = joined && self.presences.len() >= self.config.presences_max;
        let Some(slot) = self.routing.slot_of(&channel).filter(|_| !full) else {
            self.counters.presences_refused += 1;
            return;
        };
        self.presences.change(
            slot,
            PresenceChange {
                channel,
                client,
                joined,
            },
        );
        let begins = self
            .presences
            .get(slot)
            .is_some_and(|of_slot| of_slot.told == Told::Nothing);
        if let Some(link) = self.routing.owner_link(slot).filter(|_| begins) {
            self.pump_snapshots(link, slot.lane(LANES));
        }
    }

    /// Tells the owners what has changed in this step; one whose lane is full is told everything again later.
    pub(super) fn flush_presence_changes(&mut self) {
        for changes in self.presences.take_changes() {
            let slot = changes.slot;
            let link = self.routing.link_of(slot);
            if !link.is_some_and(|link| self.try_send(link, ToNode::PresenceChanges(changes))) {
                self.presences.restate(slot);
            }
        }
    }
}
