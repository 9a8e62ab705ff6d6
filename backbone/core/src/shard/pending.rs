//! Publishes from their arrival until their answer: what waits, what is in flight to the store.
//!
//! A message is numbered when its append begins, after the head that the store has committed; so a head never has to be
//! rolled back. A slot has one append in flight, what arrives meanwhile goes in the next one.

use std::collections::VecDeque;

use indexmap::IndexMap;
use trunkline_shared::frame::Refusal;
use trunkline_shared::rules::Class;
use trunkline_shared::{Channel, Instant, Now, Offset, Publication, PublishId, Slot};
use trunkline_store_core::{
    ChannelAppend, Generation, Refused, SlotPart, StoreError, StoredMessage,
};

use super::Shard;
use super::channel::Load;
use super::slot::{Reclaim, SlotState};
use super::tickets::Purpose;
use crate::io::{PartOutcome, StoreRequest, StoreTicket};

/// A publish that has no answer yet.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) id: PublishId,
    pub(super) class: Class,
    pub(super) channel: Channel,
    pub(super) publication: Publication,
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
}

impl Held {
    pub(super) fn is_sought(&self) -> bool {
        self.look_up != LookUp::Done
    }

    pub(super) fn weight(&self) -> usize {
        self.channel.as_str().len() + self.publication.weight()
    }

