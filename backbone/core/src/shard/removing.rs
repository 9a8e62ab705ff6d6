//! `history_remove`: a floor at where the channel stands, below which nothing is kept; the numbering goes on.
//!
//! The floor is fixed when the owner begins with the request: however late the store raises it, nothing goes that was
//! published after the caller was answered. What waits or is in flight isn't acknowledged yet and stays.

use trunkline_shared::frame::{Floor, Refusal, ToEdge};
use trunkline_shared::rules::Class;
use trunkline_shared::{Channel, Instant, Now, Offset, Slot};
use trunkline_store_core::{FloorError, FloorRequest, Generation, Head, StoreError};

use super::Shard;
use super::channel::{Load, Request};
use super::slot::{Reclaim, SlotState};
use super::tickets::Purpose;
use crate::io::StoreRequest;

/// A removal that the store has been asked for.
#[derive(Debug)]
pub(super) struct Removing {
    request: Request,
    /// The channel's stay in memory when the store was asked.
    born: u64,
    /// The claim under which it was asked.
    generation: Generation,
}

impl Shard {
    pub(super) fn remove_history(&mut self, now: Now, request: Request, deadline: Instant) {
        if deadline <= now.instant {
            self.counters.out_of_time += 1;
            return self.refuse(&request, Refusal::Busy);
        }
        let Some(state) = self.channel_mut(request.slot, &request.channel) else {
            return;
        };
        match (state.class, state.head()) {
            (Class::Durable, Some(head)) => self.ask_floor(request, head.offset),
            (Class::Buffered, Some(head)) => self.removed(&request, head.offset),
            (Class::Ephemeral, _) | (_, None) => self.refuse(&request, Refusal::NotAvailable),
        }
    }

    /// Asks the store, whatever floor is known here: only the store knows whether the slot is still ours.
    fn ask_floor(&mut self, request: Request, floor: Offset) {
        if !self.is_leased {
            return self.refuse(&request, Refusal::StoreAway);
        }
        if self.totals.requests >= self.config.requests_max {
            return self.refuse(&request, Refusal::Busy);
        }
        let (slot, channel) = (request.slot, request.channel.clone());
        let Some(generation) = self.slots.get(&slot).map(|state| state.generation) else {
            return;
        };
        let Some(state) = self.channel_mut(slot, &channel) else {
            return;
        };
        let born = state.born;
        state.reading += 1;
        self.totals.requests += 1;
        let ticket = self.tickets.draw();
        self.ask_store(
            ticket,
            Purpose::Floor(Removing {
                request,
                born,
                generation,
            }),
            StoreRequest::RaiseFloor(FloorRequest {
                slot,
                generation,
                channel,
                floor,
            }),
        );
    }

    pub(super) fn on_floor_raised(
        &mut self,
        now: Now,
        removing: Removing,
        answer: Result<Head, FloorError>,
    ) {
        let Removing {
            request,
            born,
            generation,
        } = removing;
        self.totals.requests -= 1;
        let (slot, channel) = (request.slot, request.channel.clone());
        let Some(state) = self
            .channel_mut(slot, &channel)
            .filter(|state| state.born == born)
        else {
            // Its slot was given up meanwhile: the request starts anew and hears so.
            self.totals.orphans -= 1;
            return self.on_request(now, request);
        };
        state.reading -= 1;
        self.touch(slot, &channel);
        match answer {
            Ok(head) => self.removed(&request, head.floor),
            Err(FloorError::Generation) => self.remove_under_next_claim(now, request, generation),
            Err(FloorError::Store(StoreError::Away(_))) => {
                self.refuse(&request, Refusal::StoreAway);
                self.doubt_floor(slot, channel);
            }
            Err(FloorError::Store(StoreError::Data(_))) => self.refuse(&request, Refusal::Busy),
        }
    }

    /// The claim has been overtaken, by one of ours or by another's: the next one decides.
    fn remove_under_next_claim(&mut self, now: Now, request: Request, under: Generation) {
        let slot = request.slot;
        let is_ready = |state: &SlotState| state.is_ready();
        if self
            .slots
            .get(&slot)
            .is_some_and(|state| state.generation > under && is_ready(state))
        {
            return self.on_request(now, request);
        }
        let Some(state) = self.channel_mut(slot, &request.channel) else {
            return;
        };
        if state.load == Load::Loaded {
            state.load = Load::Wanted;
        }
        self.await_head(request);
        if self.slots.get(&slot).is_some_and(is_ready) {
            self.want_claim(
                slot,
                Reclaim {
                    new_epoch: false,
                    foreign: true,
                },
            );
        }
        self.claim_when_landed(now, slot);
    }

    /// Perhaps the store has raised the floor: the channel's head is read again, as after an append of which nobody knows.
    fn doubt_floor(&mut self, slot: Slot, channel: Channel) {
        let Some(state) = self.channel_mut(slot, &channel) else {
            return;
        };
        if state.load == Load::Loaded {
            state.load = Load::Wanted;
            self.want_head(slot, channel);
        }
    }

    /// Forgets what lies at or below the floor, tells the subscribed edges, and answers, in one step.
    fn removed(&mut self, request: &Request, floor: Offset) {
        let (slot, channel) = (request.slot, &request.channel);
        self.raise_floor(slot, channel, floor);
        self.tell_floor(slot, channel);
        let Some(state) = self.channel_mut(slot, channel) else {
            return;
        };
        let (Some(head), floor) = (state.head(), state.floor()) else {
            return;
        };
        self.counters.histories_removed += 1;
        self.answer(
            request.caller,
            ToEdge::HistoryRemoved {
                request: request.id,
                slot,
                epoch: head.epoch,
                floor,
            },
        );
    }

    /// Takes the floor that came with a head; the head was perhaps read before the floor was raised, so it never falls.
    pub(super) fn take_stored_floor(&mut self, slot: Slot, channel: &Channel, floor: Offset) {
        if self.raise_floor(slot, channel, floor) {
            self.tell_floor(slot, channel);
        }
    }

    /// Says whether the floor wasn't that high before.
    fn raise_floor(&mut self, slot: Slot, channel: &Channel, floor: Offset) -> bool {
        let Some(log) = self
            .channel_mut(slot, channel)
            .and_then(|state| state.log.as_mut())
        else {
            return false;
        };
        let (bytes, before) = (log.bytes(), log.floor);
        log.raise_floor(floor);
        let (kept, risen) = (log.bytes(), log.floor > before);
        self.totals.ring_bytes = self.totals.ring_bytes - bytes + kept;
        risen
    }

    /// Tells every subscribed edge of the floor; one whose lane is full hears it by `Behind`, one that lags by its pull.
    fn tell_floor(&mut self, slot: Slot, channel: &Channel) {
        let Some(state) = self.channel_mut(slot, channel) else {
            return;
        };
        let (Some(head), floor) = (state.head(), state.floor()) else {
            return;
        };
        let edges: Vec<_> = state
            .subscribers
            .iter()
            .filter(|(_, subscriber)| subscriber.lag.is_none())
            .map(|(edge, _)| *edge)
            .collect();
        for edge in edges {
            let frame = ToEdge::Floor(Floor {
                slot,
                channel: channel.clone(),
                epoch: head.epoch,
                floor,
            });
            if !self.edges.try_send(&mut self.outputs, edge, frame) {
                self.begin_lag(slot, channel, edge);
            }
        }
    }
}
