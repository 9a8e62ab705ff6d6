//! What `/metrics` of a node shows: the counts of its machines, store and links, folded at each scrape.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use trunkline_backbone_core::{Counters, Gauges};
use trunkline_link::{LinkCounters, ServerCounters};
use trunkline_store::StoreStats;
use trunkline_telemetry::names::{backbone, link, log, store};
use trunkline_telemetry::{Metric, log_lines_lost};

use crate::control_task::{ControlObserved, LinkObserved};
use crate::membership::MembershipObserved;
use crate::observer::Observed;

/// All metrics as OpenMetrics text.
pub(crate) fn text(observed: &Observed) -> String {
    let mut page = Page(Registry::default());
    page.shards(&observed.shards);
    page.gauge(backbone::INBOX_BYTES, observed.inbox_bytes as u64);
    if let Some(control) = &observed.control {
        page.links(control);
    }
    if let Some(membership) = &observed.membership {
        page.membership(membership);
    }
    if let Some(store) = &observed.store {
        page.store(store);
    }
    page.endpoint(&observed.endpoint);
    page.counter(log::LINES_LOST, log_lines_lost());
    let mut text = String::new();
    encode(&mut text, &page.0).expect("writing to a string doesn't fail");
    text
}

type Labels = Vec<(&'static str, String)>;

fn peer(edge: &str) -> Labels {
    vec![("peer", edge.to_owned())]
}

/// A registry that lives for one scrape.
struct Page(Registry);

impl Page {
    fn counter(&mut self, metric: Metric, value: u64) {
        let counter = Counter::<u64>::default();
        counter.inc_by(value);
        self.0.register(metric.name, metric.help, counter);
    }

    fn gauge(&mut self, metric: Metric, value: u64) {
        let gauge = Gauge::<i64>::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        self.0.register(metric.name, metric.help, gauge);
    }

    /// A counter of each link, by its edge's name.
    fn counters(&mut self, metric: Metric, links: &[LinkObserved], of: fn(&LinkCounters) -> u64) {
        let family = Family::<Labels, Counter>::default();
        for LinkObserved { edge, counters } in links {
            let counter = family.get_or_create(&peer(edge.edge.as_str()));
            counter.inc_by(of(counters));
        }
        self.0.register(metric.name, metric.help, family);
    }

    /// A gauge of each link, by its edge's name.
    fn gauges(&mut self, metric: Metric, links: &[LinkObserved], of: fn(&LinkCounters) -> f64) {
        let family = Family::<Labels, Gauge<f64, AtomicU64>>::default();
        for LinkObserved { edge, counters } in links {
            let gauge = family.get_or_create(&peer(edge.edge.as_str()));
            gauge.set(of(counters));
        }
        self.0.register(metric.name, metric.help, family);
    }

    fn shards(&mut self, shards: &[(Counters, Gauges)]) {
        let count =
            |of: fn(&Counters) -> u64| shards.iter().map(|(counters, _)| of(counters)).sum();
        let hold =
            |of: fn(&Gauges) -> usize| shards.iter().map(|(_, gauges)| of(gauges) as u64).sum();
        self.counter(backbone::PUBLISHED, count(|counters| counters.published));
        self.counter(
            backbone::EPHEMERAL_PUBLISHED,
            count(|counters| counters.ephemeral_published),
        );
        self.counter(
            backbone::EPHEMERAL_REFUSED,
            count(|counters| counters.ephemeral_refused),
        );
        self.counter(
            backbone::EPHEMERAL_DROPPED,
            count(|counters| counters.ephemeral_dropped),
        );
        self.counter(backbone::PUSHES, count(|counters| counters.pushes));
        self.counter(backbone::LAGS, count(|counters| counters.lags));
        self.counter(backbone::BEHINDS, count(|counters| counters.behinds));
        self.counter(backbone::PULLS, count(|counters| counters.pulls));
        self.counter(backbone::HISTORIES, count(|counters| counters.histories));
        self.counter(
            backbone::HISTORIES_REMOVED,
            count(|counters| counters.histories_removed),
        );
        self.counter(
            backbone::RECOVERIES_FROM_RING,
            count(|counters| counters.recoveries_from_ring),
        );
        self.counter(
            backbone::RECOVERIES_FROM_STORE,
            count(|counters| counters.recoveries_from_store),
        );
        self.counter(backbone::READS, count(|counters| counters.reads));
        self.counter(backbone::REPEATS, count(|counters| counters.repeats));
        self.counter(
            backbone::REPEATS_FOUND,
            count(|counters| counters.repeats_found),
        );
        self.counter(backbone::KEYS_FOUND, count(|counters| counters.keys_found));
        self.counter(backbone::KEYS_HELD, count(|counters| counters.keys_held));
        self.counter(
            backbone::KEYS_REFUSED_FULL,
            count(|counters| counters.keys_refused_full),
        );
        self.counter(
            backbone::REPEATS_HELD,
            count(|counters| counters.repeats_held),
        );
        self.counter(
            backbone::STALE_VIEWS,
            count(|counters| counters.stale_views),
        );
        self.counter(
            backbone::OUT_OF_ORDER,
            count(|counters| counters.out_of_order),
        );
        self.counter(backbone::MOVED, count(|counters| counters.moved));
        self.counter(backbone::BUSY, count(|counters| counters.busy));
        self.counter(backbone::STORE_AWAY, count(|counters| counters.store_away));
        self.counter(
            backbone::WRONG_SLOTS,
            count(|counters| counters.wrong_slots),
        );
        self.counter(
            backbone::OUT_OF_TIME,
            count(|counters| counters.out_of_time),
        );
        self.counter(backbone::APPENDS, count(|counters| counters.appends));
        self.counter(
            backbone::APPENDS_UNKNOWN,
            count(|counters| counters.appends_unknown),
        );
        self.counter(
            backbone::APPENDS_REFUSED,
            count(|counters| counters.appends_refused),
        );
        self.counter(
            backbone::APPENDS_FAILED,
            count(|counters| counters.appends_failed),
        );
        self.counter(
            backbone::UNKNOWN_KEPT,
            count(|counters| counters.unknown_kept),
        );
        self.counter(backbone::CLAIMS, count(|counters| counters.claims));
        self.counter(backbone::GIVEN_UP, count(|counters| counters.given_up));
        self.counter(backbone::PARKED, count(|counters| counters.parked));
        self.counter(
            backbone::EPOCHS_BEGUN,
            count(|counters| counters.epochs_begun),
        );
        self.counter(backbone::RESETS, count(|counters| counters.resets));
        self.counter(backbone::EVICTED, count(|counters| counters.evicted));
        self.counter(
            backbone::PRESENCE_EVENTS,
            count(|counters| counters.presence_events),
        );
        self.counter(
            backbone::PRESENCE_EVENTS_DROPPED,
            count(|counters| counters.presence_events_dropped),
        );
        self.counter(
            backbone::PRESENCE_REFUSED,
            count(|counters| counters.presence_refused),
        );
        self.counter(
            backbone::PRESENCE_CUT,
            count(|counters| counters.presence_cut),
        );
        self.counter(
            backbone::IGNORED_FRAMES,
            count(|counters| counters.ignored_frames),
        );
        self.counter(backbone::CLOSED, count(|counters| counters.closed));
        self.gauge(backbone::SLOTS_NOW, hold(|gauges| gauges.slots));
        self.gauge(backbone::CLAIMING_NOW, hold(|gauges| gauges.claiming));
        self.gauge(backbone::MOVING_NOW, hold(|gauges| gauges.moving));
        self.gauge(backbone::EDGES_NOW, hold(|gauges| gauges.edges));
        self.gauge(backbone::LINKS_NOW, hold(|gauges| gauges.links));
        self.gauge(backbone::CHANNELS_NOW, hold(|gauges| gauges.channels));
        self.gauge(
            backbone::IDLE_CHANNELS_NOW,
            hold(|gauges| gauges.idle_channels),
        );
        self.gauge(
            backbone::SUBSCRIPTIONS_NOW,
            hold(|gauges| gauges.subscriptions),
        );
        self.gauge(backbone::RING_BYTES_NOW, hold(|gauges| gauges.ring_bytes));
        self.gauge(
            backbone::WAITING_BYTES_NOW,
            hold(|gauges| gauges.waiting_bytes),
        );
        self.gauge(
            backbone::PARKED_BYTES_NOW,
            hold(|gauges| gauges.parked_bytes),
        );
        self.gauge(backbone::PUBLISH_IDS_NOW, hold(|gauges| gauges.publish_ids));
        self.gauge(backbone::KEYS_NOW, hold(|gauges| gauges.keys));
        self.gauge(backbone::KEY_BYTES_NOW, hold(|gauges| gauges.key_bytes));
        self.gauge(backbone::REQUESTS_NOW, hold(|gauges| gauges.requests));
        self.gauge(backbone::PRESENCE_NOW, hold(|gauges| gauges.presence));
        self.gauge(
            backbone::QUEUED_BYTES_NOW,
            hold(|gauges| gauges.queued_bytes),
        );
    }

    fn membership(&mut self, observed: &MembershipObserved) {
        let MembershipObserved {
            counters,
            gauges,
            rejoins,
            ..
        } = observed;
        self.gauge(backbone::MEMBERS, gauges.members as u64);
        self.gauge(backbone::MEMBERS_ALIVE, gauges.alive as u64);
        self.gauge(backbone::MOVES, gauges.moves as u64);
        self.gauge(backbone::SLOTS_GIVEN, gauges.slots as u64);
        self.gauge(backbone::VIEW_NUMBER, gauges.version.number);
        self.gauge(backbone::RULES_VERSION, gauges.rules_version);
        self.gauge(backbone::LEASE_HELD, u64::from(gauges.lease_held));
        self.counter(backbone::HEARTBEATS, counters.heartbeats);
        self.counter(backbone::HEARTBEATS_FAILED, counters.heartbeats_failed);
        self.counter(backbone::HEARTBEATS_LATE, counters.heartbeats_late);
        self.counter(backbone::LEASES_LOST, counters.leases_lost);
        self.counter(backbone::VIEWS_WRITTEN, counters.views_written);
        self.counter(backbone::VIEWS_OUTRUN, counters.views_outrun);
        self.counter(backbone::VIEWS_BELIEVED, counters.views_believed);
        self.counter(backbone::RULES_UNREADABLE, counters.rules_unreadable);
        self.counter(backbone::STEPS_PASSED_OVER, counters.steps_passed_over);
        self.counter(backbone::REJOINS, *rejoins);
    }

    fn links(&mut self, observed: &ControlObserved) {
        self.gauge(backbone::KNOWN_EDGES, observed.edges as u64);
        self.gauge(
            backbone::NAMES_LINKED_TWICE,
            observed.names_linked_twice as u64,
        );
        self.counter(backbone::LINKS_BROKEN, observed.broken);
        self.counter(backbone::LINKS_REFUSED, observed.counters.closed);
        self.counter(backbone::INFO_ANSWERS, observed.counters.info_answers);
        self.counter(
            backbone::NEWER_VIEWS_SHOWN,
            observed.counters.newer_views_shown,
        );
        let links = &observed.links;
        self.counters(link::FRAMES_IN, links, |link| link.frames_in);
        self.counters(link::FRAMES_OUT, links, |link| link.frames_out);
        self.counters(link::BYTES_IN, links, |link| link.bytes_in);
        self.counters(link::BYTES_OUT, links, |link| link.bytes_out);
        self.counters(link::EPHEMERAL_DROPPED, links, |link| {
            link.ephemeral_dropped
        });
        self.counters(link::LOST_PACKETS, links, |link| link.lost_packets);
        self.gauges(link::QUEUED_BYTES, links, |link| link.queued_bytes as f64);
        self.gauges(link::CONGESTION_WINDOW, links, |link| {
            link.congestion_window as f64
        });
        self.gauges(link::RTT, links, |link| link.rtt.as_secs_f64());
    }

    fn endpoint(&mut self, counters: &ServerCounters) {
        self.counter(backbone::LINKS_ACCEPTED, counters.accepted);
        self.counter(backbone::LINKS_SUPERSEDED, counters.superseded);
        let refused = [
            ("handshake", counters.refused_handshake),
            ("identity", counters.refused_identity),
            ("version", counters.refused_version),
            ("hello", counters.refused_hello),
            ("timeout", counters.refused_timeout),
            ("full", counters.refused_full),
        ];
        let family = Family::<Labels, Counter>::default();
        for (cause, count) in refused {
            family
                .get_or_create(&vec![("cause", cause.to_owned())])
                .inc_by(count);
        }
        let metric = backbone::PEERS_REFUSED;
        self.0.register(metric.name, metric.help, family);
    }

    fn store(&mut self, stats: &StoreStats) {
        self.gauge(store::WRITES_WAITING, stats.writes_waiting);
        self.gauge(store::WRITES_WAITING_BYTES, stats.writes_waiting_bytes);
        self.gauge(store::READS_WAITING, stats.reads_waiting);
        self.counter(store::WRITES_REFUSED_FULL, stats.writes_refused_full);
        self.counter(store::WRITES_REFUSED_AWAY, stats.writes_refused_away);
        self.counter(store::READS_REFUSED_FULL, stats.reads_refused_full);
        self.counter(store::COMMITS, stats.commits);
        self.counter(store::COMMIT_MICROS, stats.commit_micros);
        self.counter(store::APPENDS, stats.appends);
        self.counter(store::MESSAGES, stats.messages);
        self.counter(store::MESSAGE_BYTES, stats.message_bytes);
        self.gauge(store::LARGEST_COMMIT, stats.largest_commit);
        self.counter(store::PARTS_REFUSED, stats.parts_refused);
        self.counter(store::COMMITS_FAILED, stats.commits_failed);
        self.counter(store::CALLS_UNKNOWN, stats.calls_unknown);
        self.counter(store::REOPENINGS, stats.reopenings);
        self.counter(store::HEADS_REMOVED, stats.heads_removed);
        self.counter(store::DAMAGE_MET, stats.damage_met);
        self.counter(store::FAIL_OVERS, stats.fail_overs);
    }
}
