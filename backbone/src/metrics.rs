//! What `/metrics` of a node shows: the counts of its machines, store and links, folded at each scrape.

use std::sync::Weak;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::sync::oneshot;
use trunkline_backbone_core::{Counters, Gauges};
use trunkline_store::EmbeddedStore;
use trunkline_store::embedded::StoreStats;

use crate::control_task::{ControlMessage, Observed};
use crate::shard_task::ShardMessage;
use crate::sink::Machines;

/// Asks everything that counts.
#[derive(Clone)]
pub(crate) struct Observer {
    machines: Machines,
    store: Weak<EmbeddedStore>,
}

impl Observer {
    pub(crate) const fn new(machines: Machines, store: Weak<EmbeddedStore>) -> Self {
        Self { machines, store }
    }

    /// All metrics as OpenMetrics text.
    pub(crate) async fn text(&self) -> String {
        let mut page = Page(Registry::with_prefix("trunkline"));
        let mut shards = Vec::new();
        for shard in &self.machines.shards {
            let (ask, answer) = oneshot::channel();
            shard.say(ShardMessage::Observe(ask));
            shards.extend(answer.await);
        }
        page.shards(&shards);
        let waiting = self
            .machines
            .shards
            .iter()
            .map(|shard| shard.inbox.bytes())
            .sum::<usize>();
        let waiting = waiting + self.machines.control.inbox.bytes();
        page.gauge(
            "backbone_inbox_bytes",
            "Bytes from links that wait for machines",
            waiting as u64,
        );
        let (ask, answer) = oneshot::channel();
        self.machines.control.say(ControlMessage::Observe(ask));
        if let Ok(observed) = answer.await {
            page.links(&observed);
        }
        // A page that is being made while the node stops has no store any more.
        if let Some(store) = self.store.upgrade() {
            page.store(&store.stats());
        }
        let mut text = String::new();
        encode(&mut text, &page.0).expect("writing to a string doesn't fail");
        text
    }
}

/// A registry that lives for one scrape.
struct Page(Registry);

impl Page {
    fn counter(&mut self, name: &str, help: &str, value: u64) {
        let counter = Counter::<u64>::default();
        counter.inc_by(value);
        self.0.register(name, help, counter);
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        let gauge = Gauge::<i64>::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        self.0.register(name, help, gauge);
    }

