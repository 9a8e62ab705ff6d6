//! Reading where durable channels stand, when they are first touched and after a claim that left doubts.

use std::collections::VecDeque;

use trunkline_shared::frame::Refusal;
use trunkline_shared::{Channel, Now, Slot};
use trunkline_store_core::{Head, StoreError};

use super::Shard;
use super::channel::Load;
use super::pending::Held;
use super::retry::Retry;
use super::tickets::Purpose;
use crate::io::{StoreRequest, StoreTicket};

/// Heads read in one query at most.
const HEADS_PER_QUERY: usize = 1024;

/// Heads that are to be read; one query is in flight, what is wanted meanwhile goes in the next.
#[derive(Debug)]
pub(super) struct HeadReads {
    wanted: VecDeque<(Slot, Channel)>,
    /// Wanted again after the store was away.
    again: Vec<(Slot, Channel)>,
    in_flight: bool,
    pub(super) retry: Retry,
}

impl HeadReads {
    pub(super) const fn new(retry: Retry) -> Self {
        Self {
            wanted: VecDeque::new(),
            again: Vec::new(),
            in_flight: false,
            retry,
        }
    }
}

impl Shard {
    pub(super) fn want_head(&mut self, slot: Slot, channel: Channel) {
        self.heads.wanted.push_back((slot, channel));
        self.ask_heads();
    }

    /// Reads the heads of all channels of a slot that have none.
    pub(super) fn load_heads_of(&mut self, slot: Slot) {
        let Some(state) = self.slots.get(&slot) else {
            return;
        };
        let unknown = state
            .channels
            .iter()
            .filter(|(_, channel)| channel.load == Load::Wanted);
        self.heads
            .wanted
            .extend(unknown.map(|(name, _)| (slot, name.clone())));
        self.ask_heads();
    }

    /// Channels of a slot whose head isn't known.
    pub(super) fn unloaded(&self, slot: Slot) -> Vec<Channel> {
        let channels = self
            .slots
            .get(&slot)
            .into_iter()
            .flat_map(|state| &state.channels);
        channels
            .filter(|(_, channel)| channel.load != Load::Loaded)
            .map(|(name, _)| name.clone())
            .collect()
    }

    fn ask_heads(&mut self) {
        if self.heads.in_flight {
            return;
        }
        let ticket = self.tickets.draw();
        let mut asked = Vec::new();
        while asked.len() < HEADS_PER_QUERY
            && let Some((slot, channel)) = self.heads.wanted.pop_front()
        {
            if self.may_load(slot, &channel)
                && let Some(state) = self.channel_mut(slot, &channel)
            {
                state.load = Load::Asked(ticket);
                asked.push((slot, channel));
            }
        }
        if !asked.is_empty() {
            self.heads.in_flight = true;
            self.ask_store(
                ticket,
                Purpose::Heads(asked.clone()),
                StoreRequest::Heads(asked),
            );
        }
    }

    /// A head is read only under a claim, and not while an append moves it.
    fn may_load(&self, slot: Slot, channel: &Channel) -> bool {
        let Some(state) = self.slots.get(&slot) else {
            return false;
        };
        let moving = state
            .flight
            .as_ref()
            .is_some_and(|flight| flight.channels.contains_key(channel));
        let wanted = state
            .channels
            .get(channel)
            .is_some_and(|channel| channel.load == Load::Wanted);
        state.is_ready() && !moving && wanted
    }

    pub(super) fn on_heads_retry(&mut self, now: Now) {
        if self.heads.retry.take_due(now) {
            self.heads.wanted.extend(self.heads.again.drain(..));
            self.ask_heads();
        }
    }

    pub(super) fn on_heads(
        &mut self,
        now: Now,
        ticket: StoreTicket,
        asked: Vec<(Slot, Channel)>,
        answer: Result<Vec<Head>, StoreError>,
    ) {
        self.heads.in_flight = false;
        match answer {
            Ok(heads) => {
                self.heads.retry.succeeded();
                self.heads.wanted.extend(self.heads.again.drain(..));
                for ((slot, channel), head) in asked.into_iter().zip(heads) {
                    self.on_head(now, ticket, slot, &channel, head);
                }
            }
            Err(error) => {
                self.heads.retry.failed(now);
                for (slot, channel) in asked {
                    self.on_no_head(ticket, slot, channel, &error);
                }
            }
        }
        self.ask_heads();
    }

    fn on_no_head(
        &mut self,
        ticket: StoreTicket,
        slot: Slot,
        channel: Channel,
        error: &StoreError,
    ) {
        let Some(state) = self.channel_mut(slot, &channel) else {
            return;
        };
        if state.load != Load::Asked(ticket) {
            return;
        }
        state.load = Load::Wanted;
        let refusal = match error {
            StoreError::Away(_) => Refusal::StoreAway,
            StoreError::Data(_) => Refusal::Busy,
        };
        self.fail_load(slot, &channel, refusal);
        if self.channel_mut(slot, &channel).is_some() {
            self.heads.again.push((slot, channel));
        }
    }

    /// Refuses what waits for a head; the channel stays if there is more to it.
    pub(super) fn fail_load(&mut self, slot: Slot, channel: &Channel, refusal: Refusal) {
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        let is_of = |held: &Held| held.channel == *channel;
        let (waiting, others): (VecDeque<_>, VecDeque<_>) =
            state.waiting.drain(..).partition(is_of);
        state.waiting = others;
        self.refuse_held(slot, waiting, refusal);
        let Some(state) = self.channel_mut(slot, channel) else {
            return;
        };
        let awaiting = std::mem::take(&mut state.awaiting);
        let empty = !state.was_loaded && state.held == 0;
        self.totals.requests -= awaiting.len();
        for request in awaiting {
            self.refuse(&request, refusal);
        }
        if empty {
            self.drop_channel(slot, channel);
        }
    }
}
