//! The narrowest place of a link: one datagram at a time goes onto the wire, the others wait in a queue that drops its tail.

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// A wire and the queue before it.
#[derive(Clone, Debug, Default)]
pub(super) struct Bottleneck {
    /// When each waiting datagram's transmission begins, and its bytes.
    waiting: VecDeque<(Instant, u64)>,
    waiting_bytes: u64,
    /// When the wire has sent all that was admitted; nothing before the first.
    free_at: Option<Instant>,
}

impl Bottleneck {
    /// When the last bit of a datagram will have left; nothing when the wire is busy and the queue has no room for it.
    ///
    /// What waits keeps its time when the rate changes, and the next goes behind it.
    pub(super) fn admit(
        &mut self,
        now: Instant,
        bytes: u64,
        rate_bits: Option<NonZeroU64>,
        queue_bytes_max: u64,
    ) -> Option<Instant> {
        self.begin_until(now);
        let begin = self.free_at.map_or(now, |free_at| free_at.max(now));
        if begin > now {
            if self.waiting_bytes + bytes > queue_bytes_max {
                return None;
            }
            self.waiting.push_back((begin, bytes));
            self.waiting_bytes += bytes;
        }
        let end = begin + rate_bits.map_or(Duration::ZERO, |rate_bits| on_wire(bytes, rate_bits));
        self.free_at = Some(end);
        Some(end)
    }

    fn begin_until(&mut self, now: Instant) {
        while let Some((begin, bytes)) = self.waiting.front()
            && *begin <= now
        {
            self.waiting_bytes -= bytes;
            self.waiting.pop_front();
        }
    }
}

fn on_wire(bytes: u64, rate_bits: NonZeroU64) -> Duration {
    let nanos = u128::from(bytes) * 8 * NANOS_PER_SECOND / u128::from(rate_bits.get());
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