    fn shards(&mut self, shards: &[(Counters, Gauges)]) {
        let count =
            |of: fn(&Counters) -> u64| shards.iter().map(|(counters, _)| of(counters)).sum();
        let hold =
            |of: fn(&Gauges) -> usize| shards.iter().map(|(_, gauges)| of(gauges) as u64).sum();
        self.counter(
            "backbone_published",
            "Publishes kept and delivered, durable and buffered",
            count(|counters| counters.published),
        );
        self.counter(
            "backbone_ephemeral_published",
            "Ephemeral publishes taken",
            count(|counters| counters.ephemeral_published),
        );
        self.counter(
            "backbone_ephemeral_refused",
            "Ephemeral publishes that were not taken: another's slot, no rules",
            count(|counters| counters.ephemeral_refused),
        );
        self.counter(
            "backbone_ephemeral_dropped",
            "Ephemeral publications that didn't fit a link's stream",
            count(|counters| counters.ephemeral_dropped),
        );
        self.counter(
            "backbone_pushes",
            "Copies of publications sent to edges",
            count(|counters| counters.pushes),
        );
        self.counter(
            "backbone_lags",
            "Times that a push didn't fit and a channel began to lag for an edge",
            count(|counters| counters.lags),
        );
        self.counter(
            "backbone_behinds",
            "Behind frames sent",
            count(|counters| counters.behinds),
        );
        self.counter(
            "backbone_pulls",
            "Pulls answered with publications or a head",
            count(|counters| counters.pulls),
        );
        self.counter(
            "backbone_histories",
            "Histories answered",
            count(|counters| counters.histories),
        );
        self.counter(
            "backbone_repeats",
            "Publishes that came marked as repeats",
            count(|counters| counters.repeats),
        );
        self.counter(
            "backbone_repeats_found",
            "Repeats that were found: kept or answered before",
            count(|counters| counters.repeats_found),
        );
        self.counter(
            "backbone_repeats_held",
            "Publishes that named an id which waits already",
            count(|counters| counters.repeats_held),
        );
        self.counter(
            "backbone_stale_views",
            "First sendings under a view older than the slot's claim",
            count(|counters| counters.stale_views),
        );
        self.counter(
            "backbone_moved",
            "Requests refused because the slot isn't owned",
            count(|counters| counters.moved),
        );
        self.counter(
            "backbone_busy",
            "Requests refused because something was full or their time over",
            count(|counters| counters.busy),
        );
        self.counter(
            "backbone_store_away",
            "Requests refused because the store is away",
            count(|counters| counters.store_away),
        );
        self.counter(
            "backbone_wrong_slots",
            "Frames whose slot isn't their channel's",
            count(|counters| counters.wrong_slots),
        );
        self.counter(
            "backbone_out_of_time",
            "Publishes whose time was over before an append could begin",
            count(|counters| counters.out_of_time),
        );
        self.counter(
            "backbone_appends",
            "Appends asked of the store",
            count(|counters| counters.appends),
        );
        self.counter(
            "backbone_appends_unknown",
            "Appends of which nobody knows whether they were taken",
            count(|counters| counters.appends_unknown),
        );
        self.counter(
            "backbone_appends_refused",
            "Appends refused for their generation or a head",
            count(|counters| counters.appends_refused),
        );
        self.counter(
            "backbone_appends_failed",
            "Appends that the store said it didn't take",
            count(|counters| counters.appends_failed),
        );
        self.counter(
            "backbone_unknown_kept",
            "Publishes of unknown appends that turned out to be kept",
            count(|counters| counters.unknown_kept),
        );
        self.counter(
            "backbone_claims",
            "Slots claimed again",
            count(|counters| counters.claims),
        );
        self.counter(
            "backbone_given_up",
            "Slots given up because a later view had claimed them",
            count(|counters| counters.given_up),
        );
        self.counter(
            "backbone_epochs_begun",
            "Slots that got a new epoch",
            count(|counters| counters.epochs_begun),
        );
        self.counter(
            "backbone_resets",
            "Reset frames sent",
            count(|counters| counters.resets),
        );
        self.counter(
            "backbone_evicted",
            "Channels dropped from memory because there were too many",
            count(|counters| counters.evicted),
        );
        self.counter(
            "backbone_presence_events",
            "Joins and leaves sent to edges",
            count(|counters| counters.presence_events),
        );
        self.counter(
            "backbone_presence_events_dropped",
            "Joins and leaves that didn't fit a lane",
            count(|counters| counters.presence_events_dropped),
        );
        self.counter(
            "backbone_presence_refused",
            "Connections not kept in presence because there were too many",
            count(|counters| counters.presence_refused),
        );
        self.counter(
            "backbone_presence_cut",
            "Presence answers cut because they were too long",
            count(|counters| counters.presence_cut),
        );
        self.counter(
            "backbone_ignored_frames",
            "Frames of links that are down, and frames that name nothing known",
            count(|counters| counters.ignored_frames),
        );
        self.counter(
            "backbone_closed",
            "Links closed because their edge broke the protocol",
            count(|counters| counters.closed),
        );
        self.gauge(
            "backbone_slots_now",
            "Slots owned",
            hold(|gauges| gauges.slots),
        );
        self.gauge(
            "backbone_claiming_now",
            "Slots that are being claimed again",
            hold(|gauges| gauges.claiming),
        );
        self.gauge(
            "backbone_edges_now",
            "Lives of edges known",
            hold(|gauges| gauges.edges),
        );
        self.gauge(
            "backbone_links_now",
            "Links up",
            hold(|gauges| gauges.links),
        );
        self.gauge(
            "backbone_channels_now",
            "Channels in memory",
            hold(|gauges| gauges.channels),
        );
        self.gauge(
            "backbone_idle_channels_now",
            "Channels in memory that could be dropped",
            hold(|gauges| gauges.idle_channels),
        );
        self.gauge(
            "backbone_subscriptions_now",
            "Subscriptions of edges",
            hold(|gauges| gauges.subscriptions),
        );
        self.gauge(
            "backbone_ring_bytes_now",
            "Bytes of recent publications in memory",
            hold(|gauges| gauges.ring_bytes),
        );
        self.gauge(
            "backbone_waiting_bytes_now",
            "Bytes of publishes that wait",
            hold(|gauges| gauges.waiting_bytes),
        );
        self.gauge(
            "backbone_publish_ids_now",
            "Ids of buffered publishes kept",
            hold(|gauges| gauges.publish_ids),
        );
        self.gauge(
            "backbone_requests_now",
            "Requests that wait for the store",
            hold(|gauges| gauges.requests),
        );
        self.gauge(
            "backbone_presence_now",
            "Connections present",
            hold(|gauges| gauges.presence),
        );
        self.gauge(
            "backbone_queued_bytes_now",
            "Bytes that wait for lanes of all links",
            hold(|gauges| gauges.queued_bytes),
        );
    }

