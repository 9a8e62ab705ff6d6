//! Metrics of the machines of a backbone node.

use crate::Metric;

/// Bytes from links that wait for machines.
pub const INBOX_BYTES: Metric = Metric::new(
    "trunkline_backbone_inbox_bytes",
    "Bytes from links that wait for machines",
);
/// Publishes kept and delivered, durable and buffered.
pub const PUBLISHED: Metric = Metric::new(
    "trunkline_backbone_published",
    "Publishes kept and delivered, durable and buffered",
);
/// Ephemeral publishes taken.
pub const EPHEMERAL_PUBLISHED: Metric = Metric::new(
    "trunkline_backbone_ephemeral_published",
    "Ephemeral publishes taken",
);
/// Ephemeral publishes that were not taken: another's slot, no rules.
pub const EPHEMERAL_REFUSED: Metric = Metric::new(
    "trunkline_backbone_ephemeral_refused",
    "Ephemeral publishes that were not taken: another's slot, no rules",
);
/// Ephemeral publications that didn't fit a link's stream.
pub const EPHEMERAL_DROPPED: Metric = Metric::new(
    "trunkline_backbone_ephemeral_dropped",
    "Ephemeral publications that didn't fit a link's stream",
);
/// Copies of publications sent to edges.
pub const PUSHES: Metric = Metric::new(
    "trunkline_backbone_pushes",
    "Copies of publications sent to edges",
);
/// Times that a push didn't fit and a channel began to lag for an edge.
pub const LAGS: Metric = Metric::new(
    "trunkline_backbone_lags",
    "Times that a push didn't fit and a channel began to lag for an edge",
);
/// Behind frames sent.
pub const BEHINDS: Metric = Metric::new("trunkline_backbone_behinds", "Behind frames sent");
/// Pulls answered with publications or a head.
pub const PULLS: Metric = Metric::new(
    "trunkline_backbone_pulls",
    "Pulls answered with publications or a head",
);
/// Histories answered.
pub const HISTORIES: Metric = Metric::new("trunkline_backbone_histories", "Histories answered");
/// Histories removed.
pub const HISTORIES_REMOVED: Metric = Metric::new(
    "trunkline_backbone_histories_removed",
    "Histories removed (history_remove)",
);
/// Recoveries answered from memory.
pub const RECOVERIES_FROM_RING: Metric = Metric::new(
    "trunkline_backbone_recoveries_from_ring",
    "Recoveries answered from memory",
);
/// Recoveries answered with what the store was read for.
pub const RECOVERIES_FROM_STORE: Metric = Metric::new(
    "trunkline_backbone_recoveries_from_store",
    "Recoveries answered with what the store was read for",
);
/// Ranges of messages asked of the store, for pulls and histories.
pub const READS: Metric = Metric::new(
    "trunkline_backbone_reads",
    "Ranges of messages asked of the store, for pulls and histories",
);
/// Publishes that came marked as repeats.
pub const REPEATS: Metric = Metric::new(
    "trunkline_backbone_repeats",
    "Publishes that came marked as repeats",
);
/// Repeats that were found: kept or answered before.
pub const REPEATS_FOUND: Metric = Metric::new(
    "trunkline_backbone_repeats_found",
    "Repeats that were found: kept or answered before",
);
/// Publishes answered as the first one with their idempotency key was.
pub const KEYS_FOUND: Metric = Metric::new(
    "trunkline_backbone_keys_found",
    "Publishes answered as the first one with their idempotency key was",
);
/// Publishes that waited behind one with the same idempotency key.
pub const KEYS_HELD: Metric = Metric::new(
    "trunkline_backbone_keys_held",
    "Publishes that waited behind one with the same idempotency key",
);
/// Publishes with a key that weren't taken because too many keys are remembered.
pub const KEYS_REFUSED_FULL: Metric = Metric::new(
    "trunkline_backbone_keys_refused_full",
    "Publishes with a key that weren't taken because too many keys are remembered",
);
/// Publishes that named an id which waits already.
pub const REPEATS_HELD: Metric = Metric::new(
    "trunkline_backbone_repeats_held",
    "Publishes that named an id which waits already",
);
/// First sendings under a view older than the slot's claim.
pub const STALE_VIEWS: Metric = Metric::new(
    "trunkline_backbone_stale_views",
    "First sendings under a view older than the slot's claim",
);
/// Publishes refused because an older one of their slot, sent back to their edge before, hasn't come again.
pub const OUT_OF_ORDER: Metric = Metric::new(
    "trunkline_backbone_out_of_order",
    "Publishes refused because an older one of their slot, sent back to their edge before, hasn't come again",
);
/// Requests refused because the slot isn't owned.
pub const MOVED: Metric = Metric::new(
    "trunkline_backbone_moved",
    "Requests refused because the slot isn't owned",
);
/// Requests refused because something was full or their time over.
pub const BUSY: Metric = Metric::new(
    "trunkline_backbone_busy",
    "Requests refused because something was full or their time over",
);
/// Requests refused because the store is away.
pub const STORE_AWAY: Metric = Metric::new(
    "trunkline_backbone_store_away",
    "Requests refused because the store is away",
);
/// Frames whose slot isn't their channel's.
pub const WRONG_SLOTS: Metric = Metric::new(
    "trunkline_backbone_wrong_slots",
    "Frames whose slot isn't their channel's",
);
/// Publishes whose time was over before an append could begin.
pub const OUT_OF_TIME: Metric = Metric::new(
    "trunkline_backbone_out_of_time",
    "Publishes whose time was over before an append could begin",
);
/// Appends asked of the store.
pub const APPENDS: Metric = Metric::new("trunkline_backbone_appends", "Appends asked of the store");
/// Appends of which nobody knows whether they were taken.
pub const APPENDS_UNKNOWN: Metric = Metric::new(
    "trunkline_backbone_appends_unknown",
    "Appends of which nobody knows whether they were taken",
);
/// Appends refused for their generation or a head.
pub const APPENDS_REFUSED: Metric = Metric::new(
    "trunkline_backbone_appends_refused",
    "Appends refused for their generation or a head",
);
/// Appends that the store said it didn't take.
pub const APPENDS_FAILED: Metric = Metric::new(
    "trunkline_backbone_appends_failed",
    "Appends that the store said it didn't take",
);
/// Publishes of unknown appends that turned out to be kept.
pub const UNKNOWN_KEPT: Metric = Metric::new(
    "trunkline_backbone_unknown_kept",
    "Publishes of unknown appends that turned out to be kept",
);
/// Slots asked of the store.
pub const CLAIMS: Metric = Metric::new("trunkline_backbone_claims", "Slots asked of the store");
/// Slots given up because a later view gives them to another node.
pub const GIVEN_UP: Metric = Metric::new(
    "trunkline_backbone_given_up",
    "Slots given up because a later view gives them to another node",
);
/// Publishes and subscribes that waited for a view that the node didn't have.
pub const PARKED: Metric = Metric::new(
    "trunkline_backbone_parked",
    "Publishes and subscribes that waited for a view that the node didn't have",
);
/// Slots that got a new epoch.
pub const EPOCHS_BEGUN: Metric = Metric::new(
    "trunkline_backbone_epochs_begun",
    "Slots that got a new epoch",
);
/// Reset frames sent.
pub const RESETS: Metric = Metric::new("trunkline_backbone_resets", "Reset frames sent");
/// Channels dropped from memory because there were too many.
pub const EVICTED: Metric = Metric::new(
    "trunkline_backbone_evicted",
    "Channels dropped from memory because there were too many",
);
/// Joins and leaves sent to edges.
pub const PRESENCE_EVENTS: Metric = Metric::new(
    "trunkline_backbone_presence_events",
    "Joins and leaves sent to edges",
);
/// Joins and leaves that didn't fit a lane.
pub const PRESENCE_EVENTS_DROPPED: Metric = Metric::new(
    "trunkline_backbone_presence_events_dropped",
    "Joins and leaves that didn't fit a lane",
);
/// Connections not kept in presence because there were too many.
pub const PRESENCE_REFUSED: Metric = Metric::new(
    "trunkline_backbone_presence_refused",
    "Connections not kept in presence because there were too many",
);
/// Presence answers cut because they were too long.
pub const PRESENCE_CUT: Metric = Metric::new(
    "trunkline_backbone_presence_cut",
    "Presence answers cut because they were too long",
);
/// Frames of links that are down, and frames that name nothing known.
pub const IGNORED_FRAMES: Metric = Metric::new(
    "trunkline_backbone_ignored_frames",
    "Frames of links that are down, and frames that name nothing known",
);
/// Links closed because their edge broke the protocol.
pub const CLOSED: Metric = Metric::new(
    "trunkline_backbone_closed",
    "Links closed because their edge broke the protocol",
);
/// Links ended because what their edge sent is no frame of the link.
pub const LINKS_BROKEN: Metric = Metric::new(
    "trunkline_backbone_links_broken",
    "Links ended because what their edge sent is no frame of the link",
);
/// Slots owned.
pub const SLOTS_NOW: Metric = Metric::new("trunkline_backbone_slots_now", "Slots owned");
/// Slots that are being claimed.
pub const CLAIMING_NOW: Metric = Metric::new(
    "trunkline_backbone_claiming_now",
    "Slots that are being claimed",
);
/// Slots that the present view moves to the node or from it, until they are claimed or their last append has ended.
pub const MOVING_NOW: Metric = Metric::new(
    "trunkline_backbone_moving_now",
    "Slots that the present view moves to the node or from it",
);
/// Lives of edges known.
pub const EDGES_NOW: Metric = Metric::new("trunkline_backbone_edges_now", "Lives of edges known");
/// Links up.
pub const LINKS_NOW: Metric = Metric::new("trunkline_backbone_links_now", "Links up");
/// Channels in memory.
pub const CHANNELS_NOW: Metric =
    Metric::new("trunkline_backbone_channels_now", "Channels in memory");
