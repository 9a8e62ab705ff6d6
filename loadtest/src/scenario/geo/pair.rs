//! What one pair of regions measured.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::latency::Latency;
use crate::regions::Region;
use crate::report::Report;
use crate::scenario::feed::nanos;
use crate::scenario::follow::Got;

/// Two regions, in the direction of the messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) from: String,
    pub(super) to: String,
}

impl Pair {
    /// The pair's name, with which its figures begin.
    pub(super) fn name(&self) -> String {
        format!("{} → {}", self.from, self.to)
    }
}

/// All ordered pairs, by the region they begin in.
pub(super) fn all(regions: &[Region]) -> Vec<Pair> {
    let pair = |from: &Region, to: &Region| Pair {
        from: from.name.clone(),
        to: to.name.clone(),
    };
    let from = |from| regions.iter().map(move |to| pair(from, to));
    regions.iter().flat_map(from).collect()
}

/// The figures of a pair.
pub(super) const FLOOR: &str = "floor";
pub(super) const P50: &str = "p50";
pub(super) const P99: &str = "p99";
pub(super) const OWN_P50: &str = "own p50";
pub(super) const OWN_P99: &str = "own p99";

/// Deliveries of one run.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    floor: Duration,
    /// From the moment a message was due.
    delivery: Latency,
    /// The same without the floor.
    own: Latency,
    /// Deliveries that took less than the floor: then what stands between the edges isn't what was said.
    early: usize,
}

impl Measured {
    /// Counts what came of messages that were due from a moment on; the two round trips are the edges' to the backbone.
    ///
    /// # Errors
    /// When not exactly `count` messages came.
    pub(super) fn of(
        got: &[Got],
        count: usize,
        (from, to): (Duration, Duration),
        counted_from: u64,
    ) -> Result<Self> {
        ensure!(
            got.len() == count,
            "{count} messages were sent and {} came",
            got.len()
        );
        let mut measured = Self {
            floor: (from + to) / 2,
            delivery: Latency::new(),
            own: Latency::new(),
            early: 0,
        };
        let floor = nanos(measured.floor);
        for got in got.iter().filter(|got| got.due >= counted_from) {
            let took = got.came.saturating_sub(got.due);
            measured.early += usize::from(took < floor);
            measured.delivery.record_nanos(took);
            measured.own.record_nanos(took.saturating_sub(floor));
        }
        Ok(measured)
    }

    /// Adds a run's figures.
    ///
    /// # Errors
    /// When a message came before the emulated distances let it.
    pub(super) fn add_to(&self, report: &mut Report, pair: &Pair) -> Result<()> {
        let name = pair.name();
        ensure!(
            self.early == 0,
            "{name}: {} of {} messages took less than the floor, {:?}: the distances aren't what --rtt or /dev/mesh says",
            self.early,
            self.delivery.count(),
            self.floor
        );
        let mut add = |what, millis| report.add(format!("{name}, {what}"), "ms", millis);
        add(FLOOR, self.floor.as_secs_f64() * 1000.0);
        add(P50, self.delivery.millis(50.0));
        add(P99, self.delivery.millis(99.0));
        add(OWN_P50, self.own.millis(50.0));
        add(OWN_P99, self.own.millis(99.0));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: u64 = 1_000_000;

    /// Messages that were due each millisecond and took so many milliseconds.
    fn got(took: &[u64]) -> Vec<Got> {
        let message = |(number, took): (u64, &u64)| Got {
            number,
            offset: number,
            due: number * MILLI,
            came: (number + took) * MILLI,
        };
        (0..).zip(took).map(message).collect()
    }

    fn measured(took: &[u64], count: usize) -> Result<Report> {
        let rtt = Duration::from_millis;
        let measured = Measured::of(&got(took), count, (rtt(10), rtt(150)), MILLI)?;
        let pair = Pair {
            from: "a".to_owned(),
            to: "b".to_owned(),
        };
        let mut report = Report::new("geo");
        measured.add_to(&mut report, &pair).map(|()| report)
    }

    #[test]
    fn the_floor_is_half_of_each_round_trip() {
        let report = measured(&[500, 81, 82, 83], 4).expect("all is well");
        let median = |name: &str| report.figure(name).expect("it is there").median();
        assert!((median("a → b, floor") - 80.0).abs() < 1e-9);
        assert!((median("a → b, p50") - 82.0).abs() < 0.1);
        assert!((median("a → b, own p50") - 2.0).abs() < 0.01);
        assert!(
            (median("a → b, own p99") - 3.0).abs() < 0.01,
            "the first isn't counted"
        );
    }

    #[test]
    fn a_message_that_came_too_early_is_an_error() {
        assert!(measured(&[80, 80, 79], 3).is_err());
        assert!(measured(&[80, 80, 80], 3).is_ok());
    }

    #[test]
    fn a_missing_or_doubled_message_is_an_error() {
        assert!(measured(&[80, 80], 3).is_err());
        assert!(measured(&[80, 80], 1).is_err());
    }
}
