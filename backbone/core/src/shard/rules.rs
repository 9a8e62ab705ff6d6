//! New rules: what no longer fits them is forgotten, and the edges say it again.

use std::sync::Arc;

use trunkline_shared::rules::Rules;
use trunkline_shared::{Channel, Slot};

use super::Shard;

impl Shard {
    /// Takes rules unless they are older than those held.
    pub(super) fn on_rules(&mut self, rules: Arc<Rules>) {
        if self
            .rules
            .as_ref()
            .is_some_and(|ours| ours.version > rules.version)
        {
            return;
        }
        let first = self.rules.replace(rules).is_none();
        if first {
            return;
        }
        for slot in self.slots.keys().copied().collect::<Vec<_>>() {
            self.forget_misfits(slot);
        }
    }

    fn forget_misfits(&mut self, slot: Slot) {
        let Some(state) = self.slots.get(&slot) else {
            return;
        };
        // A namespace with data keeps its class and slots; what waits for an answer is finished under the old rules.
        let misfits: Vec<Channel> = state
            .channels
            .iter()
            .filter(|(_, state)| state.held == 0 && state.awaiting.is_empty() && state.reading == 0)
            .filter(|(name, state)| !self.fits(slot, name, state.class))
            .map(|(name, _)| name.clone())
            .collect();
        if !misfits.is_empty() {
            self.reset(slot);
        }
        for channel in misfits {
            self.drop_channel(slot, &channel);
        }
        self.forget_presence_misfits(slot);
    }

    fn fits(&self, slot: Slot, channel: &Channel, class: trunkline_shared::rules::Class) -> bool {
        self.rules_of(channel)
            .is_ok_and(|rules| rules.slot == slot && rules.class == class)
    }

    fn forget_presence_misfits(&mut self, slot: Slot) {
        let Some(state) = self.slots.get(&slot) else {
            return;
        };
        let kept = |channel: &&Channel| {
            self.rules_of(channel)
                .is_ok_and(|rules| rules.slot == slot && (rules.presence || rules.join_leave))
        };
        let misfits: Vec<Channel> = state
            .presence
            .keys()
            .filter(|name| !kept(name))
            .cloned()
            .collect();
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        for channel in misfits {
            self.totals.presence -= state
                .presence
                .remove(&channel)
                .map_or(0, |clients| clients.len());
        }
    }
}
