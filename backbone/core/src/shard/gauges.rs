//! What a shard holds, for metrics.

use super::Shard;
use crate::counters::Gauges;

impl Shard {
    /// What the shard holds at the moment.
    pub fn gauges(&self) -> Gauges {
        let links = || {
            self.edges
                .by_life
                .values()
                .filter_map(|edge| edge.link.as_ref())
        };
        Gauges {
            slots: self.slots.len(),
            claiming: self
                .slots
                .values()
                .filter(|state| !state.is_ready())
                .count(),
            moving: self.views.unsettled.len(),
            edges: self.edges.by_life.len(),
            links: self.edges.links(),
            channels: self.totals.channels,
            idle_channels: self.idle.by_turn.len(),
            subscriptions: links().map(|link| link.subscriptions.len()).sum(),
            ring_bytes: self.totals.ring_bytes,
            waiting_bytes: self.totals.waiting_bytes,
            parked_bytes: self.parked.bytes(),
            publish_ids: self.totals.publish_ids,
            keys: self.totals.keys,
            key_bytes: self.totals.key_bytes,
            requests: self.totals.requests,
            presence: self.totals.presence,
            queued_bytes: links()
                .flat_map(|link| &link.lanes)
                .map(|lane| lane.account.bytes())
                .sum(),
        }
    }
}
