//! What a node's machines have counted.

use crate::mesh::{Covered, Mesh};

impl Mesh {
    /// Counts what a node's machines have counted.
    pub(in crate::mesh) fn fold_node_counters(&mut self, node: usize) {
        let Some(machines) = &self.nodes[node].machines else {
            return;
        };
        for shard in &machines.shards {
            let counters = shard.counters();
            let counted = [
                (Covered::RepeatFound, counters.repeats_found),
                (Covered::KeyFound, counters.keys_found),
                (Covered::KeyHeld, counters.keys_held),
                (Covered::Lag, counters.lags),
                (Covered::EphemeralDropped, counters.ephemeral_dropped),
                (Covered::SlotGivenUp, counters.given_up),
            ];
            for (event, times) in counted {
                self.coverage.add(event, times);
            }
        }
        self.fold_membership_counters(node);
    }

    /// Counts what the membership of a life has counted.
    pub(super) fn fold_membership_counters(&mut self, node: usize) {
        let Some(machines) = &self.nodes[node].machines else {
            return;
        };
        let counters = machines.membership.counters();
        let counted = [
            (Covered::LeaseLost, counters.leases_lost),
            (Covered::HeartbeatLate, counters.heartbeats_late),
            (Covered::ViewOutrun, counters.views_outrun),
            (Covered::ViewBelieved, counters.views_believed),
            (Covered::StepPassedOver, counters.steps_passed_over),
        ];
        for (event, times) in counted {
            self.coverage.add(event, times);
        }
    }
}
