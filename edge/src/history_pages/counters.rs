//! What the history pages count.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;

/// Counts of all workers together.
#[derive(Debug, Default)]
pub(crate) struct HistoryCounters {
    statuses: [AtomicU64; 6],
    /// Pages served from the cache.
    pub(super) hits: AtomicU64,
    /// Pages that weren't in it.
    pub(super) misses: AtomicU64,
    /// Requests that waited for another one's question.
    pub(super) waits: AtomicU64,
    /// Questions where a channel stands.
    pub(super) positions: AtomicU64,
    /// Questions for messages.
    pub(super) pages: AtomicU64,
}

/// The counts of one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HistoryReport {
    /// Requests by the first digit of their status.
    pub(crate) statuses: [u64; 6],
    /// Pages served from the cache.
    pub(crate) hits: u64,
    /// Pages that weren't in it.
    pub(crate) misses: u64,
    /// Requests that waited for another one's question.
    pub(crate) waits: u64,
    /// Questions where a channel stands.
    pub(crate) positions: u64,
    /// Questions for messages.
    pub(crate) pages: u64,
    /// Bytes of the cache.
    pub(crate) bytes: u64,
}

impl HistoryCounters {
    pub(super) fn answered(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100);
        if let Some(count) = self.statuses.get(class) {
            add(count);
        }
    }

    pub(super) fn report(&self, bytes: u64) -> HistoryReport {
        let now = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        HistoryReport {
            statuses: std::array::from_fn(|class| now(&self.statuses[class])),
            hits: now(&self.hits),
            misses: now(&self.misses),
            waits: now(&self.waits),
            positions: now(&self.positions),
            pages: now(&self.pages),
            bytes,
        }
    }
}

/// Adds one.
pub(super) fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
