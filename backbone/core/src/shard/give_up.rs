//! Forgetting what a slot's edges were told, and giving up a slot that another owns.

use std::collections::{BTreeSet, VecDeque};

use trunkline_shared::frame::{Refusal, ToEdge};
use trunkline_shared::rules::Class;
use trunkline_shared::{Slot, ViewVersion};

use super::Shard;
use super::pending::Held;

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

    /// Gives a slot up: another owns it in the view of `version`.
    pub(super) fn give_up(&mut self, slot: Slot, version: ViewVersion) {
        self.counters.given_up += 1;
        self.reset(slot);
        self.fail_waiting(slot, Refusal::Moved { version });
        self.drop_slot(slot, version);
    }

    fn drop_slot(&mut self, slot: Slot, version: ViewVersion) {
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        let mut rest: Vec<Held> = state.waiting.drain(..).collect();
        rest.extend(
            state
                .channels
                .values_mut()
                .flat_map(|channel| std::mem::take(&mut channel.lost)),
        );
        self.refuse_held(slot, rest, Refusal::Moved { version });
        let names: Vec<_> = self.slots[&slot].channels.keys().cloned().collect();
        for name in names {
            self.drop_channel(slot, &name);
        }
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
