//! The channels that the workers want, merged: what an owner sees as one subscriber.

use std::collections::{BTreeMap, BTreeSet};

use trunkline_shared::{Channel, Instant, Slot};

use super::channel_state::{ChannelState, Waiter};
use super::coldest::Coldest;
use super::ring::Ring;

/// The table of channels.
#[derive(Debug, Default)]
pub(super) struct Interest {
    channels: BTreeMap<Channel, ChannelState>,
    slots: BTreeMap<Slot, BTreeSet<Channel>>,
    lingering: BTreeSet<(Instant, Channel)>,
    coldest: Coldest,
    rings_bytes: usize,
    waiters: usize,
}

impl Interest {
    pub(super) fn len(&self) -> usize {
        self.channels.len()
    }

    pub(super) fn live(&self) -> usize {
        self.channels
            .values()
            .filter(|state| state.is_live())
            .count()
    }

    pub(super) fn lingering(&self) -> usize {
        self.lingering.len()
    }

    pub(super) const fn waiters(&self) -> usize {
        self.waiters
    }

    pub(super) fn rings(&self) -> usize {
        self.coldest.len()
    }

    pub(super) const fn rings_bytes(&self) -> usize {
        self.rings_bytes
    }

    pub(super) fn get(&self, channel: &Channel) -> Option<&ChannelState> {
        self.channels.get(channel)
    }

    pub(super) fn get_mut(&mut self, channel: &Channel) -> Option<&mut ChannelState> {
        self.channels.get_mut(channel)
    }

    pub(super) fn insert(&mut self, channel: Channel, slot: Slot) {
        self.slots.entry(slot).or_default().insert(channel.clone());
        self.channels.insert(channel, ChannelState::new(slot));
    }

    pub(super) fn remove(&mut self, channel: &Channel) -> Option<ChannelState> {
        let mut state = self.channels.remove(channel)?;
        self.rings_bytes -= state.ring.bytes();
        self.waiters -= state.waiters.len();
        if let Some(until) = state.linger {
            self.lingering.remove(&(until, channel.clone()));
        }
        self.coldest.forget(channel, &mut state.ring_used);
        self.leave_slot(state.slot, channel);
        Some(state)
    }

    fn leave_slot(&mut self, slot: Slot, channel: &Channel) {
        if let Some(channels) = self.slots.get_mut(&slot) {
            channels.remove(channel);
            if channels.is_empty() {
                self.slots.remove(&slot);
            }
        }
    }

    /// Gives a channel another slot, by new rules.
    pub(super) fn reslot(&mut self, channel: &Channel, slot: Slot) {
        let Some(state) = self.channels.get_mut(channel) else {
            return;
        };
        let before = std::mem::replace(&mut state.slot, slot);
        self.leave_slot(before, channel);
        self.slots.entry(slot).or_default().insert(channel.clone());
    }

    pub(super) fn of_slot(&self, slot: Slot) -> Vec<Channel> {
        self.slots
            .get(&slot)
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    /// The channels of a lane, with their slots.
    pub(super) fn of_lane(&self, lane: u8) -> impl Iterator<Item = (Slot, &Channel)> {
        let lanes = trunkline_shared::limits::LANES;
        let slots = self
            .slots
            .iter()
            .filter(move |(slot, _)| slot.lane(lanes) == lane);
        slots.flat_map(|(slot, channels)| channels.iter().map(|channel| (*slot, channel)))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&Channel, &ChannelState)> {
        self.channels.iter()
    }

    pub(super) fn add_waiter(&mut self, channel: &Channel, waiter: Waiter) {
        if let Some(state) = self.channels.get_mut(channel) {
            state.waiters.push(waiter);
            self.waiters += 1;
        }
    }

    /// Takes out the waiters for which `is_done` holds.
    pub(super) fn take_waiters(
        &mut self,
        channel: &Channel,
        is_done: impl FnMut(&mut Waiter) -> bool,
    ) -> Vec<Waiter> {
        let Some(state) = self.channels.get_mut(channel) else {
            return Vec::new();
        };
        let done: Vec<Waiter> = state.waiters.extract_if(.., is_done).collect();
        self.waiters -= done.len();
        done
    }

    pub(super) fn linger(&mut self, channel: &Channel, until: Instant) {
        if let Some(state) = self.channels.get_mut(channel) {
            state.linger = Some(until);
            self.lingering.insert((until, channel.clone()));
        }
    }

    /// Ends that a channel lingers; returns when it would have ended.
    pub(super) fn end_linger(&mut self, channel: &Channel) -> Option<Instant> {
        let until = self.channels.get_mut(channel)?.linger.take()?;
        self.lingering.remove(&(until, channel.clone()));
        Some(until)
    }

    pub(super) fn oldest_lingering(&self) -> Option<Channel> {
        self.lingering.first().map(|(_, channel)| channel.clone())
    }

    pub(super) fn has_waiters(&self, channel: &Channel) -> bool {
        self.channels
            .get(channel)
            .is_some_and(|state| !state.waiters.is_empty())
    }

    /// Changes a channel's ring, and counts its bytes.
    pub(super) fn change_ring(&mut self, channel: &Channel, change: impl FnOnce(&mut Ring)) {
        let Some(state) = self.channels.get_mut(channel) else {
            return;
        };
        self.rings_bytes -= state.ring.bytes();
        change(&mut state.ring);
        self.rings_bytes += state.ring.bytes();
        if state.ring.bytes() == 0 {
            self.coldest.forget(channel, &mut state.ring_used);
        }
    }

    /// Notes that a channel's ring has grown or answered somebody.
    pub(super) fn use_ring(&mut self, channel: &Channel, now: Instant) {
        let state = self.channels.get_mut(channel);
        if let Some(state) = state.filter(|state| state.ring.bytes() > 0) {
            self.coldest.touch(channel, &mut state.ring_used, now);
        }
    }

    /// Empties the ring that was used longest ago; false when none holds anything.
    pub(super) fn evict_ring(&mut self) -> bool {
        let Some(channel) = self.coldest.first() else {
            return false;
        };
        self.change_ring(&channel, Ring::clear);
        true
    }

    /// Checks the indexes against the channels.
    ///
    /// # Panics
    /// When they differ.
    pub(super) fn check_invariants(&self) {
        let in_slots: usize = self.slots.values().map(BTreeSet::len).sum();
        assert_eq!(in_slots, self.channels.len(), "each channel is in one slot");
        let lingering = self
            .channels
            .values()
            .filter(|state| state.linger.is_some())
            .count();
        assert_eq!(
            lingering,
            self.lingering.len(),
            "lingering channels are known"
        );
        let bytes: usize = self.channels.values().map(|state| state.ring.bytes()).sum();
        assert_eq!(bytes, self.rings_bytes, "bytes of rings are counted");
        let used = |(channel, state): (&Channel, &ChannelState)| {
            assert_eq!(
                state.ring_used.is_some(),
                state.ring.bytes() > 0,
                "a ring that holds something has been used"
            );
            self.coldest.knows(channel, state.ring_used)
        };
        let known = self.channels.iter().filter(|entry| used(*entry)).count();
        assert_eq!(known, self.coldest.len(), "rings stand in the order of use");
        let waiters: usize = self
            .channels
            .values()
            .map(|state| state.waiters.len())
            .sum();
        assert_eq!(waiters, self.waiters, "waiters are counted");
        for (channel, state) in &self.channels {
            assert!(
                self.slots[&state.slot].contains(channel),
                "a channel is in its slot"
            );
        }
    }
}
