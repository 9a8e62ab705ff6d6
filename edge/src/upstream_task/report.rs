//! How the way upstream is: for metrics, and for whoever sends clients here.

use tracing::info;

use super::{UpstreamReport, UpstreamTask};
use crate::health::Readiness;

/// Why an edge that stops isn't ready.
const STOPPING: &str = "stopping";

impl UpstreamTask {
    pub(super) fn report(&self) -> UpstreamReport {
        let links = self
            .links
            .values()
            .map(|(node, sender)| (node.clone(), sender.counters()));
        UpstreamReport {
            inbox_bytes: self.inbox.bytes(),
            counters: *self.machine.counters(),
            gauges: self.machine.gauges(),
            readiness: self.readiness(),
            links: links.collect(),
        }
    }

    fn readiness(&self) -> Readiness {
        let reasons = self
            .machine
            .readiness()
            .into_iter()
            .chain(self.stopping.then_some(STOPPING));
        Readiness::new(
            reasons.map(ToOwned::to_owned).collect(),
            self.machine.store_away(),
        )
    }

    pub(super) fn tell_readiness(&self) {
        let now = self.readiness();
        self.outlets.readiness.send_if_modified(|known| {
            let changed = *known != now;
            if changed {
                info!(ready = now.ready, reasons = ?now.reasons, store_away = now.store_away, "readiness");
                *known = now;
            }
            changed
        });
    }
}
