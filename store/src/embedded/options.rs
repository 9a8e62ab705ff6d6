//! Settings of the embedded store.

use std::time::Duration;

use trunkline_shared::limits::{STORE_READS_MAX, STORE_WRITES_BYTES_MAX};

/// How much memory, disk and how many threads the store may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes of the cache of blocks read from disk. Default 64 MiB.
    pub cache_bytes: u64,
    /// Bytes of journals on disk before tables are written; at least 64 MiB. Default 256 MiB: what a start reads at most.
    pub journal_bytes_max: u64,
    /// Threads that read; at least 1. Default 2.
    pub readers: usize,
    /// Reads that may wait for a thread; beyond it they are answered "away". Default 4096.
    pub reads_max: usize,
    /// How long a head that nothing touches outlives its messages, until [`keep_heads`](super::EmbeddedStore::keep_heads) says
    /// otherwise: one that has no younger message goes then, with the older
    /// ones. At least the longest TTL of any namespace; `None`, the default: for ever.
    pub heads_kept: Option<Duration>,
    /// Bytes of writes that may wait; beyond it they are answered "away". Default 64 MiB.
    pub writes_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 64 << 20,
            journal_bytes_max: 256 << 20,
            readers: 2,
            reads_max: STORE_READS_MAX,
            heads_kept: None,
            writes_bytes_max: STORE_WRITES_BYTES_MAX,
        }
    }
}
