//! What the way upstream of an edge holds and has done.

use crate::Metric;

/// Links up.
pub const LINKS: Metric = Metric::new("trunkline_upstream_links", "Links up");
/// Channels known, lingering ones included.
pub const CHANNELS: Metric = Metric::new(
    "trunkline_upstream_channels",
    "Channels known, lingering ones included",
);
/// Channels whose pushes come.
pub const CHANNELS_LIVE: Metric = Metric::new(
    "trunkline_upstream_channels_live",
    "Channels whose pushes come",
);
/// Channels without a local subscriber.
pub const CHANNELS_LINGERING: Metric = Metric::new(
    "trunkline_upstream_channels_lingering",
    "Channels without a local subscriber",
);
/// Rings that hold something.
pub const RINGS: Metric = Metric::new("trunkline_upstream_rings", "Rings that hold something");
/// Bytes in all rings.
pub const RINGS_BYTES: Metric = Metric::new("trunkline_upstream_rings_bytes", "Bytes in all rings");
/// Publishes without an answer.
pub const UNANSWERED: Metric = Metric::new(
    "trunkline_upstream_unanswered",
    "Publishes without an answer",
);
/// Bytes of publishes without an answer.
pub const UNANSWERED_BYTES: Metric = Metric::new(
    "trunkline_upstream_unanswered_bytes",
    "Bytes of publishes without an answer",
);
/// Requests to owners without an answer.
pub const REQUESTS_OPEN: Metric = Metric::new(
    "trunkline_upstream_requests_open",
    "Requests to owners without an answer",
);
/// Subscribes of workers without an answer.
pub const WAITERS: Metric = Metric::new(
    "trunkline_upstream_waiters",
    "Subscribes of workers without an answer",
);
/// Requests that wait for rules.
pub const PARKED: Metric = Metric::new("trunkline_upstream_parked", "Requests that wait for rules");
/// Presences kept.
pub const PRESENCES: Metric = Metric::new("trunkline_upstream_presences", "Presences kept");
/// Bytes that wait for all lanes of all links.
pub const LANES_BYTES: Metric = Metric::new(
    "trunkline_upstream_lanes_bytes",
    "Bytes that wait for all lanes of all links",
);
/// Bytes that wait for the ephemeral streams of all links.
pub const EPHEMERAL_BYTES: Metric = Metric::new(
    "trunkline_upstream_ephemeral_bytes",
    "Bytes that wait for the ephemeral streams of all links",
);
/// Bytes that wait for the control streams of all links.
pub const CONTROL_BYTES: Metric = Metric::new(
    "trunkline_upstream_control_bytes",
    "Bytes that wait for the control streams of all links",
);
/// Bytes of answers awaited on all links.
pub const ANSWER_ROOM_BYTES: Metric = Metric::new(
    "trunkline_upstream_answer_room_bytes",
    "Bytes of answers awaited on all links",
);
/// Bytes from links that wait for the way upstream.
pub const INBOX_BYTES: Metric = Metric::new(
    "trunkline_upstream_inbox_bytes",
    "Bytes from links that wait for the way upstream",
);
/// Bytes that wait for all workers.
pub const WORKERS_BYTES: Metric = Metric::new(
    "trunkline_upstream_workers_bytes",
    "Bytes that wait for all workers",
);
/// Publishes taken from workers, ephemeral ones included.
pub const PUBLISHES: Metric = Metric::new(
    "trunkline_upstream_publishes",
    "Publishes taken from workers, ephemeral ones included",
);
/// Publishes refused at once because a table or lane was full.
pub const PUBLISHES_REFUSED_FULL: Metric = Metric::new(
    "trunkline_upstream_publishes_refused_full",
    "Publishes refused at once because a table or lane was full",
);
/// Publishes handed to a link again, marked as repeats.
pub const REPEATS: Metric = Metric::new(
    "trunkline_upstream_repeats",
    "Publishes handed to a link again, marked as repeats",
);
/// Publishes whose deadline passed without an answer.
pub const PUBLISHES_EXPIRED: Metric = Metric::new(
    "trunkline_upstream_publishes_expired",
    "Publishes whose deadline passed without an answer",
);
/// Ephemeral publishes dropped.
pub const EPHEMERAL_DROPPED: Metric = Metric::new(
    "trunkline_upstream_ephemeral_dropped",
    "Ephemeral publishes dropped",
);
/// Other requests of workers.
pub const REQUESTS: Metric =
    Metric::new("trunkline_upstream_requests", "Other requests of workers");
