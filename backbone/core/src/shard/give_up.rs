//! Forgetting what a slot's edges were told, and giving up a slot that a view gives to another.

use std::collections::{BTreeSet, VecDeque};

use trunkline_shared::frame::{Refusal, ToEdge};
use trunkline_shared::rules::Class;
use trunkline_shared::{Now, Slot, ViewVersion};

use super::Shard;
use super::pending::{Flight, Held};
use crate::io::PartOutcome;

impl Shard {
    /// Forgets what is subscribed in a slot, and tells its edges.
    pub(super) fn reset(&mut self, slot: Slot) {
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        let mut edges = BTreeSet::new();
        let mut left = Vec::new();
        for (name, channel) in &mut state.channels {
            for (edge, subscriber) in std::mem::take(&mut channel.subscribers) {
                edges.insert(edge);
                left.push((edge, name.clone(), subscriber));
            }
        }
        for (edge, channel, subscriber) in left {
            self.unlink(edge, slot, &channel, subscriber);
            self.touch(slot, &channel);
        }
        for edge in edges {
            self.counters.resets += 1;
            self.edges
                .send(&mut self.outputs, edge, ToEdge::Reset { slot });
        }
    }

    /// Gives a slot up that isn't the node's in the view of `version`: at once, or when its append has ended.
    ///
    /// Until then its subscribers stay, so that what is committed is delivered.
    pub(super) fn give_up(&mut self, slot: Slot, version: ViewVersion) {
        self.counters.given_up += 1;
        self.refuse_everything(slot, Refusal::Moved { version });
        match self.slots.get_mut(&slot) {
            Some(state) if state.flight.is_some() => {
                state.is_leaving = true;
                self.views.unsettled.insert(slot);
            }
            Some(_) => self.drop_slot(slot),
            None => {}
        }
    }

    /// The append of a slot that was given up has ended: who has the slot now may repeat what wasn't committed.
    pub(super) fn land_leaving(
        &mut self,
        now: Now,
        slot: Slot,
        flight: Flight,
        outcome: &PartOutcome,
    ) {
        let version = self.views.version().unwrap_or_default();
        match outcome {
            PartOutcome::Committed => self.on_committed(now, slot, flight),
            PartOutcome::Refused(_) | PartOutcome::Failed(_) | PartOutcome::Unknown => {
                let all = flight.channels.into_values().flatten();
                self.refuse_held(slot, all, Refusal::Moved { version });
            }
        }
        self.drop_slot(slot);
        if self.views.gives(slot) {
            self.hold_slot(slot, version);
            self.ask_claim(now);
        }
        self.take_parked(now);
    }

    /// Drops a slot that nothing waits in.
    fn drop_slot(&mut self, slot: Slot) {
        self.reset(slot);
        let names: Vec<_> = self.slots[&slot].channels.keys().cloned().collect();
        for name in names {
            self.drop_channel(slot, &name);
        }
        self.look_ups.forget(slot);
        self.views.unsettled.remove(&slot);
        if let Some(state) = self.slots.remove(&slot) {
            self.totals.publish_ids -= state.ids.len();
            self.drop_keys(&state.keys);
            self.totals.presence -= state
                .presence
                .values()
                .map(|clients| clients.len())
                .sum::<usize>();
        }
    }

    /// Refuses everything that has no answer yet in a slot, but for what is in flight.
    fn refuse_everything(&mut self, slot: Slot, refusal: Refusal) {
        let all = self.take_back(slot, |_| true);
        self.refuse_held(slot, all, refusal);
        for name in self.unloaded(slot) {
            self.fail_load(slot, &name, refusal);
        }
    }

    /// Lets the edges send again what waits in a slot for the store, and publishes of which nobody knows.
    pub(super) fn send_back(&mut self, slot: Slot) {
        let durable = self.take_back(slot, |held| held.class == Class::Durable);
        self.refuse_held(slot, durable, Refusal::StaleView);
    }

    /// Takes out of a slot what was lost, and of what waits that which is meant.
    fn take_back(&mut self, slot: Slot, which: impl Fn(&Held) -> bool) -> Vec<Held> {
        let Some(state) = self.slots.get_mut(&slot) else {
            return Vec::new();
        };
        let lost = state.channels.values_mut();
        let mut taken: Vec<Held> = lost
            .flat_map(|channel| std::mem::take(&mut channel.lost))
            .collect();
        let (waiting, others): (VecDeque<_>, VecDeque<_>) =
            state.waiting.drain(..).partition(which);
        state.waiting = others;
        taken.extend(waiting);
        taken
    }

    /// Refuses what waits in a slot for the store, but not publishes of which nobody knows.
    pub(super) fn fail_waiting(&mut self, slot: Slot, refusal: Refusal) {
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        let is_durable = |held: &Held| held.class == Class::Durable;
        let (durable, others): (VecDeque<_>, VecDeque<_>) =
            state.waiting.drain(..).partition(is_durable);
        state.waiting = others;
        self.refuse_held(slot, durable, refusal);
        for name in self.unloaded(slot) {
            self.fail_load(slot, &name, refusal);
        }
    }
}
