//! Channels in memory, and which of them leave it when there are too many.
//!
//! A channel that nobody is subscribed to or waits for is idle. The one idle for longest goes first: a durable one is
//! read again when it is touched, a buffered one begins a new epoch, honestly.

use std::collections::BTreeMap;

use trunkline_shared::frame::Refusal;
use trunkline_shared::rules::Class;
use trunkline_shared::{Channel, Epoch, Incarnation, Slot};

use super::Shard;
use super::admission::ChannelRules;
use super::channel::{ChannelState, Lag, Subscriber};

/// Idle channels, by the order in which they were touched last.
#[derive(Debug, Default)]
pub(super) struct Idle {
    pub(super) by_turn: BTreeMap<u64, (Slot, Channel)>,
    /// Touched by the input that is being worked on: not idle before it is done.
    touched: Vec<(Slot, Channel)>,
}

impl Shard {
    pub(super) fn channel_mut(
        &mut self,
        slot: Slot,
        channel: &Channel,
    ) -> Option<&mut ChannelState> {
        self.slots.get_mut(&slot)?.channels.get_mut(channel)
    }

    /// Makes sure that a channel is in memory; its head may still be on its way.
    pub(super) fn ensure_channel(
        &mut self,
        slot: Slot,
        channel: &Channel,
        rules: ChannelRules,
    ) -> Result<(), Refusal> {
        if self.channel_mut(slot, channel).is_none() {
            if self.totals.channels >= self.config.channels_max && !self.evict_one() {
                return Err(Refusal::Busy);
            }
            self.create_channel(slot, channel, rules.class);
        }
        self.touch(slot, channel);
        Ok(())
    }

    fn create_channel(&mut self, slot: Slot, channel: &Channel, class: Class) {
        let born = self.next_number();
        let buffered_epoch = match class {
            Class::Buffered => Epoch::new(self.random()),
            Class::Durable | Class::Ephemeral => Epoch::new(0),
        };
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        let created = match class {
            Class::Durable => ChannelState::durable(born, state.epoch),
            Class::Buffered => ChannelState::buffered(born, buffered_epoch),
            Class::Ephemeral => ChannelState::ephemeral(born),
        };
        state.channels.insert(channel.clone(), created);
        self.totals.channels += 1;
        match class {
            Class::Durable => self.want_head(slot, channel.clone()),
            Class::Buffered | Class::Ephemeral => {}
        }
    }

    /// Takes a channel out of the idle ones until the input is done.
    pub(super) fn touch(&mut self, slot: Slot, channel: &Channel) {
        let Some(state) = self
            .slots
            .get_mut(&slot)
            .and_then(|state| state.channels.get_mut(channel))
        else {
            return;
        };
        if let Some(turn) = state.idle.take() {
            self.idle.by_turn.remove(&turn);
        }
        if self
            .idle
            .touched
            .last()
            .is_none_or(|(_, last)| last != channel)
        {
            self.idle.touched.push((slot, channel.clone()));
        }
    }

    /// Decides for all touched channels whether they are idle.
    pub(super) fn settle_touched(&mut self) {
        for (slot, channel) in std::mem::take(&mut self.idle.touched) {
            let turn = self.next_number();
            let Some(state) = self.channel_mut(slot, &channel) else {
                continue;
            };
            if state.idle.is_none() && state.is_idle() {
                state.idle = Some(turn);
                self.idle.by_turn.insert(turn, (slot, channel));
            }
        }
    }

    fn evict_one(&mut self) -> bool {
        let Some((_, (slot, channel))) = self.idle.by_turn.pop_first() else {
            return false;
        };
        self.counters.evicted += 1;
        self.drop_channel(slot, &channel);
        true
    }

    pub(super) fn drop_channel(&mut self, slot: Slot, channel: &Channel) {
        let Some(state) = self
            .slots
            .get_mut(&slot)
            .and_then(|state| state.channels.remove(channel))
        else {
            return;
        };
        assert!(
            state.held == 0 && state.awaiting.is_empty(),
            "a channel is dropped that somebody waits for"
        );
        self.totals.channels -= 1;
        self.totals.orphans += state.reading;
        self.totals.ring_bytes -= state.log.as_ref().map_or(0, |log| log.bytes());
        if let Some(turn) = state.idle {
            self.idle.by_turn.remove(&turn);
        }
        for (edge, subscriber) in state.subscribers {
            self.unlink(edge, slot, channel, subscriber);
        }
    }

    /// Forgets on an edge's link that it is subscribed to a channel.
    pub(super) fn unlink(
        &mut self,
        edge: Incarnation,
        slot: Slot,
        channel: &Channel,
        was: Subscriber,
    ) {
        let Some(link) = self.edges.link_mut(edge) else {
            return;
        };
        link.subscriptions.remove(&(slot, channel.clone()));
        match was.lag {
            Some(Lag::Untold(turn)) => {
                link.lane_mut(slot).behind.remove(&turn);
            }
            Some(Lag::Told) | None => {}
        }
    }

    /// Lets idle channels go until a publication fits the rings; whether it does.
    pub(super) fn make_ring_room(&mut self, slot: Slot, channel: &Channel, weight: usize) -> bool {
        self.touch(slot, channel);
        while self.totals.ring_bytes + weight > self.config.ring_bytes_max_total {
            if !self.evict_one() {
                return false;
            }
        }
        true
    }
}