/// Channels in memory that could be dropped.
pub const IDLE_CHANNELS_NOW: Metric = Metric::new(
    "trunkline_backbone_idle_channels_now",
    "Channels in memory that could be dropped",
);
/// Subscriptions of edges.
pub const SUBSCRIPTIONS_NOW: Metric = Metric::new(
    "trunkline_backbone_subscriptions_now",
    "Subscriptions of edges",
);
/// Bytes of recent publications in memory.
pub const RING_BYTES_NOW: Metric = Metric::new(
    "trunkline_backbone_ring_bytes_now",
    "Bytes of recent publications in memory",
);
/// Bytes of publishes that wait.
pub const WAITING_BYTES_NOW: Metric = Metric::new(
    "trunkline_backbone_waiting_bytes_now",
    "Bytes of publishes that wait",
);
/// Bytes of publishes and subscribes that wait for a view that the node doesn't have.
pub const PARKED_BYTES_NOW: Metric = Metric::new(
    "trunkline_backbone_parked_bytes_now",
    "Bytes of publishes and subscribes that wait for a view that the node doesn't have",
);
/// Ids of buffered publishes kept.
pub const PUBLISH_IDS_NOW: Metric = Metric::new(
    "trunkline_backbone_publish_ids_now",
    "Ids of buffered publishes kept",
);
/// Idempotency keys of buffered and ephemeral channels remembered.
pub const KEYS_NOW: Metric = Metric::new(
    "trunkline_backbone_keys_now",
    "Idempotency keys of buffered and ephemeral channels remembered",
);
/// Bytes of these keys and their channels' names.
pub const KEY_BYTES_NOW: Metric = Metric::new(
    "trunkline_backbone_key_bytes_now",
    "Bytes of these keys and their channels' names",
);
/// Requests that wait for the store.
pub const REQUESTS_NOW: Metric = Metric::new(
    "trunkline_backbone_requests_now",
    "Requests that wait for the store",
);
/// Connections present.
pub const PRESENCE_NOW: Metric =
    Metric::new("trunkline_backbone_presence_now", "Connections present");
