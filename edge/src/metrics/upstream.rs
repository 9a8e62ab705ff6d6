//! What the way upstream and its links have and have done.

use trunkline_edge_core::upstream::{Counters, Gauges};
use trunkline_link::LinkCounters;
use trunkline_telemetry::names::{edge, link, upstream};

use super::{Page, label};
use crate::upstream_task::UpstreamReport;

impl Page {
    /// Adds the way upstream and its links.
    pub(crate) fn upstream(&mut self, report: &UpstreamReport) {
        self.gauge(edge::READY, usize::from(report.readiness.ready));
        self.gauge(edge::STORE_AWAY, usize::from(report.readiness.store_away));
        self.gauge(edge::ISOLATED, usize::from(report.gauges.isolated));
        self.upstream_gauges(&report.gauges);
        self.upstream_counters(&report.counters);
        self.gauge(upstream::INBOX_BYTES, report.inbox_bytes);
        self.links(&report.links);
    }

    fn upstream_gauges(&mut self, gauges: &Gauges) {
        self.gauge(upstream::LINKS, gauges.links);
        self.gauge(upstream::CHANNELS, gauges.channels);
        self.gauge(upstream::CHANNELS_LIVE, gauges.channels_live);
        self.gauge(upstream::CHANNELS_LINGERING, gauges.channels_lingering);
        self.gauge(upstream::RINGS, gauges.rings);
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

    fn upstream_counters(&mut self, counters: &Counters) {
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
        self.counter(upstream::FLOORS, counters.floors);
        self.counter(upstream::GAPS, counters.gaps);
        self.counter(upstream::EPOCH_CHANGES, counters.epoch_changes);
        self.counter(upstream::RESETS, counters.resets);
        self.counter(upstream::RECOVERED, counters.recovered);
        self.counter(upstream::NOT_RECOVERED, counters.not_recovered);
        self.counter(upstream::RESUMES_AT_EDGE, counters.resumes_at_edge);
        self.counter(upstream::RESUMES_AT_OWNER, counters.resumes_at_owner);
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
