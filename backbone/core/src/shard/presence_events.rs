//! Joins and leaves on their way to subscribed edges: in order, in batches, at most once.

use trunkline_shared::frame::{PresenceEvent, ToEdge};
use trunkline_shared::limits::PIECE_BYTES_MAX;
use trunkline_shared::{Channel, Incarnation, Slot};

use super::Shard;
use super::presence::Events;
use super::presence_answers::ENTRY_BYTES;

impl Shard {
    /// Tells every subscribed edge, where the namespace wants it; what doesn't fit a lane is dropped.
    pub(super) fn send_events(&mut self, slot: Slot, events: Events) {
        for (channel, events) in events {
            if !self.rules_of(&channel).is_ok_and(|rules| rules.join_leave) {
                continue;
            }
            let Some(state) = self
                .slots
                .get(&slot)
                .and_then(|state| state.channels.get(&channel))
            else {
                continue;
            };
            let edges: Vec<_> = state.subscribers.keys().copied().collect();
            for batch in batches(events) {
                for edge in &edges {
                    self.send_batch(*edge, slot, &channel, batch.clone());
                }
            }
        }
    }

    fn send_batch(
        &mut self,
        edge: Incarnation,
        slot: Slot,
        channel: &Channel,
        events: Vec<PresenceEvent>,
    ) {
        let count = events.len() as u64;
        let frame = ToEdge::PresenceEvents {
            slot,
            channel: channel.clone(),
            events,
        };
        if self.edges.try_send(&mut self.outputs, edge, frame) {
            self.counters.presence_events += count;
        } else {
            self.counters.presence_events_dropped += count;
        }
    }
}

/// Cuts events into frames of a piece's size.
fn batches(events: Vec<PresenceEvent>) -> Vec<Vec<PresenceEvent>> {
    let mut batches = vec![Vec::new()];
    let mut bytes = 0;
    for event in events {
        let weight = ENTRY_BYTES + event.client.weight();
        let batch = batches.last_mut().expect("there is always one");
        if bytes + weight > PIECE_BYTES_MAX && !batch.is_empty() {
            bytes = 0;
            batches.push(vec![event]);
        } else {
            batch.push(event);
        }
        bytes += weight;
    }
    batches
}