/// Bytes that wait for lanes of all links.
pub const QUEUED_BYTES_NOW: Metric = Metric::new(
    "trunkline_backbone_queued_bytes_now",
    "Bytes that wait for lanes of all links",
);
/// Edges that are known, with or without a link.
pub const KNOWN_EDGES: Metric = Metric::new(
    "trunkline_backbone_known_edges",
    "Edges that are known, with or without a link",
);
/// Names under which two processes are linked: a copied certificate, or an edge started twice.
pub const NAMES_LINKED_TWICE: Metric = Metric::new(
    "trunkline_backbone_names_linked_twice",
    "Names under which two processes are linked: a copied certificate, or an edge started twice",
);
/// Links closed for what their edge did.
pub const LINKS_REFUSED: Metric = Metric::new(
    "trunkline_backbone_links_refused",
    "Links closed for what their edge did",
);
/// Answers about the known edges.
pub const INFO_ANSWERS: Metric = Metric::new(
    "trunkline_backbone_info_answers",
    "Answers about the known edges",
);
/// Views that edges have shown and that are newer than ours.
pub const NEWER_VIEWS_SHOWN: Metric = Metric::new(
    "trunkline_backbone_newer_views_shown",
    "Views that edges have shown and that are newer than ours",
);
/// Links welcomed.
pub const LINKS_ACCEPTED: Metric =
    Metric::new("trunkline_backbone_links_accepted", "Links welcomed");
