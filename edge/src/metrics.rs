//! What `/metrics` shows: the numbers of all parts, folded together when they are asked for.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use trunkline_edge_core::upstream as core;
use trunkline_edge_core::worker::WorkerStats;
use trunkline_link::LinkCounters;
use trunkline_telemetry::Metric;
use trunkline_telemetry::names::{edge, link, upstream};

use crate::gate::Gate;
use crate::upstream_task::UpstreamReport;
use crate::worker_thread::WorkerReport;

/// Labels of one value; every label has few values.
type Labels = Vec<(&'static str, String)>;

#[derive(Clone, Copy, Debug)]
enum Value {
    Counter(u64),
    Gauge(f64),
}

/// The numbers of one moment, by metric.
#[derive(Debug, Default)]
pub(crate) struct Page(Vec<(Metric, Vec<(Labels, Value)>)>);

impl Page {
    /// The page as OpenMetrics text.
    pub(crate) fn text(self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        encode(&mut text, &registry).expect("writing to a string doesn't fail");
        text
    }

    fn counter(&mut self, metric: Metric, value: u64) {
        self.0
            .push((metric, vec![(Vec::new(), Value::Counter(value))]));
    }

    fn gauge(&mut self, metric: Metric, value: usize) {
        self.0
            .push((metric, vec![(Vec::new(), Value::Gauge(value as f64))]));
    }

    fn counters(&mut self, metric: Metric, values: impl Iterator<Item = (Labels, u64)>) {
        self.0.push((
            metric,
            values
                .map(|(labels, value)| (labels, Value::Counter(value)))
                .collect(),
        ));
    }

    fn gauges(&mut self, metric: Metric, values: impl Iterator<Item = (Labels, f64)>) {
        self.0.push((
            metric,
            values
                .map(|(labels, value)| (labels, Value::Gauge(value)))
                .collect(),
        ));
    }

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
        let mut sum = |metric, of: fn(&trunkline_edge_core::worker::Counters) -> u64| {
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
        let mut closes = std::collections::BTreeMap::<u16, u64>::new();
        let mut errors = std::collections::BTreeMap::<u32, u64>::new();
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

    /// Adds the gate.
    pub(crate) fn gate(&mut self, gate: &Gate) {
        self.gauge(edge::WEBSOCKETS, gate.sockets());
        self.gauge(edge::HTTP_CONNECTIONS, gate.http());
        let counters = gate.counters();
        self.counter(edge::ACCEPTED, now(&counters.accepted));
        self.counter(edge::UPGRADED, now(&counters.upgraded));
        self.counter(edge::ACCEPT_ERRORS, now(&counters.accept_errors));
        let refused = [
            ("full", &counters.refused_full),
            ("late", &counters.refused_late),
            ("draining", &counters.refused_draining),
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

    /// Adds the way upstream and its links.
    pub(crate) fn upstream(&mut self, report: &UpstreamReport) {
        self.gauge(edge::READY, usize::from(report.readiness.ready));
        self.gauge(edge::STORE_AWAY, usize::from(report.readiness.store_away));
        self.upstream_gauges(&report.gauges);
        self.upstream_counters(&report.counters);
        self.links(&report.links);
    }

    fn upstream_gauges(&mut self, gauges: &core::Gauges) {
        self.gauge(upstream::LINKS, gauges.links);
        self.gauge(upstream::CHANNELS, gauges.channels);
        self.gauge(upstream::CHANNELS_LIVE, gauges.channels_live);
        self.gauge(upstream::CHANNELS_LINGERING, gauges.channels_lingering);
        self.gauge(upstream::RINGS_BYTES, gauges.rings_bytes);
        self.gauge(upstream::UNANSWERED, gauges.unanswered);
        self.gauge(upstream::UNANSWERED_BYTES, gauges.unanswered_bytes);
        self.gauge(upstream::REQUESTS_OPEN, gauges.requests);
        self.gauge(upstream::WAITERS, gauges.waiters);
        self.gauge(upstream::PARKED, gauges.parked);
        self.gauge(upstream::PRESENCES, gauges.presences);
        self.gauge(upstream::LANES_BYTES, gauges.lanes_bytes);
        self.gauge(upstream::EPHEMERAL_BYTES, gauges.ephemeral_bytes);
        self.gauge(upstream::CONTROL_BYTES, gauges.control_bytes);
        self.gauge(upstream::ANSWER_ROOM_BYTES, gauges.answer_room_bytes);
        self.gauge(upstream::WORKERS_BYTES, gauges.workers_bytes);
    }

    fn upstream_counters(&mut self, counters: &core::Counters) {
        self.counter(upstream::PUBLISHES, counters.publishes);
        self.counter(
            upstream::PUBLISHES_REFUSED_FULL,
            counters.publishes_refused_full,
        );
        self.counter(upstream::REPEATS, counters.repeats);
        self.counter(upstream::PUBLISHES_EXPIRED, counters.publishes_expired);
        self.counter(upstream::EPHEMERAL_DROPPED, counters.ephemeral_dropped);
        self.counter(upstream::REQUESTS, counters.requests);
        self.counter(
            upstream::REQUESTS_REFUSED_FULL,
            counters.requests_refused_full,
        );
        self.counter(upstream::REQUESTS_EXPIRED, counters.requests_expired);
        self.counter(upstream::ASKED_AGAIN, counters.asked_again);
        self.counter(upstream::ANSWERS_UNKNOWN, counters.answers_unknown);
        self.counter(upstream::FRAMES_IGNORED, counters.frames_ignored);
        self.counter(
            upstream::VIEWS_OR_RULES_INVALID,
            counters.views_or_rules_invalid,
        );
        self.counter(upstream::CONTROL_DROPPED, counters.control_dropped);
        self.counter(upstream::SUBSCRIBES_SENT, counters.subscribes_sent);
        self.counter(upstream::PUBLICATIONS, counters.publications);
        self.counter(upstream::PUSHES_FOREIGN, counters.pushes_foreign);
        self.counter(upstream::PUSHES_OLD, counters.pushes_old);
        self.counter(upstream::PUSHES_BEYOND, counters.pushes_beyond);
        self.counter(upstream::WORKER_DROPPED, counters.worker_dropped);
        self.counter(upstream::WORKER_LAGS, counters.worker_lags);
        self.counter(upstream::LAGS, counters.lags);
        self.counter(upstream::PULLS, counters.pulls);
        self.counter(upstream::GAPS, counters.gaps);
        self.counter(upstream::EPOCH_CHANGES, counters.epoch_changes);
        self.counter(upstream::RESETS, counters.resets);
        self.counter(upstream::RECOVERED, counters.recovered);
        self.counter(upstream::NOT_RECOVERED, counters.not_recovered);
        self.counter(upstream::RINGS_EVICTED, counters.rings_evicted);
        self.counter(upstream::LINGERS_CUT, counters.lingers_cut);
        self.counter(upstream::PRESENCES_REFUSED, counters.presences_refused);
        self.counter(upstream::SNAPSHOTS, counters.snapshots);
        self.counter(upstream::POSITIONS_HEALED, counters.positions_healed);
    }

    fn links(&mut self, links: &[(String, LinkCounters)]) {
        let each = |of: fn(&LinkCounters) -> u64| {
            links
                .iter()
                .map(move |(node, counters)| (label("peer", node), of(counters)))
        };
        self.counters(link::FRAMES_IN, each(|counters| counters.frames_in));
        self.counters(link::FRAMES_OUT, each(|counters| counters.frames_out));
        self.counters(link::BYTES_IN, each(|counters| counters.bytes_in));
        self.counters(link::BYTES_OUT, each(|counters| counters.bytes_out));
        self.counters(
            link::EPHEMERAL_DROPPED,
            each(|counters| counters.ephemeral_dropped),
        );
        self.counters(link::LOST_PACKETS, each(|counters| counters.lost_packets));
        let each = |of: fn(&LinkCounters) -> f64| {
            links
                .iter()
                .map(move |(node, counters)| (label("peer", node), of(counters)))
        };
        self.gauges(
            link::QUEUED_BYTES,
            each(|counters| counters.queued_bytes as f64),
        );
        self.gauges(
            link::CONGESTION_WINDOW,
            each(|counters| counters.congestion_window as f64),
        );
        self.gauges(link::RTT, each(|counters| counters.rtt.as_secs_f64()));
    }
}

fn label(name: &'static str, value: impl ToString) -> Labels {
    vec![(name, value.to_string())]
}

fn now(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Value {
    fn kind(self) -> MetricType {
        match self {
            Self::Counter(value) => ConstCounter::new(value).metric_type(),
            Self::Gauge(value) => ConstGauge::new(value).metric_type(),
        }
    }

    fn encode(self, encoder: MetricEncoder<'_>) -> fmt::Result {
        match self {
            Self::Counter(value) => ConstCounter::new(value).encode(encoder),
            Self::Gauge(value) => ConstGauge::new(value).encode(encoder),
        }
    }
}

impl Collector for Page {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (metric, values) in &self.0 {
            let Some((_, first)) = values.first() else {
                continue;
            };
            let mut family =
                encoder.encode_descriptor(metric.name, metric.help, None, first.kind())?;
            if let [(labels, value)] = values.as_slice()
                && labels.is_empty()
            {
                value.encode(family)?;
                continue;
            }
            for (labels, value) in values {
                value.encode(family.encode_family(labels)?)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn text() -> String {
        let mut page = Page::default();
        let mut worker = WorkerReport {
            lag: Duration::from_millis(5),
            ..WorkerReport::default()
        };
        worker.stats.clients = 2;
        worker.stats.counters.closes.insert(3001, 4);
        page.workers(&[worker.clone(), worker]);
        page.gate(&Gate::new(1, 1));
        page.api(vec![("publish", 0, 3), ("publish", 102, 1)]);
        let links = vec![(
            "backbone-1".to_owned(),
            LinkCounters {
                frames_in: 9,
                ..LinkCounters::default()
            },
        )];
        page.upstream(&UpstreamReport {
            links,
            ..UpstreamReport::default()
        });
        page.text()
    }

    #[test]
    fn workers_are_added_up_and_labels_are_shown() {
        let text = text();
        for line in [
            "trunkline_edge_clients 4.0",
            "trunkline_edge_closes_total{code=\"3001\"} 8",
            "trunkline_edge_worker_lag_seconds{worker=\"1\"} 0.005",
            "trunkline_edge_api_calls_total{method=\"publish\",outcome=\"102\"} 1",
            "trunkline_link_frames_in_total{peer=\"backbone-1\"} 9",
            "trunkline_upstream_unanswered_bytes 0.0",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn the_page_shows_every_name_and_no_other() {
        let text = text();
        let shown = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
        let mut shown: Vec<&str> = shown.collect();
        let mut known: Vec<&str> = [edge::ALL, upstream::ALL, link::ALL]
            .concat()
            .iter()
            .map(|metric| metric.name)
            .collect();
        // No command has failed in this test, and a metric without a value isn't shown.
        known.retain(|name| *name != edge::ERRORS.name);
        shown.sort_unstable();
        known.sort_unstable();
        assert_eq!(shown, known);
    }
}
