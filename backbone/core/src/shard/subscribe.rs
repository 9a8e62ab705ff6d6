//! Subscribing: who is pushed a channel, and from where on.

use trunkline_shared::frame::{Refusal, Subscribed, ToEdge};
use trunkline_shared::rules::Class;
use trunkline_shared::{Channel, Now, Position, Slot};

use super::Shard;
use super::channel::{Ask, Lag, Load, Request, Subscriber};
use super::edges::Caller;
use super::slot::Reclaim;

impl Shard {
    pub(super) fn subscribe(&mut self, now: Now, request: Request, at: Option<Position>) {
        let Some(state) = self.channel_mut(request.slot, &request.channel) else {
            return;
        };
        let head = state.head();
        let in_epoch = at
            .filter(|at| head.is_some_and(|head| head.epoch == at.epoch))
            .map(|at| at.offset);
        let above = in_epoch > head.map(|head| head.offset);
        if above && state.class == Class::Durable {
            if !self.is_leased {
                return self.refuse(&request, Refusal::StoreAway);
            }
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
        self.end_parked_subscribes(caller, channel);
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
