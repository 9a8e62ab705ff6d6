//! Requests that need a channel's head, and the first of them: subscribing.

use trunkline_shared::frame::{History, Pull, Refusal, Subscribe, Subscribed, ToEdge};
use trunkline_shared::rules::Class;
use trunkline_shared::{Channel, Now, Position, Slot};

use super::Shard;
use super::channel::{Ask, Lag, Load, Request, Subscriber};
use super::edges::Caller;
use super::slot::Reclaim;

impl Shard {
    pub(super) fn on_subscribe(&mut self, now: Now, caller: Caller, subscribe: Subscribe) {
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
            Ask::History { .. } => (false, false),
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

    fn await_head(&mut self, request: Request) {
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
        }
    }

    fn subscribe(&mut self, now: Now, request: Request, at: Option<Position>) {
        let Some(state) = self.channel_mut(request.slot, &request.channel) else {
            return;
        };
        let head = state.head();
        let in_epoch = at
            .filter(|at| head.is_some_and(|head| head.epoch == at.epoch))
            .map(|at| at.offset);
        let above = in_epoch > head.map(|head| head.offset);
        if above && state.class == Class::Durable {
            return self.begin_epoch(now, request);
        }
        let lagging = in_epoch.is_some() && in_epoch < head.map(|head| head.offset);
        self.register(&request, lagging);
        let Request {
            caller,
            id,
            slot,
            channel,
            ..
        } = request;
        let floor = self
            .channel_mut(slot, &channel)
            .map(|state| state.floor())
            .unwrap_or_default();
        self.answer(
            caller,
            ToEdge::Subscribed(Subscribed {
                request: id,
                slot,
                head,
                floor,
                lagging,
            }),
        );
    }

    /// The store has lost what an edge has seen: the slot gets a new epoch before anything is numbered.
    fn begin_epoch(&mut self, now: Now, request: Request) {
        let slot = request.slot;
        let Some(state) = self.channel_mut(slot, &request.channel) else {
            return;
        };
        state.load = Load::Wanted;
        self.await_head(request);
        self.want_claim(
            slot,
            Reclaim {
                new_epoch: true,
                foreign: false,
            },
        );
        self.claim_when_landed(now, slot);
    }

    fn register(&mut self, request: &Request, lagging: bool) {
        let Request {
            caller,
            slot,
            channel,
            ..
        } = request;
        self.end_lag(*slot, channel, caller.edge);
        let Some(state) = self
            .slots
            .get_mut(slot)
            .and_then(|state| state.channels.get_mut(channel))
        else {
            return;
        };
        let Some(link) = self.edges.link_mut(caller.edge) else {
            return;
        };
        link.subscriptions.insert((*slot, channel.clone()));
        state.subscribers.insert(
            caller.edge,
            Subscriber {
                lag: lagging.then_some(Lag::Told),
            },
        );
    }

    pub(super) fn on_unsubscribe(&mut self, caller: Caller, slot: Slot, channel: &Channel) {
        self.end_waiting_subscribes(caller, slot, channel);
        self.forget_subscriber(slot, channel, caller.edge);
    }

    /// A subscribe that still waits for the head must not take effect after the unsubscribe.
    fn end_waiting_subscribes(&mut self, caller: Caller, slot: Slot, channel: &Channel) {
        let Some(state) = self.channel_mut(slot, channel) else {
            return;
        };
        let ends = |request: &Request| {
            request.caller == caller && matches!(request.ask, Ask::Subscribe { .. })
        };
        let (ended, others): (Vec<_>, Vec<_>) = state.awaiting.drain(..).partition(ends);
        state.awaiting = others;
        self.totals.requests -= ended.len();
        ended
            .iter()
            .for_each(|request| self.refuse(request, Refusal::Busy));
    }
}
