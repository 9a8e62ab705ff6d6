//! What became of an append: committed, refused, failed, or nobody knows.

use trunkline_shared::frame::Refusal;
use trunkline_shared::{Channel, Now, Slot};
use trunkline_store_core::{Refused, StoreError};

use super::Shard;
use super::channel::Load;
use super::pending::{Flight, Held, LookUp};
use super::slot::{Reclaim, SlotState};
use crate::io::{PartOutcome, StoreTicket};

impl Shard {
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
        if state.is_leaving {
            self.count_outcome(&outcome);
            return self.land_leaving(now, slot, flight, &outcome);
        }
        let doubted = doubted(state, &flight);
        self.count_outcome(&outcome);
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
        if !self.is_leased {
            self.fail_waiting(slot, Refusal::StoreAway);
        }
        self.advance(now, slot);
    }

    const fn count_outcome(&mut self, outcome: &PartOutcome) {
        match outcome {
            PartOutcome::Committed => {}
            PartOutcome::Refused(_) => self.counters.appends_refused += 1,
            PartOutcome::Failed(_) => self.counters.appends_failed += 1,
            PartOutcome::Unknown => self.counters.appends_unknown += 1,
        }
    }

    pub(super) fn on_committed(&mut self, now: Now, slot: Slot, flight: Flight) {
        for held in flight.channels.into_values().flatten() {
            self.keep(now, slot, held);
        }
    }

    /// Delivers and answers a publish that the store has.
    pub(super) fn keep(&mut self, now: Now, slot: Slot, held: Held) {
        let behind = self.take_behind(slot, &held);
        self.release(slot, &held);
        let (id, channel, publication) = (held.id, held.channel, held.publication);
        let position = self.deliver(now, slot, &channel, publication);
        if let Some(position) = position {
            self.published(slot, id, position);
        }
        self.answer_behind(slot, behind, position);
    }

    /// Nothing was taken, but the claim or the heads in memory are wrong: what was in flight is looked up by its ids, for
    /// whoever wrote in between may have been given the same publishes.
    fn on_refused(&mut self, slot: Slot, flight: Flight) {
        self.seek_again(slot, flight.channels.into_values().flatten().collect());
        self.want_claim(
            slot,
            Reclaim {
                new_epoch: false,
                foreign: true,
            },
        );
    }

    fn on_failed(&mut self, slot: Slot, flight: Flight, error: &StoreError) {
        let refusal = match error {
            StoreError::Away(_) => Refusal::StoreAway,
            StoreError::Data(_) => Refusal::Busy,
        };
        self.refuse_held(slot, flight.channels.into_values().flatten(), refusal);
        self.send_back_behind(slot);
        if matches!(error, StoreError::Data(_)) {
            self.want_claim(slot, Reclaim::default());
        }
    }

    fn on_unknown(&mut self, slot: Slot, flight: Flight) {
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
