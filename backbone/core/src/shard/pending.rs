//! Publishes from their arrival until their answer: what waits, what is in flight to the store.
//!
//! A message is numbered when its append begins, after the head that the store has committed; so a head never has to be
//! rolled back. A slot has one append in flight, what arrives meanwhile goes in the next one.

use indexmap::IndexMap;
use trunkline_shared::frame::Refusal;
use trunkline_shared::rules::Class;
use trunkline_shared::{Channel, IdempotencyKey, Instant, Publication, PublishId, Slot};
use trunkline_store_core::StoredMessage;

use super::Shard;
use crate::io::StoreTicket;

/// A publish that has no answer yet.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) id: PublishId,
    pub(super) class: Class,
    pub(super) channel: Channel,
    pub(super) publication: Publication,
    /// The publisher's name for it.
    pub(super) key: Option<IdempotencyKey>,
    /// When its publisher has waited long enough.
    pub(super) deadline: Instant,
    pub(super) look_up: LookUp,
}

/// Whether the publish may be in the store already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LookUp {
    /// It isn't there.
    Done,
    /// Its id must be looked up.
    Wanted,
    /// The store has been asked.
    Asked(StoreTicket),
    /// Another publish with its key has no answer yet: it waits for that one's.
    Behind,
}

impl Held {
    pub(super) fn is_sought(&self) -> bool {
        self.look_up != LookUp::Done
    }

    pub(super) fn weight(&self) -> usize {
        let key = self.key.as_ref().map_or(0, |key| key.as_bytes().len());
        self.channel.as_str().len() + key + self.publication.weight()
    }

    pub(super) fn stored(&self) -> StoredMessage {
        StoredMessage {
            id: self.id,
            publication: self.publication.clone(),
        }
    }
}

/// An append in flight.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) ticket: StoreTicket,
    pub(super) channels: IndexMap<Channel, Vec<Held>>,
}

impl Shard {
    /// Takes a publish into what waits in its slot; its channel can't leave memory until it is released.
    pub(super) fn hold(&mut self, slot: Slot, mut held: Held) {
        let weight = held.weight();
        let state = self
            .slots
            .get_mut(&slot)
            .expect("a publish is held in a slot that is owned");
        if state.keyed.hold(&held) {
            self.counters.keys_held += 1;
            held.look_up = LookUp::Behind;
        }
        state.held.insert(held.id);
        state.held_bytes += weight;
        self.totals.waiting_bytes += weight;
        let channel = state
            .channels
            .get_mut(&held.channel)
            .expect("a publish is held for a channel in memory");
        channel.held += 1;
        state.waiting.push_back(held);
    }

    /// Lets a publish go that was answered or given up.
    pub(super) fn release(&mut self, slot: Slot, held: &Held) {
        let weight = held.weight();
        let state = self
            .slots
            .get_mut(&slot)
            .expect("a publish is released in a slot that is owned");
        state.held.remove(&held.id);
        state.held_bytes -= weight;
        self.totals.waiting_bytes -= weight;
        let channel = state
            .channels
            .get_mut(&held.channel)
            .expect("a channel with held publishes stays in memory");
        channel.held -= 1;
        self.release_key(slot, held);
        self.touch(slot, &held.channel);
    }

    /// Releases publishes and tells their edges why.
    pub(super) fn refuse_held(
        &mut self,
        slot: Slot,
        all: impl IntoIterator<Item = Held>,
        refusal: Refusal,
    ) {
        for held in all {
            self.release(slot, &held);
            self.refuse_publish(slot, held.id, refusal);
        }
    }
}
