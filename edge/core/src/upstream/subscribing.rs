//! Workers subscribe; the owner is asked once per channel.

use trunkline_shared::frame::{Refusal, Subscribed};
use trunkline_shared::{Channel, Instant, LinkId, RequestId, Slot};

use super::answering::because;
use super::channel_state::{Stand, Waiter};
use super::requests::Ask;
use super::{Asker, Timer, Upstream};
use crate::exchange::{Recover, RefusedBecause};

impl Upstream {
    pub(super) fn on_subscribe(
        &mut self,
        now: Instant,
        asker: Asker,
        deadline: Instant,
        channel: Channel,
        recover: Option<Recover>,
    ) {
        let Some(slot) = self.routing.slot_of(&channel) else {
            return self.refuse(asker, RefusedBecause::UnknownChannel);
        };
        if !self.has_room_for_request(asker) || !self.has_channel_or_room(asker, &channel, slot) {
            return;
        }
        if let Some(until) = self.interest.end_linger(&channel) {
            self.timers.disarm(until, Timer::Linger(channel.clone()));
        }
        let deadline = deadline.max(now);
        self.timers.arm(
            deadline,
            Timer::Waiter(channel.clone(), asker.worker, asker.ticket),
        );
        self.interest.add_waiter(
            &channel,
            Waiter {
                asker,
                deadline,
                recover,
                asked: None,
            },
        );
        self.serve_waiters(now, &channel);
        if self.interest.has_waiters(&channel) {
            self.subscribe_at_owner(now, &channel);
        }
    }

    /// Finds or makes a channel; with too many, the oldest lingering one makes room.
    fn has_channel_or_room(&mut self, asker: Asker, channel: &Channel, slot: Slot) -> bool {
        if self.interest.get(channel).is_some() {
            return true;
        }
        if self.interest.len() >= self.config.channels_max {
            let Some(oldest) = self.interest.oldest_lingering() else {
                self.counters.requests_refused_full += 1;
                self.refuse(asker, RefusedBecause::Temporary);
                return false;
            };
            self.counters.lingers_cut += 1;
            self.end_channel(&oldest);
        }
        self.interest.insert(channel.clone(), slot);
        true
    }

    /// Asks the owner for a channel's pushes, if it isn't asked yet and can be.
    pub(super) fn subscribe_at_owner(&mut self, now: Instant, channel: &Channel) {
        let Some(state) = self.interest.get_mut(channel) else {
            return;
        };
        let slot = state.slot;
        if state.stand != Stand::Idle || self.routing.link_of(slot).is_none() {
            return;
        }
        if let Some(at) = state.retry.take() {
            self.timers.disarm(at, Timer::Retry(channel.clone()));
        }
        self.counters.subscribes_sent += 1;
        let id = self.ask_own(now, Ask::Subscribe(channel.clone()), slot);
        if let Some(state) = self.interest.get_mut(channel) {
            state.stand = Stand::Asked(id);
        }
        self.ask_recovery(now, channel);
    }

    pub(super) fn on_subscribed(&mut self, now: Instant, link: LinkId, subscribed: &Subscribed) {
        let Some(request) = self.finish_request(now, link, subscribed.request) else {
            return;
        };
        let Ask::Subscribe(channel) = request.ask else {
            self.counters.frames_ignored += 1;
            return;
        };
        let asked = self
            .interest
            .get_mut(&channel)
            .filter(|state| state.is_asked(subscribed.request));
        if let Some(state) = asked {
            state.stand = Stand::Live(link);
            state.known = true;
            self.take_head(now, &channel, subscribed.head, subscribed.lagging);
            if let Some(head) = subscribed.head {
                self.take_floor(&channel, head.epoch, subscribed.floor);
            }
            self.serve_waiters(now, &channel);
            self.settle(now, &channel);
        }
        self.pump_subscribes(now, link);
    }

    pub(super) fn on_subscribe_refused(
        &mut self,
        now: Instant,
        channel: &Channel,
        id: RequestId,
        refusal: Refusal,
    ) {
        let Some(state) = self
            .interest
            .get_mut(channel)
            .filter(|state| state.is_asked(id))
        else {
            return;
        };
        state.forget_stand();
        let slot = state.slot;
        if let Some(because) = because(refusal) {
            self.refuse_waiters(channel, because);
            self.retry_later(now, channel);
            self.settle(now, channel);
        }
        if let Some(link) = self.routing.owner_link(slot) {
            self.pump_subscribes(now, link);
        }
    }

    pub(super) fn on_subscribe_lost(&mut self, now: Instant, channel: &Channel, id: RequestId) {
        if self
            .interest
            .get(channel)
            .is_some_and(|state| state.is_asked(id))
        {
            self.restate(now, channel);
        }
    }

    /// Asks for a channel again after a while, as long as somebody wants it.
    pub(super) fn retry_later(&mut self, now: Instant, channel: &Channel) {
        let wait = self.config.retry_delay + self.random_part(self.config.retry_delay);
        let Some(state) = self.interest.get_mut(channel) else {
            return;
        };
        if state.retry.is_none() {
            state.retry = Some(now + wait);
            self.timers.arm(now + wait, Timer::Retry(channel.clone()));
        }
    }

    pub(super) fn on_retry(&mut self, now: Instant, channel: &Channel) {
        let Some(state) = self.interest.get_mut(channel) else {
            return;
        };
        state.retry = None;
        self.subscribe_at_owner(now, channel);
        self.pull_if_behind(now, channel);
    }
}
