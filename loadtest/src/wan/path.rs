//! One direction of a link, as a state machine without clock and sockets.

use std::collections::BTreeMap;
use std::time::Instant;

use super::config::PathConfig;
use super::schedule::{Schedule, Verdict};

/// Bytes that one path keeps in flight; beyond them a datagram is dropped as by a full queue.
///
/// Half a second of a gigabit per second.
pub const IN_FLIGHT_BYTES_MAX: usize = 64 << 20;

/// What became of the datagrams of a path. Those that were handed in are these and the ones in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathCounts {
    /// Arrived.
    pub passed: u64,
    /// Lost on the wire.
    pub lost: u64,
    /// Dropped, because the queue or the path's memory was full.
    pub queue_full: u64,
    /// Dropped by a cut, those in flight at its beginning included.
    pub cut: u64,
}

/// One direction of a link, carrying items of type `T`.
///
/// `handle_input` takes what is sent, `poll_output` gives what has arrived by now, `poll_timeout` says when to ask again.
/// A datagram waits in the queue until the wire is free, is transmitted at the configured rate, and arrives after delay and
/// jitter. The same seed and the same arrivals give the same verdicts.
#[derive(Clone, Debug)]
pub struct Path<T> {
    schedule: Schedule,
    /// By arrival, and by number among those that arrive at once.
    in_flight: BTreeMap<(Instant, u64), (usize, T)>,
    in_flight_bytes: usize,
    number: u64,
    counts: PathCounts,
}

impl<T> Path<T> {
    /// Makes a path that carries nothing yet.
    pub fn new(config: PathConfig, seed: u64) -> Self {
        Self {
            schedule: Schedule::new(config, seed),
            in_flight: BTreeMap::new(),
            in_flight_bytes: 0,
            number: 0,
            counts: PathCounts::default(),
        }
    }

    /// Sends an item of `bytes` bytes and says what becomes of it.
    pub fn handle_input(&mut self, now: Instant, bytes: usize, item: T) -> Verdict {
        let mut verdict = self.schedule.admit(now, bytes);
        if self.in_flight_bytes + bytes > IN_FLIGHT_BYTES_MAX {
            verdict = Verdict::QueueFull;
        }
        match verdict {
            Verdict::Due(due) => {
                self.in_flight.insert((due, self.number), (bytes, item));
                self.in_flight_bytes += bytes;
                self.number += 1;
            }
            Verdict::Lost => self.counts.lost += 1,
            Verdict::QueueFull => self.counts.queue_full += 1,
            Verdict::Cut => self.counts.cut += 1,
        }
        verdict
    }

    /// When the next item arrives; nothing when none is in flight.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let ((due, _), _) = self.in_flight.first_key_value()?;
        Some(*due)
    }

    /// The next item that has arrived by now.
    pub fn poll_output(&mut self, now: Instant) -> Option<T> {
        let entry = self.in_flight.first_entry()?;
        if entry.key().0 > now {
            return None;
        }
        let (bytes, item) = entry.remove();
        self.in_flight_bytes -= bytes;
        self.counts.passed += 1;
        Some(item)
    }

    /// Changes what the path is like. What is queued or in flight keeps its time, and without `reorder` the next doesn't
    /// overtake it; a cut drops all of it, and after healing the path begins empty.
    pub fn configure(&mut self, config: PathConfig) {
        self.schedule.configure(config);
        if config.cut {
            self.counts.cut += self.in_flight.len() as u64;
            self.in_flight.clear();
            self.in_flight_bytes = 0;
        }
    }

    /// What the path is like now.
    pub const fn config(&self) -> PathConfig {
        self.schedule.config()
    }

    /// Items that are queued or in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// What became of the others.
    pub const fn counts(&self) -> PathCounts {
        self.counts
    }
}

#[cfg(test)]
mod tests;
