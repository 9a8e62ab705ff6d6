//! Metrics of the embedded message store.

use crate::Metric;

/// Slots' parts, claims and other writes that wait.
pub const WRITES_WAITING: Metric = Metric::new(
    "trunkline_store_writes_waiting",
    "Slots' parts, claims and other writes that wait",
);
/// Bytes of writes that wait.
pub const WRITES_WAITING_BYTES: Metric = Metric::new(
    "trunkline_store_writes_waiting_bytes",
    "Bytes of writes that wait",
);
/// Reads that wait.
pub const READS_WAITING: Metric = Metric::new("trunkline_store_reads_waiting", "Reads that wait");
/// Writes refused because too much waited.
pub const WRITES_REFUSED_FULL: Metric = Metric::new(
    "trunkline_store_writes_refused_full",
    "Writes refused because too much waited",
);
/// Writes refused because the database was being opened again, or the store has ended.
pub const WRITES_REFUSED_AWAY: Metric = Metric::new(
    "trunkline_store_writes_refused_away",
    "Writes refused because the database was being opened again, or the store has ended",
);
/// Reads refused because too many waited.
pub const READS_REFUSED_FULL: Metric = Metric::new(
    "trunkline_store_reads_refused_full",
    "Reads refused because too many waited",
);
/// Commits made.
pub const COMMITS: Metric = Metric::new("trunkline_store_commits", "Commits made");
/// Microseconds that they took together, checks included.
pub const COMMIT_MICROS: Metric = Metric::new(
    "trunkline_store_commit_micros",
    "Microseconds that they took together, checks included",
);
/// Append calls in them.
pub const APPENDS: Metric = Metric::new("trunkline_store_appends", "Append calls in them");
/// Messages in them.
pub const MESSAGES: Metric = Metric::new("trunkline_store_messages", "Messages in them");
/// Bytes of messages in them, as stored.
pub const MESSAGE_BYTES: Metric = Metric::new(
    "trunkline_store_message_bytes",
    "Bytes of messages in them, as stored",
);
/// Messages of the largest commit.
pub const LARGEST_COMMIT: Metric = Metric::new(
    "trunkline_store_largest_commit",
    "Messages of the largest commit",
);
/// Slots' parts refused for their generation or head.
pub const PARTS_REFUSED: Metric = Metric::new(
    "trunkline_store_parts_refused",
    "Slots' parts refused for their generation or head",
);
/// Commits that failed; their outcome was unknown.
pub const COMMITS_FAILED: Metric = Metric::new(
    "trunkline_store_commits_failed",
    "Commits that failed; their outcome was unknown",
);
/// Calls in failed commits.
pub const CALLS_UNKNOWN: Metric =
    Metric::new("trunkline_store_calls_unknown", "Calls in failed commits");
/// Times that the database was opened again.
pub const REOPENINGS: Metric = Metric::new(
    "trunkline_store_reopenings",
    "Times that the database was opened again",
);
/// Heads of channels that have gone after `store.history_meta_ttl`.
pub const HEADS_REMOVED: Metric = Metric::new(
    "trunkline_store_heads_removed",
    "Heads of channels that have gone after store.history_meta_ttl",
);
/// Calls that failed because a row makes no sense.
pub const DAMAGE_MET: Metric = Metric::new(
    "trunkline_store_damage_met",
    "Calls that failed because a row, or what they gave, makes no sense; the log names it",
);
/// Fail-overs met that may have lost commits.
pub const FAIL_OVERS: Metric = Metric::new(
    "trunkline_store_fail_overs",
    "Fail-overs met that may have lost commits: each begins new epochs",
);

/// All of them.
pub const ALL: &[Metric] = &[
    WRITES_WAITING,
    WRITES_WAITING_BYTES,
    READS_WAITING,
    WRITES_REFUSED_FULL,
    WRITES_REFUSED_AWAY,
    READS_REFUSED_FULL,
    COMMITS,
    COMMIT_MICROS,
    APPENDS,
    MESSAGES,
    MESSAGE_BYTES,
    LARGEST_COMMIT,
    PARTS_REFUSED,
    COMMITS_FAILED,
    CALLS_UNKNOWN,
    REOPENINGS,
    HEADS_REMOVED,
    DAMAGE_MET,
    FAIL_OVERS,
];
