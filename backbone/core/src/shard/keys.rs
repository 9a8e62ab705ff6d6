//! Idempotency keys of durable publishes that have no answer yet.
//!
//! A publish with a key is looked up before it is numbered, since its publisher may have sent it before, through any edge and
//! to any owner. Of those with one key that are here at the same time only the first is on its way; the others wait
//! behind it and are answered along with it. When it is refused the next one takes its place.

use std::collections::BTreeMap;

use trunkline_shared::rules::Class;
use trunkline_shared::{Channel, IdempotencyKey, Position, Slot};
use trunkline_store_core::ChannelKey;

use super::Shard;
use super::pending::{Held, LookUp};

/// How many publishes of a slot have each key.
#[derive(Debug, Default)]
pub(super) struct Keyed(BTreeMap<(Channel, IdempotencyKey), usize>);

impl Keyed {
    /// Counts a publish that begins to wait; whether it comes behind another one.
    pub(super) fn hold(&mut self, held: &Held) -> bool {
        let Some(key) = held.durable_key() else {
            return false;
        };
        let count = self.0.entry(key).or_default();
        *count += 1;
        *count > 1
    }

    /// Forgets a publish; whether others have its key.
    fn release(&mut self, held: &Held) -> bool {
        let Some(key) = held.durable_key() else {
            return false;
        };
        let count = self.0.get_mut(&key).expect("a key that is held is counted");
        *count -= 1;
        let others = *count > 0;
        if !others {
            self.0.remove(&key);
        }
        others
    }

    /// Whether others than this publish have its key.
    fn is_shared(&self, held: &Held) -> bool {
        held.durable_key()
            .is_some_and(|key| self.0.get(&key).is_some_and(|count| *count > 1))
    }

    /// Compares the counts with what is held; of each key one publish is on its way.
    pub(super) fn check<'a>(&self, all: impl Iterator<Item = &'a Held>) {
        let mut counted: BTreeMap<_, (usize, usize)> = BTreeMap::new();
        for held in all {
            if let Some(key) = held.durable_key() {
                let (count, first) = counted.entry(key).or_default();
                *count += 1;
                *first += usize::from(held.look_up != LookUp::Behind);
            }
        }
        for (key, count) in &self.0 {
            assert_eq!(
                counted.remove(key),
                Some((*count, 1)),
                "publishes with one key"
            );
        }
        assert!(counted.is_empty(), "keys that nobody counts");
    }
}

impl Held {
    /// What it is known by to its publisher.
    pub(super) fn channel_key(&self, slot: Slot) -> Option<ChannelKey> {
        Some(ChannelKey {
            slot,
            channel: self.channel.clone(),
            key: self.key.clone()?,
        })
    }

    fn durable_key(&self) -> Option<(Channel, IdempotencyKey)> {
        let key = self.key.clone().filter(|_| self.class == Class::Durable)?;
        Some((self.channel.clone(), key))
    }

    fn waits_behind(&self, first: &Self) -> bool {
        self.look_up == LookUp::Behind && self.key == first.key && self.channel == first.channel
    }
}

impl Shard {
    /// Takes those out that wait behind a publish which is about to be answered.
    pub(super) fn take_behind(&mut self, slot: Slot, first: &Held) -> Vec<Held> {
        let Some(state) = self.slots.get_mut(&slot) else {
            return Vec::new();
        };
        if !state.keyed.is_shared(first) {
            return Vec::new();
        }
        let waiting = std::mem::take(&mut state.waiting).into_iter();
        let (behind, others): (Vec<_>, Vec<_>) = waiting.partition(|held| held.waits_behind(first));
        state.waiting = others.into();
        behind
    }

    /// Answers them as the first was; without a position nobody is answered, and their edges ask again.
    pub(super) fn answer_behind(&mut self, slot: Slot, all: Vec<Held>, position: Option<Position>) {
        for held in all {
            self.release(slot, &held);
            if let Some(position) = position {
                self.counters.keys_found += 1;
                self.published(slot, held.id, position);
            }
        }
    }

    /// Lets the next publish with a key go on its way when the one before it is gone.
    pub(super) fn release_key(&mut self, slot: Slot, held: &Held) {
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        if !state.keyed.release(held) || held.look_up == LookUp::Behind {
            return;
        }
        let mut waiting = state.waiting.iter_mut();
        if let Some(next) = waiting.find(|next| next.waits_behind(held)) {
            next.look_up = LookUp::Wanted;
            self.want_look_up(slot);
        }
    }
}
