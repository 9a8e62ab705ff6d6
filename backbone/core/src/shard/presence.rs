//! Presence: who is connected to a channel, as the edges report it.
//!
//! The entry of a connection belongs to the edge that stated it last. What an edge doesn't restate in a snapshot, or
//! within the debounce after it came back, has left; so has everything of an edge that stays dead.

use std::collections::BTreeMap;

use trunkline_shared::frame::{PresenceChange, PresenceChanges, PresenceEvent, PresenceSnapshot};
use trunkline_shared::{Channel, ClientInfo, Incarnation, Slot};

use super::Shard;
use super::edges::Caller;

/// A connection that is present.
#[derive(Debug)]
pub(super) struct Present {
    pub(super) info: ClientInfo,
    /// The edge that holds it.
    pub(super) edge: Incarnation,
    /// The number at which its edge stated it last.
    stated: u64,
}

/// Joins and leaves of one step, by channel.
pub(super) type Events = BTreeMap<Channel, Vec<PresenceEvent>>;

impl Shard {
    pub(super) fn on_presence_changes(&mut self, caller: Caller, changes: PresenceChanges) {
        let mut events = Events::new();
        for PresenceChange {
            channel,
            client,
            joined,
        } in changes.changes
        {
            if !self.keeps_presence(changes.slot, &channel) {
                self.counters.ignored_frames += 1;
            } else if joined {
                self.join(caller.edge, changes.slot, channel, client, &mut events);
            } else {
                self.leave(caller.edge, changes.slot, channel, client, &mut events);
            }
        }
        self.send_events(changes.slot, events);
    }

    pub(super) fn on_presence_snapshot(&mut self, caller: Caller, snapshot: PresenceSnapshot) {
        let PresenceSnapshot {
            slot,
            first,
            last,
            entries,
        } = snapshot;
        let number = self.next_number();
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        if first {
            state.snapshots.insert(caller.edge, number);
        }
        let mut events = Events::new();
        for (channel, client) in entries {
            if self.keeps_presence(slot, &channel) {
                self.join(caller.edge, slot, channel, client, &mut events);
            } else {
                self.counters.ignored_frames += 1;
            }
        }
        let began = self
            .slots
            .get_mut(&slot)
            .filter(|_| last)
            .and_then(|state| state.snapshots.remove(&caller.edge));
        if let Some(began) = began {
            self.leave_unstated(slot, caller.edge, began, &mut events);
        }
        self.send_events(slot, events);
    }

    /// Everything of an edge leaves that it stated before a number.
    pub(super) fn leave_all(&mut self, edge: Incarnation, stated_before: u64) {
        let slots: Vec<_> = self.slots.keys().copied().collect();
        for slot in slots {
            let mut events = Events::new();
            self.leave_unstated(slot, edge, stated_before, &mut events);
            self.send_events(slot, events);
        }
    }

    fn keeps_presence(&self, slot: Slot, channel: &Channel) -> bool {
        let rules = self
            .rules_of(channel)
            .ok()
            .filter(|rules| rules.presence || rules.join_leave);
        rules.is_some_and(|rules| self.admit(slot, rules).is_ok())
    }

    fn join(
        &mut self,
        edge: Incarnation,
        slot: Slot,
        channel: Channel,
        info: ClientInfo,
        events: &mut Events,
    ) {
        let stated = self.next_number();
        let full = self.totals.presence >= self.config.presence_max;
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        let here = state.presence.get(&channel).map_or(0, BTreeMap::len);
        let present = state
            .presence
            .get_mut(&channel)
            .and_then(|clients| clients.get_mut(&info.client));
        if let Some(present) = present {
            *present = Present { info, edge, stated };
            return;
        }
        if full || here >= self.config.presence_per_channel_max {
            self.counters.presence_refused += 1;
            return;
        }
        self.totals.presence += 1;
        let clients = state.presence.entry(channel.clone()).or_default();
        clients.insert(
            info.client.clone(),
            Present {
                info: info.clone(),
                edge,
                stated,
            },
        );
        events.entry(channel).or_default().push(PresenceEvent {
            client: info,
            joined: true,
        });
    }

    fn leave(
        &mut self,
        edge: Incarnation,
        slot: Slot,
        channel: Channel,
        info: ClientInfo,
        events: &mut Events,
    ) {
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        let Some(clients) = state.presence.get_mut(&channel) else {
            return;
        };
        if clients
            .get(&info.client)
            .is_none_or(|present| present.edge != edge)
        {
            return;
        }
        clients.remove(&info.client);
        if clients.is_empty() {
            state.presence.remove(&channel);
        }
        self.totals.presence -= 1;
        events.entry(channel).or_default().push(PresenceEvent {
            client: info,
            joined: false,
        });
    }

    fn leave_unstated(&mut self, slot: Slot, edge: Incarnation, before: u64, events: &mut Events) {
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        let mut left = 0;
        for (channel, clients) in &mut state.presence {
            for (_, gone) in clients.extract_if(.., |_, present| {
                present.edge == edge && present.stated < before
            }) {
                left += 1;
                let event = PresenceEvent {
                    client: gone.info,
                    joined: false,
                };
                events.entry(channel.clone()).or_default().push(event);
            }
        }
        state.presence.retain(|_, clients| !clients.is_empty());
        self.totals.presence -= left;
    }
}
