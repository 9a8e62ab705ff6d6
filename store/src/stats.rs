//! What the store counts; the shell folds it into metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::damage::Damage;
use crate::queue::{Cost, Reason};

/// What a store has done since it was opened, and what waits for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Slots' parts, claims and other writes that wait.
    pub writes_waiting: u64,
    /// Bytes of writes that wait.
    pub writes_waiting_bytes: u64,
    /// Reads that wait.
    pub reads_waiting: u64,
    /// Writes refused because too much waited.
    pub writes_refused_full: u64,
    /// Writes refused because there was no database: it was being opened or connected to again, or the store has ended.
    pub writes_refused_away: u64,
    /// Reads refused because too many waited.
    pub reads_refused_full: u64,
    /// Commits made.
    pub commits: u64,
    /// Microseconds that they took together, checks included.
    pub commit_micros: u64,
    /// Append calls in them.
    pub appends: u64,
    /// Messages in them.
    pub messages: u64,
    /// Bytes of messages in them, as stored.
    pub message_bytes: u64,
    /// Messages of the largest commit.
    pub largest_commit: u64,
    /// Slots' parts refused for their generation or head.
    pub parts_refused: u64,
    /// Commits that failed.
    pub commits_failed: u64,
    /// Calls in commits of which it is unknown whether they were made.
    pub calls_unknown: u64,
    /// Times that the database was opened, or a connection to it made, again.
    pub reopenings: u64,
    /// Heads of channels that have gone, since nothing had touched them for long and no message was left.
    pub heads_removed: u64,
    /// Calls that failed because a row, or what they gave, makes no sense.
    pub damage_met: u64,
    /// Fail-overs met that may have lost commits: each begins new epochs.
    pub fail_overs: u64,
}

/// What a commit consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    pub(crate) appends: u64,
    pub(crate) refused: u64,
    pub(crate) heads_removed: u64,
}

/// The counters behind [`StoreStats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    writes_refused_full: AtomicU64,
    writes_refused_away: AtomicU64,
    reads_refused_full: AtomicU64,
    commits: AtomicU64,
    commit_micros: AtomicU64,
    appends: AtomicU64,
    messages: AtomicU64,
    message_bytes: AtomicU64,
    largest_commit: AtomicU64,
    parts_refused: AtomicU64,
    commits_failed: AtomicU64,
    calls_unknown: AtomicU64,
    reopenings: AtomicU64,
    heads_removed: AtomicU64,
    pub(crate) damage: Damage,
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

impl Counters {
    pub(crate) fn count_commit(&self, sum: Sum, took: Duration) {
        add(&self.commits, 1);
        add(
            &self.commit_micros,
            u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        );
        add(&self.appends, sum.appends);
        add(&self.messages, sum.messages);
        add(&self.message_bytes, sum.bytes);
        add(&self.parts_refused, sum.refused);
        self.count_removed_heads(sum.heads_removed);
        self.largest_commit
            .fetch_max(sum.messages, Ordering::Relaxed);
    }

    pub(crate) fn count_failed_commit(&self) {
        add(&self.commits_failed, 1);
    }

    pub(crate) fn count_unknown_calls(&self, calls: usize) {
        add(&self.calls_unknown, number(calls));
    }

    pub(crate) fn count_removed_heads(&self, heads: u64) {
        add(&self.heads_removed, heads);
    }

    pub(crate) fn count_reopening(&self) {
        add(&self.reopenings, 1);
    }

    pub(crate) fn count_refused_write(&self, reason: Reason) {
        match reason {
            Reason::Full => add(&self.writes_refused_full, 1),
            Reason::Closed | Reason::Stopped => add(&self.writes_refused_away, 1),
        }
    }

    pub(crate) fn count_refused_read(&self, reason: Reason) {
        match reason {
            Reason::Full => add(&self.reads_refused_full, 1),
            // The queue of reads is never closed, and stopped only when nobody can call any more.
            Reason::Closed | Reason::Stopped => {}
        }
    }

    pub(crate) fn read(&self, writes: Cost, reads: Cost) -> StoreStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StoreStats {
            writes_waiting: number(writes.units),
            writes_waiting_bytes: number(writes.bytes),
            reads_waiting: number(reads.units),
            writes_refused_full: read(&self.writes_refused_full),
            writes_refused_away: read(&self.writes_refused_away),
            reads_refused_full: read(&self.reads_refused_full),
            commits: read(&self.commits),
            commit_micros: read(&self.commit_micros),
            appends: read(&self.appends),
            messages: read(&self.messages),
            message_bytes: read(&self.message_bytes),
            largest_commit: read(&self.largest_commit),
            parts_refused: read(&self.parts_refused),
            commits_failed: read(&self.commits_failed),
            calls_unknown: read(&self.calls_unknown),
            reopenings: read(&self.reopenings),
            heads_removed: read(&self.heads_removed),
            damage_met: self.damage.met(),
            fail_overs: 0,
        }
    }
}
