//! Subscriptions said again: to a new link or owner, and to one that has forgotten them; as many at once as a batch.

use trunkline_shared::{Channel, Instant, LinkId, Slot, StreamId};

use super::Upstream;
use super::channel_state::Stand;

impl Upstream {
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
}
