//! Requests that need a channel's head: they wait for it, then each goes its own way.

use std::time::Duration;

use trunkline_shared::frame::{History, Pull, Refusal, RemoveHistory, Subscribe};
use trunkline_shared::rules::Class;
use trunkline_shared::{Channel, Now, Slot};

use super::Shard;
use super::channel::{Ask, Load, Request};
use super::edges::Caller;

impl Shard {
    pub(super) fn on_subscribe(&mut self, now: Now, caller: Caller, subscribe: Subscribe) {
        if self.is_undecided(subscribe.slot, subscribe.view) {
            return self.park_subscribe(now, caller, subscribe);
        }
        let Subscribe {
            request: id,
            slot,
            channel,
            at,
            view: _,
        } = subscribe;
        self.on_request(
            now,
            Request {
                caller,
                id,
                slot,
                channel,
                ask: Ask::Subscribe { at },
            },
        );
    }

    pub(super) fn on_pull(&mut self, now: Now, caller: Caller, pull: Pull) {
        let Pull {
            request: id,
            slot,
            channel,
            after,
        } = pull;
        self.on_request(
            now,
            Request {
                caller,
                id,
                slot,
                channel,
                ask: Ask::Pull { after },
            },
        );
    }

    pub(super) fn on_history(&mut self, now: Now, caller: Caller, history: History) {
        let History {
            request: id,
            slot,
            channel,
            query,
            bytes_max,
        } = history;
        let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        self.on_request(
            now,
            Request {
                caller,
                id,
                slot,
                channel,
                ask: Ask::History { query, bytes_max },
            },
        );
    }

    pub(super) fn on_remove_history(&mut self, now: Now, caller: Caller, remove: RemoveHistory) {
        let RemoveHistory {
            request: id,
            slot,
            channel,
            time_left_ms,
        } = remove;
        let deadline = now.instant + Duration::from_millis(u64::from(time_left_ms));
        self.on_request(
            now,
            Request {
                caller,
                id,
                slot,
                channel,
                ask: Ask::RemoveHistory { deadline },
            },
        );
    }

    /// Takes a request as it arrives, or again when what it began with is no longer true.
    pub(super) fn on_request(&mut self, now: Now, request: Request) {
        if !self.edges.is_current(request.caller) {
            return;
        }
        match self.prepare(&request) {
            Ok(true) => self.serve(now, request),
            Ok(false) => self.await_head(request),
            Err(refusal) => self.refuse(&request, refusal),
        }
    }

    /// Whether the request can be served at once.
    fn prepare(&mut self, request: &Request) -> Result<bool, Refusal> {
        let Request { slot, channel, .. } = request;
        let rules = self.rules_of(channel)?;
        let (subscribes, pulls) = match request.ask {
            Ask::Subscribe { .. } => (true, false),
            Ask::Pull { .. } => (false, true),
            Ask::History { .. } | Ask::RemoveHistory { .. } => (false, false),
        };
        if rules.class == Class::Ephemeral && !subscribes {
            return Err(Refusal::NotAvailable);
        }
        self.admit(*slot, rules)?;
        let known = self
            .channel_mut(*slot, channel)
            .map(|state| state.load == Load::Loaded);
        if rules.class == Class::Durable && known != Some(true) {
            self.check_wait(*slot)?;
        }
        if pulls && known.is_none() {
            return Err(Refusal::Busy);
        }
        self.ensure_channel(*slot, channel, rules)?;
        Ok(self.is_loaded(*slot, channel))
    }

    fn check_wait(&self, slot: Slot) -> Result<(), Refusal> {
        if self.is_store_failing(slot) {
            return Err(Refusal::StoreAway);
        }
        if self.totals.requests >= self.config.requests_max {
            Err(Refusal::Busy)
        } else {
            Ok(())
        }
    }

    pub(super) fn is_loaded(&self, slot: Slot, channel: &Channel) -> bool {
        let state = self
            .slots
            .get(&slot)
            .and_then(|state| state.channels.get(channel));
        state.is_some_and(|state| state.load == Load::Loaded)
    }

    pub(super) fn await_head(&mut self, request: Request) {
        let Some(state) = self.channel_mut(request.slot, &request.channel) else {
            return;
        };
        state.awaiting.push(request);
        self.totals.requests += 1;
    }

    /// Serves what has waited for a head.
    pub(super) fn serve_awaiting(&mut self, now: Now, slot: Slot, channel: &Channel) {
        let Some(state) = self.channel_mut(slot, channel) else {
            return;
        };
        let awaiting = std::mem::take(&mut state.awaiting);
        self.totals.requests -= awaiting.len();
        for request in awaiting {
            if self.is_loaded(slot, channel) {
                self.serve(now, request)
            } else {
                self.await_head(request)
            }
        }
    }

    fn serve(&mut self, now: Now, request: Request) {
        if !self.edges.is_current(request.caller) {
            return;
        }
        match request.ask {
            Ask::Subscribe { at } => self.subscribe(now, request, at),
            Ask::Pull { after } => self.pull(now, request, after),
            Ask::History { query, bytes_max } => self.history(now, request, query, bytes_max),
            Ask::RemoveHistory { deadline } => self.remove_history(now, request, deadline),
        }
    }
}