/// Links closed because a newer one of the same life took their place.
pub const LINKS_SUPERSEDED: Metric = Metric::new(
    "trunkline_backbone_links_superseded",
    "Links closed because a newer one of the same life took their place",
);
/// Peers refused before they had a link, by cause.
pub const PEERS_REFUSED: Metric = Metric::new(
    "trunkline_backbone_peers_refused",
    "Peers refused before they had a link, by cause",
);

/// All of them.
pub const ALL: &[Metric] = &[
    INFO_ANSWERS,
    NEWER_VIEWS_SHOWN,
    LINKS_ACCEPTED,
    LINKS_SUPERSEDED,
    PEERS_REFUSED,
    INBOX_BYTES,
    PUBLISHED,
    EPHEMERAL_PUBLISHED,
    EPHEMERAL_REFUSED,
    EPHEMERAL_DROPPED,
    PUSHES,
    LAGS,
    BEHINDS,
    PULLS,
    HISTORIES,
    HISTORIES_REMOVED,
    RECOVERIES_FROM_RING,
    RECOVERIES_FROM_STORE,
    READS,
    REPEATS,
    REPEATS_FOUND,
    KEYS_FOUND,
    KEYS_HELD,
    KEYS_REFUSED_FULL,
    REPEATS_HELD,
    STALE_VIEWS,
    OUT_OF_ORDER,
    MOVED,
    BUSY,
    STORE_AWAY,
    WRONG_SLOTS,
    OUT_OF_TIME,
    APPENDS,
    APPENDS_UNKNOWN,
    APPENDS_REFUSED,
    APPENDS_FAILED,
    UNKNOWN_KEPT,
    CLAIMS,
    GIVEN_UP,
    PARKED,
    EPOCHS_BEGUN,
    RESETS,
    EVICTED,
    PRESENCE_EVENTS,
    PRESENCE_EVENTS_DROPPED,
    PRESENCE_REFUSED,
    PRESENCE_CUT,
    IGNORED_FRAMES,
    CLOSED,
    LINKS_BROKEN,
    SLOTS_NOW,
    CLAIMING_NOW,
    MOVING_NOW,
    EDGES_NOW,
    LINKS_NOW,
    CHANNELS_NOW,
    IDLE_CHANNELS_NOW,
    SUBSCRIPTIONS_NOW,
    RING_BYTES_NOW,
    WAITING_BYTES_NOW,
    PARKED_BYTES_NOW,
    PUBLISH_IDS_NOW,
    KEYS_NOW,
    KEY_BYTES_NOW,
    REQUESTS_NOW,
    PRESENCE_NOW,
    QUEUED_BYTES_NOW,
    KNOWN_EDGES,
    NAMES_LINKED_TWICE,
    LINKS_REFUSED,
];
/// Members of the ring view that the node holds.
pub const MEMBERS: Metric = Metric::new(
    "trunkline_backbone_members",
    "Members of the ring view that the node holds",
);
/// Members' rows that move, the node's own included.
pub const MEMBERS_ALIVE: Metric = Metric::new(
    "trunkline_backbone_members_alive",
    "Members' rows that move, the node's own included",
);
/// Members that join or leave: their slots move by steps.
pub const MOVES: Metric = Metric::new(
    "trunkline_backbone_moves",
    "Members that join or leave: their slots move by steps",
);
/// Slots that the ring view gives to the node.
pub const SLOTS_GIVEN: Metric = Metric::new(
    "trunkline_backbone_slots_given",
    "Slots that the ring view gives to the node",
);
/// The number in the version of the ring view that the node holds, led by a clock in Unix milliseconds.
pub const VIEW_NUMBER: Metric = Metric::new(
    "trunkline_backbone_view_number",
    "The number in the version of the ring view that the node holds, led by a clock in Unix milliseconds",
);
/// The version of the rules (namespaces) that the node follows, led by a clock in Unix milliseconds; 0 before the first.
pub const RULES_VERSION: Metric = Metric::new(
    "trunkline_backbone_rules_version",
    "The version of the rules (namespaces) that the node follows, led by a clock in Unix milliseconds; 0 before the first",
);
/// 1 while the node may write to its store, else 0.
pub const LEASE_HELD: Metric = Metric::new(
    "trunkline_backbone_lease_held",
    "1 while the node may write to its store, else 0",
);
/// Heartbeats that the store took.
pub const HEARTBEATS: Metric = Metric::new(
    "trunkline_backbone_heartbeats",
    "Heartbeats that the store took",
);
/// Heartbeats that failed.
pub const HEARTBEATS_FAILED: Metric = Metric::new(
    "trunkline_backbone_heartbeats_failed",
    "Heartbeats that failed",
);
/// Heartbeats that came more than three quarters of a lease after the one before.
pub const HEARTBEATS_LATE: Metric = Metric::new(
    "trunkline_backbone_heartbeats_late",
    "Heartbeats that came more than three quarters of a lease after the one before",
);
/// Times that the node's lease was over.
pub const LEASES_LOST: Metric = Metric::new(
    "trunkline_backbone_leases_lost",
    "Times that the node's lease was over",
);
/// Ring views that the node wrote.
pub const VIEWS_WRITTEN: Metric = Metric::new(
    "trunkline_backbone_views_written",
    "Ring views that the node wrote",
);
/// Ring views that the node didn't write because another one was faster.
pub const VIEWS_OUTRUN: Metric = Metric::new(
    "trunkline_backbone_views_outrun",
    "Ring views that the node didn't write because another one was faster",
);
/// Ring views shown by an edge that were believed because the row couldn't be read.
pub const VIEWS_BELIEVED: Metric = Metric::new(
    "trunkline_backbone_views_believed",
    "Ring views shown by an edge that were believed because the row couldn't be read",
);
/// Times that the rules of the mesh became others that the node can't read: a later program may have written them.
pub const RULES_UNREADABLE: Metric = Metric::new(
    "trunkline_backbone_rules_unreadable",
    "Times that the rules of the mesh became others that the node can't read: a later program may have written them",
);
/// Steps taken because whoever received the one before hadn't gone on in time.
pub const STEPS_PASSED_OVER: Metric = Metric::new(
    "trunkline_backbone_steps_passed_over",
    "Steps taken because whoever received the one before hadn't gone on in time",
);
/// Times that the mesh had gone on without the node, which joined again as another life.
pub const REJOINS: Metric = Metric::new(
    "trunkline_backbone_rejoins",
    "Times that the mesh had gone on without the node, which joined again as another life",
);
