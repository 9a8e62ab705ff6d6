//! What the workers have and have done, added up.

use std::collections::BTreeMap;

use trunkline_edge_core::worker::{Counters, WorkerStats};
use trunkline_telemetry::names::edge;

use super::{Page, label};
use crate::worker_thread::WorkerReport;

impl Page {
    /// Adds the workers, together.
    pub(crate) fn workers(&mut self, reports: &[WorkerReport]) {
        let lags = reports.iter().enumerate();
        self.gauges(
            edge::LAG,
            lags.map(|(place, report)| (label("worker", place), report.lag.as_secs_f64())),
        );
        let stats: Vec<&WorkerStats> = reports.iter().map(|report| &report.stats).collect();
        self.worker_gauges(&stats);
        self.worker_counters(&stats);
        self.worker_codes(&stats);
    }

    fn worker_gauges(&mut self, stats: &[&WorkerStats]) {
        let mut sum = |metric, of: fn(&WorkerStats) -> usize| {
            self.gauge(metric, stats.iter().map(|s| of(s)).sum())
        };
        sum(edge::CLIENTS, |stats| stats.clients);
        sum(edge::USERS, |stats| stats.users);
        sum(edge::SOCKETS, |stats| stats.sockets);
        sum(edge::CHANNELS, |stats| stats.channels);
        sum(edge::SUBSCRIPTIONS, |stats| stats.subscriptions);
        sum(edge::COMMANDS_IN_FLIGHT, |stats| stats.commands_in_flight);
        sum(edge::OUTBOX_BYTES, |stats| stats.outbox_bytes);
        sum(edge::TIMERS, |stats| stats.timers);
    }

    fn worker_counters(&mut self, stats: &[&WorkerStats]) {
        let mut sum = |metric, of: fn(&Counters) -> u64| {
            self.counter(metric, stats.iter().map(|stats| of(&stats.counters)).sum());
        };
        sum(edge::MESSAGES_IN, |counters| counters.messages_in);
        sum(edge::COMMANDS, |counters| counters.commands);
        sum(edge::FRAMES_OUT, |counters| counters.frames_out);
        sum(edge::BYTES_OUT, |counters| counters.bytes_out);
        sum(edge::PUBLICATIONS_OUT, |counters| counters.publications_out);
        sum(edge::CONNECTS, |counters| counters.connects);
        sum(edge::RECOVERED, |counters| counters.recovered);
        sum(edge::UNRECOVERED, |counters| counters.unrecovered);
        sum(edge::UNFIT_RECOVERIES, |counters| counters.unfit_recoveries);
        sum(edge::INSUFFICIENT_STATES, |counters| {
            counters.insufficient_states
        });
        sum(edge::GAPS, |counters| counters.gaps);
        sum(edge::EPOCH_CHANGES, |counters| counters.epoch_changes);
        sum(edge::OVERFLOWS, |counters| counters.overflows);
        sum(edge::STRAY_PUBLICATIONS, |counters| {
            counters.stray_publications
        });
        sum(edge::UNKNOWN_ANSWERS, |counters| counters.unknown_answers);
    }

    fn worker_codes(&mut self, stats: &[&WorkerStats]) {
        let mut closes = BTreeMap::<u16, u64>::new();
        let mut errors = BTreeMap::<u32, u64>::new();
        for stats in stats {
            stats
                .counters
                .closes
                .iter()
                .for_each(|(code, count)| *closes.entry(*code).or_default() += count);
            stats
                .counters
                .errors
                .iter()
                .for_each(|(code, count)| *errors.entry(*code).or_default() += count);
        }
        self.counters(
            edge::CLOSES,
            closes
                .into_iter()
                .map(|(code, count)| (label("code", code), count)),
        );
        self.counters(
            edge::ERRORS,
            errors
                .into_iter()
                .map(|(code, count)| (label("code", code), count)),
        );
    }
}