/// Other requests refused at once because a table was full.
pub const REQUESTS_REFUSED_FULL: Metric = Metric::new(
    "trunkline_upstream_requests_refused_full",
    "Other requests refused at once because a table was full",
);
/// Other requests whose deadline passed without an answer.
pub const REQUESTS_EXPIRED: Metric = Metric::new(
    "trunkline_upstream_requests_expired",
    "Other requests whose deadline passed without an answer",
);
/// Questions of the edge's own asked again because no answer came in time.
pub const ASKED_AGAIN: Metric = Metric::new(
    "trunkline_upstream_asked_again",
    "Questions of the edge's own asked again because no answer came in time",
);
/// Answers to requests that nobody waits for.
pub const ANSWERS_UNKNOWN: Metric = Metric::new(
    "trunkline_upstream_answers_unknown",
    "Answers to requests that nobody waits for",
);
/// Frames of closed links, or that nothing can use.
pub const FRAMES_IGNORED: Metric = Metric::new(
    "trunkline_upstream_frames_ignored",
    "Frames of closed links, or that nothing can use",
);
/// Views or rules that can not be used.
pub const VIEWS_OR_RULES_INVALID: Metric = Metric::new(
    "trunkline_upstream_views_or_rules_invalid",
    "Views or rules that can not be used",
);
/// Statistics and shown views dropped because the control stream was behind.
pub const CONTROL_DROPPED: Metric = Metric::new(
    "trunkline_upstream_control_dropped",
    "Statistics and shown views dropped because the control stream was behind",
);
/// Subscribes said to an owner.
pub const SUBSCRIBES_SENT: Metric = Metric::new(
    "trunkline_upstream_subscribes_sent",
    "Subscribes said to an owner",
);
/// Publications taken from owners, pulled ones included.
pub const PUBLICATIONS: Metric = Metric::new(
    "trunkline_upstream_publications",
    "Publications taken from owners, pulled ones included",
);
/// Pushes dropped: not from the link that answered the subscribe.
pub const PUSHES_FOREIGN: Metric = Metric::new(
    "trunkline_upstream_pushes_foreign",
    "Pushes dropped: not from the link that answered the subscribe",
);
/// Pushes dropped: had before.
pub const PUSHES_OLD: Metric = Metric::new(
    "trunkline_upstream_pushes_old",
    "Pushes dropped: had before",
);
/// Pushes that left a hole, which was then pulled.
pub const PUSHES_BEYOND: Metric = Metric::new(
    "trunkline_upstream_pushes_beyond",
    "Pushes that left a hole, which was then pulled",
);
/// Ephemeral publications and presence events that a worker's queue had no room for.
pub const WORKER_DROPPED: Metric = Metric::new(
    "trunkline_upstream_worker_dropped",
    "Ephemeral publications and presence events that a worker's queue had no room for",
);
/// Times that a channel began to lag for a worker.
pub const WORKER_LAGS: Metric = Metric::new(
    "trunkline_upstream_worker_lags",
    "Times that a channel began to lag for a worker",
);
/// Times that an owner said that a channel lags.
pub const LAGS: Metric = Metric::new(
    "trunkline_upstream_lags",
    "Times that an owner said that a channel lags",
);
/// Pulls sent.
pub const PULLS: Metric = Metric::new("trunkline_upstream_pulls", "Pulls sent");
/// Pushed floors taken.
pub const FLOORS: Metric = Metric::new(
    "trunkline_upstream_floors",
    "Pushed floors taken: somebody removed a channel's history",
);
/// Gaps told to workers.
pub const GAPS: Metric = Metric::new("trunkline_upstream_gaps", "Gaps told to workers");
/// Epoch changes told to workers.
pub const EPOCH_CHANGES: Metric = Metric::new(
    "trunkline_upstream_epoch_changes",
    "Epoch changes told to workers",
);
/// Slots whose subscriptions an owner has forgotten.
pub const RESETS: Metric = Metric::new(
    "trunkline_upstream_resets",
    "Slots whose subscriptions an owner has forgotten",
);
/// Subscribes that wanted to recover and did.
pub const RECOVERED: Metric = Metric::new(
    "trunkline_upstream_recovered",
    "Subscribes that wanted to recover and did",
);
/// Subscribes that wanted to recover and could not.
pub const NOT_RECOVERED: Metric = Metric::new(
    "trunkline_upstream_not_recovered",
    "Subscribes that wanted to recover and could not",
);
/// Subscribes that wanted to recover and were answered without a question to the owner.
pub const RESUMES_AT_EDGE: Metric = Metric::new(
    "trunkline_upstream_resumes_at_edge",
    "Subscribes that wanted to recover and were answered without a question to the owner",
);
/// Subscribes that wanted to recover and were answered after a question to the owner.
pub const RESUMES_AT_OWNER: Metric = Metric::new(
    "trunkline_upstream_resumes_at_owner",
    "Subscribes that wanted to recover and were answered after a question to the owner",
);
/// Rings emptied because all together were too large.
pub const RINGS_EVICTED: Metric = Metric::new(
    "trunkline_upstream_rings_evicted",
    "Rings emptied because all together were too large",
);
/// Lingering channels ended early because too many lingered.
pub const LINGERS_CUT: Metric = Metric::new(
    "trunkline_upstream_lingers_cut",
    "Lingering channels ended early because too many lingered",
);
/// Joins not kept because the table was full or the channel unknown.
pub const PRESENCES_REFUSED: Metric = Metric::new(
    "trunkline_upstream_presences_refused",
    "Joins not kept because the table was full or the channel unknown",
);
/// Presence snapshots begun.
pub const SNAPSHOTS: Metric =
    Metric::new("trunkline_upstream_snapshots", "Presence snapshots begun");