    fn stored(&self) -> StoredMessage {
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
    pub(super) generation: Generation,
    pub(super) channels: IndexMap<Channel, Vec<Held>>,
}

impl Shard {
    /// Takes a publish into what waits in its slot; its channel can't leave memory until it is released.
    pub(super) fn hold(&mut self, slot: Slot, held: Held) {
        let weight = held.weight();
        let state = self
            .slots
            .get_mut(&slot)
            .expect("a publish is held in a slot that is owned");
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

    /// Goes on with what waits in a slot: look-ups, buffered publishes, the next append.
    pub(super) fn advance(&mut self, now: Now, slot: Slot) {
        self.want_look_ups(slot);
        self.publish_waiting_buffered(now, slot);
        let Some(state) = self.slots.get(&slot) else {
            return;
        };
        if state.is_ready()
            && state.flight.is_none()
            && state.waiting.front().is_some_and(|held| !held.is_sought())
        {
            self.drop_late(now, slot);
            self.begin_append(now, slot);
        }
    }

    fn publish_waiting_buffered(&mut self, now: Now, slot: Slot) {
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        if state
            .waiting
            .iter()
            .all(|held| held.class != Class::Buffered)
        {
            return;
        }
        let ready = state.is_ready();
        let open = state
            .waiting
            .iter()
            .take_while(|held| !(ready && held.is_sought()))
            .count();
        let rest = state.waiting.split_off(open);
        let is_buffered = |held: &Held| held.class == Class::Buffered;
        let (buffered, durable): (VecDeque<_>, VecDeque<_>) =
            state.waiting.drain(..).partition(is_buffered);
        state.waiting = durable;
        state.waiting.extend(rest);
        for held in buffered {
            self.release(slot, &held);
            self.publish_buffered(now, slot, held);
        }
    }

    fn drop_late(&mut self, now: Now, slot: Slot) {
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        if state.waiting.iter().all(|held| held.deadline > now.instant) {
            return;
        }
        let is_late = |held: &Held| held.deadline <= now.instant;
        let (late, in_time): (VecDeque<_>, VecDeque<_>) =
            state.waiting.drain(..).partition(is_late);
        state.waiting = in_time;
        self.counters.out_of_time += late.len() as u64;
        self.refuse_held(slot, late, Refusal::Busy);
    }

    fn begin_append(&mut self, now: Now, slot: Slot) {
        let bytes_max = self.config.append_bytes_max;
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        let channels = take_part(state, now, bytes_max);
        if channels.is_empty() {
            return;
        }
        let part = SlotPart {
            slot,
            generation: state.generation,
            channels: channels.iter().map(append).collect(),
        };
        let ticket = self.tickets.draw();
        state.flight = Some(Flight {
            ticket,
            generation: state.generation,
            channels,
        });
        self.counters.appends += 1;
        self.ask_store(ticket, Purpose::Append(slot), StoreRequest::Append(part));
    }

    pub(super) fn on_appended(
        &mut self,
        now: Now,
        slot: Slot,
        ticket: StoreTicket,
        outcome: PartOutcome,
    ) {
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        let Some(flight) = state.flight.take_if(|flight| flight.ticket == ticket) else {
            return;
        };
        let doubted = doubted(state, &flight);
        match outcome {
            PartOutcome::Committed => self.on_committed(now, slot, flight),
            PartOutcome::Refused(Refused::Generation | Refused::Head) => {
                self.on_refused(slot, flight)
            }
            PartOutcome::Failed(error) => self.on_failed(slot, flight, &error),
            PartOutcome::Unknown => self.on_unknown(slot, flight),
        }
        self.claim_when_landed(now, slot);
        doubted
            .into_iter()
            .for_each(|channel| self.want_head(slot, channel));
        self.advance(now, slot);
    }

    fn on_committed(&mut self, now: Now, slot: Slot, flight: Flight) {
        for held in flight.channels.into_values().flatten() {
            self.keep(now, slot, held);
        }
    }

    /// Delivers and answers a publish that the store has.
    pub(super) fn keep(&mut self, now: Now, slot: Slot, held: Held) {
        self.release(slot, &held);
        let (id, channel, publication) = (held.id, held.channel, held.publication);
        if let Some(position) = self.deliver(now, slot, &channel, publication) {
            self.published(slot, id, position);
        }
    }

    /// Nothing was taken, but the claim or the heads in memory are wrong: what was in flight is looked up by its ids, for
    /// whoever wrote in between may have been given the same publishes.
    fn on_refused(&mut self, slot: Slot, flight: Flight) {
        self.counters.appends_refused += 1;
        let claimed_since = self
            .slots
            .get(&slot)
            .is_some_and(|state| flight.generation < state.generation);
        self.seek_again(slot, flight.channels.into_values().flatten().collect());
        if !claimed_since {
            self.want_claim(
                slot,
                Reclaim {
                    new_epoch: false,
                    foreign: true,
                },
            );
        }
    }

    fn on_failed(&mut self, slot: Slot, flight: Flight, error: &StoreError) {
        self.counters.appends_failed += 1;
        let refusal = match error {
            StoreError::Away(_) => Refusal::StoreAway,
            StoreError::Data(_) => Refusal::Busy,
        };
        self.refuse_held(slot, flight.channels.into_values().flatten(), refusal);
        if matches!(error, StoreError::Data(_)) {
            self.want_claim(slot, Reclaim::default());
        }
    }

    fn on_unknown(&mut self, slot: Slot, flight: Flight) {
        self.counters.appends_unknown += 1;
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        for (channel, lost) in flight.channels {
            let channel = state
                .channels
                .get_mut(&channel)
                .expect("a channel with held publishes stays in memory");
            channel.load = Load::Wanted;
            channel.lost = lost;
        }
        self.want_claim(slot, Reclaim::default());
    }

    /// Puts publishes before everything that waits, to be looked up before they are numbered.
    pub(super) fn seek_again(&mut self, slot: Slot, lost: Vec<Held>) {
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        for mut held in lost.into_iter().rev() {
            held.look_up = LookUp::Wanted;
            state.waiting.push_front(held);
        }
    }
}

/// Channels of an append whose head must be read again once it has landed.
fn doubted(state: &SlotState, flight: &Flight) -> Vec<Channel> {
    let doubted = |channel: &&Channel| {
        state
            .channels
            .get(*channel)
            .is_some_and(|state| state.load != Load::Loaded)
    };
    flight.channels.keys().filter(doubted).cloned().collect()
}

/// Numbers and takes out what goes into the next part: in order, up to the first look-up that isn't answered, without
/// channels whose head isn't known, up to `bytes_max`.
fn take_part(state: &mut SlotState, now: Now, bytes_max: usize) -> IndexMap<Channel, Vec<Held>> {
    let mut part: IndexMap<Channel, Vec<Held>> = IndexMap::new();
    let mut left = VecDeque::new();
    let mut bytes = 0;
    while let Some(mut held) = state.waiting.pop_front() {
        if held.is_sought() || (bytes > 0 && bytes + held.weight() > bytes_max) {
            left.push_back(held);
            break;
        }
        let channel = state
            .channels
            .get(&held.channel)
            .expect("a channel with held publishes stays in memory");
        let log = channel
            .log
            .as_ref()
            .filter(|_| channel.load == Load::Loaded);
        let Some(log) = log else {
            left.push_back(held);
            continue;
        };
        bytes += held.weight();
        let before = part.get(&held.channel).and_then(|batch| batch.last());
        let (head, time) = before.map_or((log.head, log.time(now)), |last| {
            (last.publication.offset, last.publication.time)
        });
        held.publication.offset = head.next();
        held.publication.time = time;
        part.entry(held.channel.clone()).or_default().push(held);
    }
    left.append(&mut state.waiting);
    state.waiting = left;
    part
}

fn append((channel, batch): (&Channel, &Vec<Held>)) -> ChannelAppend {
    let first = batch
        .first()
        .expect("a channel of a part has messages")
        .publication
        .offset;
    ChannelAppend {
        channel: channel.clone(),
        follows: Offset(first.0 - 1),
        messages: batch.iter().map(Held::stored).collect(),
    }
}
