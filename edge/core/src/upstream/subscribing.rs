//! Workers subscribe and unsubscribe; the owner is asked once per channel, and again on a new link or owner.

use trunkline_shared::frame::{Refusal, Subscribed, ToNode};
use trunkline_shared::{Channel, Instant, LinkId, RequestId, Slot, StreamId};

use super::asking::because;
use super::interest::{Stand, Waiter};
use super::requests::Ask;
use super::{Asker, Timer, Upstream};
use crate::exchange::{Recover, RefusedBecause, WorkerId};

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
        self.subscribe_at_owner(now, &channel);
        self.serve_waiters(now, &channel);
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

    /// Says on a link what is to be said again, as many at once as a batch.
    pub(super) fn pump_subscribes(&mut self, now: Instant, link: LinkId) {
        while let Some((slot, channel)) = self.next_to_subscribe(link) {
            if self.routing.link_of(slot) == Some(link) {
                self.subscribe_at_owner(now, &channel);
            }
        }
    }

    fn next_to_subscribe(&mut self, link: LinkId) -> Option<(Slot, Channel)> {
        let state = self.links.get_mut(&link)?;
        let (slot, _) = state.to_subscribe.first()?;
        let lane = slot.lane(trunkline_shared::limits::LANES);
        if state.subscribes.len() >= self.config.resubscribe_batch || state.answers_blocked {
            return None;
        }
        let has_room = state
            .account(StreamId::Lane(lane))
            .is_some_and(|account| account.has_room());
        if !has_room {
            state.blocked.insert(lane);
            return None;
        }
        state.to_subscribe.pop_first()
    }

    /// A slot has another link, or none: what was said on the old one is forgotten.
    pub(super) fn forget_stands(&mut self, slot: Slot) {
        for channel in self.interest.of_slot(slot) {
            if let Some(state) = self.interest.get_mut(&channel) {
                state.forget_stand();
            }
        }
        self.queue_subscribes(slot);
    }

    /// Lets the channels of a slot that aren't asked for be asked for, on the slot's link.
    pub(super) fn queue_subscribes(&mut self, slot: Slot) {
        let Some(link) = self.routing.owner_link(slot) else {
            return;
        };
        for channel in self.interest.of_slot(slot) {
            let idle = self
                .interest
                .get(&channel)
                .is_some_and(|state| state.stand == Stand::Idle);
            if let Some(link) = self.links.get_mut(&link).filter(|_| idle) {
                link.to_subscribe.insert((slot, channel));
            }
        }
    }

    /// Forgets how a channel stands and asks its owner anew.
    pub(super) fn restate(&mut self, now: Instant, channel: &Channel) {
        if let Some(state) = self.interest.get_mut(channel) {
            state.forget_stand();
            self.subscribe_at_owner(now, channel);
        }
    }

    /// The owner has forgotten a slot's subscriptions.
    pub(super) fn on_reset(&mut self, now: Instant, link: LinkId, slot: Slot) {
        if self.routing.owner_link(slot) != Some(link) {
            self.counters.frames_ignored += 1;
            return;
        }
        self.counters.resets += 1;
        self.forget_stands(slot);
        self.pump_subscribes(now, link);
    }

    /// Gives channels the slots that new rules say.
    pub(super) fn reslot_channels(&mut self, now: Instant) {
        let rules = self.routing.rules.clone();
        let moved = |channel: &Channel, slot: Slot| {
            let by_rules = rules.as_ref().and_then(|rules| rules.slot_of(channel));
            by_rules.filter(|by_rules| *by_rules != slot)
        };
        let all = self.interest.all();
        let moved: Vec<(Channel, Slot)> = all
            .filter_map(|(channel, state)| Some((channel.clone(), moved(channel, state.slot)?)))
            .collect();
        for (channel, slot) in moved {
            self.unsubscribe_at_owner(&channel);
            self.interest.reslot(&channel, slot);
            self.restate(now, &channel);
        }
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

    pub(super) fn on_unsubscribe(&mut self, now: Instant, worker: WorkerId, channel: &Channel) {
        let gone = self
            .interest
            .take_waiters(channel, |waiter| waiter.asker.worker == worker);
        self.end_waiters(channel, &gone, RefusedBecause::Temporary);
        let Some(state) = self.interest.get_mut(channel) else {
            return;
        };
        if state
            .readers
            .remove(&worker)
            .is_some_and(|reader| reader.lagging)
        {
            self.workers.forget_lag(worker, channel);
        }
        self.settle(now, channel);
    }

    /// A channel without subscribers lingers while its pushes come, or came; one that never had an answer ends.
    pub(super) fn settle(&mut self, now: Instant, channel: &Channel) {
        let Some(state) = self.interest.get(channel) else {
            return;
        };
        if !state.readers.is_empty() || !state.waiters.is_empty() || state.linger.is_some() {
            return;
        }
        if !state.known || self.config.linger_channels_max == 0 {
            return self.end_channel(channel);
        }
        if self.interest.lingering() >= self.config.linger_channels_max {
            let oldest = self.interest.oldest_lingering().expect("there are some");
            self.counters.lingers_cut += 1;
            self.end_channel(&oldest);
        }
        let until = now + self.config.linger;
        self.interest.linger(channel, until);
        self.timers.arm(until, Timer::Linger(channel.clone()));
    }

    pub(super) fn on_linger_over(&mut self, channel: &Channel) {
        self.end_channel(channel);
    }

    /// Forgets a channel without subscribers, at the owner too.
    fn end_channel(&mut self, channel: &Channel) {
        self.unsubscribe_at_owner(channel);
        let Some(state) = self.interest.remove(channel) else {
            return;
        };
        if let Some(until) = state.linger {
            self.timers.disarm(until, Timer::Linger(channel.clone()));
        }
        if let Some(at) = state.retry {
            self.timers.disarm(at, Timer::Retry(channel.clone()));
        }
    }

    fn unsubscribe_at_owner(&mut self, channel: &Channel) {
        let Some(state) = self.interest.get(channel) else {
            return;
        };
        let link = match state.stand {
            Stand::Idle => None,
            Stand::Asked(id) => self.requests.get(id).and_then(|request| request.link),
            Stand::Live(link) => Some(link),
        };
        let slot = state.slot;
        if let Some(link) = link {
            self.send(
                link,
                ToNode::Unsubscribe {
                    slot,
                    channel: channel.clone(),
                },
            );
        }
    }
}
