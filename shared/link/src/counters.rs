//! What links count, for shells to fold into metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What one link has done so far, and how its path is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounters {
    /// Frames received.
    pub frames_in: u64,
    /// Frames written to QUIC.
    pub frames_out: u64,
    /// Bytes of frame streams received.
    pub bytes_in: u64,
    /// Bytes of frame streams written to QUIC.
    pub bytes_out: u64,
    /// Bytes queued and not yet written to QUIC, all streams together.
    pub queued_bytes: u64,
    /// Ephemeral frames dropped because that stream was behind.
    pub ephemeral_dropped: u64,
    /// QUIC's estimate of the round trip.
    pub rtt: Duration,
    /// Packets that QUIC counts as lost.
    pub lost_packets: u64,
    /// Bytes that the congestion controller allows under way.
    pub congestion_window: u64,
}

/// What a node's endpoint has done so far. Refusals are counted by their cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerCounters {
    /// Links welcomed.
    pub accepted: u64,
    /// Refused: no certificate, a foreign one, a wrong ALPN, or any other failure of QUIC's handshake.
    pub refused_handshake: u64,
    /// Refused: the certificate isn't an edge's.
    pub refused_identity: u64,
    /// Refused: no frame version in common.
    pub refused_version: u64,
    /// Refused: the hello or the streams didn't come as agreed.
    pub refused_hello: u64,
    /// Refused: hello not finished in time.
    pub refused_timeout: u64,
    /// Refused: `links_max` reached.
    pub refused_full: u64,
    /// Links closed because a newer one of the same life took their place.
    pub superseded: u64,
}

/// A number that many tasks add to; order between them doesn't matter.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The live numbers behind [`LinkCounters`].
#[derive(Debug, Default)]
pub(crate) struct LiveCounters {
    pub(crate) frames_in: Counter,
    pub(crate) frames_out: Counter,
    pub(crate) bytes_in: Counter,
    pub(crate) bytes_out: Counter,
    pub(crate) ephemeral_dropped: Counter,
}