/// Channels that a position check found behind or forgotten.
pub const POSITIONS_HEALED: Metric = Metric::new(
    "trunkline_upstream_positions_healed",
    "Channels that a position check found behind or forgotten",
);

/// All of them.
pub const ALL: &[Metric] = &[
    LINKS,
    CHANNELS,
    CHANNELS_LIVE,
    CHANNELS_LINGERING,
    RINGS,
    RINGS_BYTES,
    UNANSWERED,
    UNANSWERED_BYTES,
    REQUESTS_OPEN,
    WAITERS,
    PARKED,
    PRESENCES,
    LANES_BYTES,
    EPHEMERAL_BYTES,
    CONTROL_BYTES,
    ANSWER_ROOM_BYTES,
    INBOX_BYTES,
    WORKERS_BYTES,
    PUBLISHES,
    PUBLISHES_REFUSED_FULL,
    REPEATS,
    PUBLISHES_EXPIRED,
    EPHEMERAL_DROPPED,
    REQUESTS,
    REQUESTS_REFUSED_FULL,
    REQUESTS_EXPIRED,
    ASKED_AGAIN,
    ANSWERS_UNKNOWN,
    FRAMES_IGNORED,
    VIEWS_OR_RULES_INVALID,
    CONTROL_DROPPED,
    SUBSCRIBES_SENT,
    PUBLICATIONS,
    PUSHES_FOREIGN,
    PUSHES_OLD,
    PUSHES_BEYOND,
    WORKER_DROPPED,
    WORKER_LAGS,
    LAGS,
    PULLS,
    FLOORS,
    GAPS,
    EPOCH_CHANGES,
    RESETS,
    RECOVERED,
    NOT_RECOVERED,
    RESUMES_AT_EDGE,
    RESUMES_AT_OWNER,
    RINGS_EVICTED,
    LINGERS_CUT,
    PRESENCES_REFUSED,
    SNAPSHOTS,
    POSITIONS_HEALED,
];
