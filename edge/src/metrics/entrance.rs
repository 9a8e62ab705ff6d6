//! Who came to the edge: connections at the gate, calls of the server API, readers of history pages; and its log.

use std::sync::atomic::{AtomicU64, Ordering};

use trunkline_telemetry::log_lines_lost;
use trunkline_telemetry::names::{edge, log};

use super::{Page, label};
use crate::gate::Gate;
use crate::history_pages::HistoryReport;

impl Page {
    /// Adds the gate.
    pub(crate) fn gate(&mut self, gate: &Gate) {
        self.gauge(edge::WEBSOCKETS, gate.sockets());
        self.gauge(edge::HTTP_CONNECTIONS, gate.http());
        let counters = gate.counters();
        self.counter(edge::ACCEPTED, now(&counters.accepted));
        self.counter(edge::UPGRADED, now(&counters.upgraded));
        self.counter(edge::ACCEPT_ERRORS, now(&counters.accept_errors));
        let handshakes = [
            ("done", &counters.tls_done),
            ("not_tls", &counters.tls_not_spoken),
            ("slow", &counters.tls_slow),
            ("failed", &counters.tls_failed),
        ];
        self.counters(
            edge::TLS_HANDSHAKES,
            handshakes
                .into_iter()
                .map(|(outcome, count)| (label("outcome", outcome), now(count))),
        );
        let refused = [
            ("full", &counters.refused_full),
            ("late", &counters.refused_late),
            ("draining", &counters.refused_draining),
            ("isolated", &counters.refused_isolated),
            ("origin", &counters.refused_origin),
            ("handshake", &counters.refused_handshake),
        ];
        self.counters(
            edge::REFUSED,
            refused
                .into_iter()
                .map(|(reason, count)| (label("reason", reason), now(count))),
        );
    }

    /// Adds the process's log.
    pub(crate) fn log(&mut self) {
        self.counter(log::LINES_LOST, log_lines_lost());
    }

    /// Adds the server API: method, outcome, calls.
    pub(crate) fn api(&mut self, calls: Vec<(&'static str, u32, u64)>) {
        let labels = |method: &str, outcome: u32| {
            vec![
                ("method", method.to_owned()),
                ("outcome", outcome.to_string()),
            ]
        };
        let calls = calls
            .into_iter()
            .map(|(method, outcome, count)| (labels(method, outcome), count));
        self.counters(edge::API_CALLS, calls);
    }

    /// Adds the history pages.
    pub(crate) fn history(&mut self, report: &HistoryReport) {
        let statuses = ["2xx", "3xx", "4xx", "5xx"]
            .into_iter()
            .zip(&report.statuses[2..])
            .map(|(class, count)| (label("status", class), *count));
        self.counters(edge::HISTORY_REQUESTS, statuses);
        let looks = [("hit", report.hits), ("miss", report.misses)];
        self.counters(
            edge::HISTORY_CACHE,
            looks
                .into_iter()
                .map(|(outcome, count)| (label("outcome", outcome), count)),
        );
        let questions = [("position", report.positions), ("page", report.pages)];
        self.counters(
            edge::HISTORY_QUESTIONS,
            questions
                .into_iter()
                .map(|(what, count)| (label("what", what), count)),
        );
        self.counter(edge::HISTORY_WAITS, report.waits);
        let bytes = usize::try_from(report.bytes).unwrap_or(usize::MAX);
        self.gauge(edge::HISTORY_CACHE_BYTES, bytes);
    }
}

fn now(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
