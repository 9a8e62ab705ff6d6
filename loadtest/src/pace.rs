//! What is sent is due by the clock. A batch waits for the answers to the one before it; what that costs is in its latency,
//! which counts from the moment it was due.

use std::time::{Duration, Instant};

use crate::args::PaceArgs;
use crate::latency::Latency;
use crate::payload;

/// When batches are due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pace {
    /// Messages of a batch, at least one.
    pub(crate) burst: usize,
    /// From one batch to the next.
    period: Duration,
    /// Batches of a run, at least one.
    pub(crate) batches: u32,
}

impl Pace {
    pub(crate) fn new(args: PaceArgs) -> Self {
        let burst = args.burst.max(1);
        let period = burst as f64 / args.rate.max(0.001);
        let batches = (args.seconds / period).round().clamp(1.0, 1e9);
        Self {
            burst,
            period: Duration::from_secs_f64(period),
            batches: batches as u32,
        }
    }

    /// Messages of a run.
    pub(crate) const fn messages(self) -> u64 {
        self.batches as u64 * self.burst as u64
    }

    /// Sleeps until a batch is due and notes by how much it comes late; returns when it was due, for its payloads: a
    /// batch that was held up counts from then, as it would for a user.
    pub(crate) fn wait(self, start: Instant, batch: u32, lateness: &mut Latency) -> u64 {
        let due = start + self.period * batch;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let late = Instant::now().saturating_duration_since(due);
        lateness.record(late);
        payload::now().saturating_sub(u64::try_from(late.as_nanos()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(rate: f64, burst: usize, seconds: f64) -> Pace {
        Pace::new(PaceArgs {
            rate,
            burst,
            seconds,
        })
    }

    #[test]
    fn a_burst_keeps_the_rate() {
        let single = pace(100.0, 1, 20.0);
        assert_eq!(
            (single.period, single.messages()),
            (Duration::from_millis(10), 2000)
        );
        let burst = pace(100.0, 8, 20.0);
        assert_eq!(
            (burst.period, burst.messages()),
            (Duration::from_millis(80), 2000)
        );
    }

    #[test]
    fn a_run_has_at_least_one_message() {
        assert_eq!(pace(0.0, 0, 0.0).messages(), 1);
    }

    #[test]
    fn a_batch_that_is_overdue_is_late() {
        let mut lateness = Latency::new();
        let start = Instant::now() - Duration::from_secs(1);
        let due = pace(100.0, 1, 1.0).wait(start, 0, &mut lateness);
        assert!(lateness.micros(50.0) >= 999_000.0);
        assert!(payload::now() - due >= 1_000_000_000, "it counts from then");
    }
}