    fn links(&mut self, observed: &Observed) {
        let sum = |of: fn(&trunkline_link::LinkCounters) -> u64| {
            observed.links.iter().map(|(_, link)| of(link)).sum()
        };
        self.gauge(
            "backbone_known_edges",
            "Edges that are known, with or without a link",
            observed.edges as u64,
        );
        self.gauge(
            "link_queued_bytes",
            "Bytes queued on all links and not yet written",
            sum(|link| link.queued_bytes),
        );
        self.gauge(
            "link_frames_in",
            "Frames received on the links that are up",
            sum(|link| link.frames_in),
        );
        self.gauge(
            "link_frames_out",
            "Frames written to the links that are up",
            sum(|link| link.frames_out),
        );
        let dropped = sum(|link| link.ephemeral_dropped);
        self.gauge(
            "link_ephemeral_dropped",
            "Ephemeral frames dropped on the links that are up",
            dropped,
        );
        let closed = observed.counters.closed;
        self.counter(
            "backbone_links_refused",
            "Links closed for what their edge did",
            closed,
        );
    }

    fn store(&mut self, stats: &StoreStats) {
        self.gauge(
            "store_writes_waiting",
            "Slots' parts, claims and other writes that wait",
            stats.writes_waiting,
        );
        self.gauge(
            "store_writes_waiting_bytes",
            "Bytes of writes that wait",
            stats.writes_waiting_bytes,
        );
        self.gauge(
            "store_reads_waiting",
            "Reads that wait",
            stats.reads_waiting,
        );
        self.counter(
            "store_writes_refused_full",
            "Writes refused because too much waited",
            stats.writes_refused_full,
        );
        self.counter(
            "store_writes_refused_away",
            "Writes refused because the database was being opened again, or the store has ended",
            stats.writes_refused_away,
        );
        self.counter(
            "store_reads_refused_full",
            "Reads refused because too many waited",
            stats.reads_refused_full,
        );
        self.counter("store_commits", "Commits made", stats.commits);
        self.counter(
            "store_commit_micros",
            "Microseconds that they took together, checks included",
            stats.commit_micros,
        );
        self.counter("store_appends", "Append calls in them", stats.appends);
        self.counter("store_messages", "Messages in them", stats.messages);
        self.counter(
            "store_message_bytes",
            "Bytes of messages in them, as stored",
            stats.message_bytes,
        );
        self.gauge(
            "store_largest_commit",
            "Messages of the largest commit",
            stats.largest_commit,
        );
        self.counter(
            "store_parts_refused",
            "Slots' parts refused for their generation or head",
            stats.parts_refused,
        );
        self.counter(
            "store_commits_failed",
            "Commits that failed; their outcome was unknown",
            stats.commits_failed,
        );
        self.counter(
            "store_calls_unknown",
            "Calls in failed commits",
            stats.calls_unknown,
        );
        self.counter(
            "store_reopenings",
            "Times that the database was opened again",
            stats.reopenings,
        );
    }
}
