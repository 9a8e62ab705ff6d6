//! Idempotency keys of buffered publishes and of those that aren't kept, which no store remembers: bounded in number and bytes.
//!
//! A buffered key counts within its channel's epoch, as everything of a buffered channel does; one of a publish that isn't kept
//! counts among these alone, since it has no position that another one could be answered with. When there is no room for a
//! key its publish isn't taken: taking it without would break the promise in silence.

use std::collections::BTreeMap;

use trunkline_shared::limits::IDEMPOTENCY_KEY_TTL;
use trunkline_shared::{Channel, IdempotencyKey, Instant, Now, Position, Slot};

use super::Shard;
use super::pending::Held;

/// What a publish was taken by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    channel: Channel,
    key: IdempotencyKey,
    /// Whether its channel's history keeps it.
    is_kept: bool,
}

impl Name {
    fn weight(&self) -> usize {
        weight(&self.channel, &self.key)
    }
}

/// A publish that was taken.
#[derive(Clone, Copy, Debug)]
struct Taken {
    /// `None` for one that isn't kept.
    position: Option<Position>,
    due: Due,
}

/// When a key is forgotten, and its turn among those of the same moment.
type Due = (Instant, u64);

/// The keys of a slot.
#[derive(Debug, Default)]
pub(super) struct KeyMemory {
    taken: BTreeMap<Name, Taken>,
    bytes: usize,
}

/// All keys of a shard, by the time at which they are forgotten; each once, so that what bounds them bounds this.
#[derive(Debug, Default)]
pub(super) struct KeysDue {
    by_time: BTreeMap<Due, (Slot, Name)>,
    turn: u64,
}

impl KeysDue {
    fn push(&mut self, until: Instant, slot: Slot, name: Name) -> Due {
        self.turn += 1;
        let due = (until, self.turn);
        self.by_time.insert(due, (slot, name));
        due
    }

    fn pop(&mut self, now: Instant) -> Option<(Slot, Name)> {
        let first = self.by_time.first_entry()?;
        let is_due = first.key().0 <= now;
        is_due.then(|| first.remove())
    }

    pub(super) fn len(&self) -> usize {
        self.by_time.len()
    }
}

fn weight(channel: &Channel, key: &IdempotencyKey) -> usize {
    channel.as_str().len() + key.as_bytes().len()
}

impl KeyMemory {
    pub(super) fn len(&self) -> usize {
        self.taken.len()
    }

    /// Bytes of channels and keys, counted anew.
    pub(super) fn counted_bytes(&self) -> usize {
        self.taken.keys().map(Name::weight).sum()
    }
}

impl Shard {
    /// Where the first buffered publish with a key stands, if its channel still has that numbering.
    pub(super) fn recall(&mut self, now: Now, slot: Slot, held: &Held) -> Option<Position> {
        let name = Name {
            channel: held.channel.clone(),
            key: held.key.clone()?,
            is_kept: true,
        };
        self.forget_keys(now);
        let state = self.slots.get(&slot)?;
        let position = state.keys.taken.get(&name)?.position?;
        let head = state.channels.get(&name.channel)?.head()?;
        (head.epoch == position.epoch).then_some(position)
    }

    /// Whether a publish that isn't kept is to be taken: it wasn't before, and there is room for its key, if it has one.
    pub(super) fn takes_unkept_key(
        &mut self,
        now: Now,
        slot: Slot,
        channel: &Channel,
        key: Option<IdempotencyKey>,
    ) -> bool {
        let Some(key) = key else { return true };
        self.forget_keys(now);
        let name = Name {
            channel: channel.clone(),
            key,
            is_kept: false,
        };
        let state = self.slots.get(&slot);
        if state.is_some_and(|state| state.keys.taken.contains_key(&name)) {
            self.counters.keys_found += 1;
            return false;
        }
        let room = self.has_key_room(now, channel, Some(&name.key));
        if room {
            self.remember_key(now, slot, channel, Some(name.key), None);
        }
        room
    }

    /// Whether a publish's key can be remembered; true for one without.
    pub(super) fn has_key_room(
        &mut self,
        now: Now,
        channel: &Channel,
        key: Option<&IdempotencyKey>,
    ) -> bool {
        let Some(key) = key else { return true };
        self.forget_keys(now);
        let room = self.totals.keys < self.config.keys_max
            && self.totals.key_bytes + weight(channel, key) <= self.config.key_bytes_max;
        self.counters.keys_refused_full += u64::from(!room);
        room
    }

    /// Remembers the key of a publish that was taken.
    pub(super) fn remember_key(
        &mut self,
        now: Now,
        slot: Slot,
        channel: &Channel,
        key: Option<IdempotencyKey>,
        position: Option<Position>,
    ) {
        let (Some(key), Some(state)) = (key, self.slots.get_mut(&slot)) else {
            return;
        };
        let until = now.instant + IDEMPOTENCY_KEY_TTL;
        let name = Name {
            channel: channel.clone(),
            key,
            is_kept: position.is_some(),
        };
        let bytes = name.weight();
        let due = self.keys_due.push(until, slot, name.clone());
        match state.keys.taken.insert(name, Taken { position, due }) {
            // Taken in an earlier numbering of its channel.
            Some(earlier) => {
                self.keys_due.by_time.remove(&earlier.due);
            }
            None => {
                state.keys.bytes += bytes;
                self.totals.keys += 1;
                self.totals.key_bytes += bytes;
            }
        }
    }

    /// Forgets the keys of a slot that is given up.
    pub(super) fn drop_keys(&mut self, keys: &KeyMemory) {
        self.totals.keys -= keys.taken.len();
        self.totals.key_bytes -= keys.bytes;
        for taken in keys.taken.values() {
            self.keys_due.by_time.remove(&taken.due);
        }
    }

    /// Forgets keys whose time is over.
    pub(super) fn forget_keys(&mut self, now: Now) {
        while let Some((slot, name)) = self.keys_due.pop(now.instant) {
            let bytes = name.weight();
            let state = self.slots.get_mut(&slot);
            let keys = &mut state.expect("a slot is given up with its keys").keys;
            keys.taken.remove(&name);
            keys.bytes -= bytes;
            self.totals.keys -= 1;
            self.totals.key_bytes -= bytes;
        }
    }
}
