//! The runs of a command, summed up.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::outcome::Outcome;
use crate::latency::Latency;
use crate::report::Report;
use crate::scenario::proof::Kind;

/// What the runs of one fault gave.
#[derive(Debug)]
struct OfFault {
    runs: u32,
    with_in_flight: u32,
    /// Runs whose times don't count, since the machine was late.
    late: u32,
    /// For how long each channel that moved could not publish, of the runs whose times count.
    blackouts: Latency,
}

/// Figures of all runs so far, and what they found.
#[derive(Debug)]
pub(super) struct Tally {
    report: Report,
    by_fault: BTreeMap<String, OfFault>,
    found: [usize; Kind::ALL.len()],
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            report: Report::new("cluster"),
            by_fault: BTreeMap::new(),
            found: [0; Kind::ALL.len()],
        }
    }
}

impl Tally {
    /// Takes a run.
    pub(super) fn add(&mut self, fault: &str, outcome: &Outcome) {
        outcome.add_to(&mut self.report, fault);
        let of_fault = self.by_fault.entry(fault.to_owned()).or_insert(OfFault {
            runs: 0,
            with_in_flight: 0,
            late: 0,
            blackouts: Latency::new(),
        });
        of_fault.runs += 1;
        of_fault.with_in_flight += u32::from(outcome.in_flight() > 0);
        if outcome.counts() {
            let blackouts = outcome.blackouts_of_moved().into_iter();
            blackouts.for_each(|one| of_fault.blackouts.record(one));
        } else {
            of_fault.late += 1;
        }
        for (kind, found) in Kind::ALL.into_iter().zip(&mut self.found) {
            *found += outcome.verdict.count(kind);
        }
    }

    /// All figures.
    ///
    /// # Errors
    /// When a promise was broken in any run.
    pub(super) fn report(mut self) -> Result<Report> {
        for (fault, of_fault) in &self.by_fault {
            let mut add = |name: &str, unit, value| {
                self.report.add(format!("{fault}: {name}"), unit, value);
            };
            add("runs", "", f64::from(of_fault.runs));
            add(
                "runs with publishes in flight",
                "",
                f64::from(of_fault.with_in_flight),
            );
            add("runs with a late machine", "", f64::from(of_fault.late));
            let blackouts = &of_fault.blackouts;
            if blackouts.count() > 0 {
                for (name, percentile) in [("p50", 50.0), ("p99", 99.0), ("max", 100.0)] {
                    let name = format!("a channel that moved could not publish, {name}");
                    add(&name, "ms", blackouts.millis(percentile));
                }
            }
        }
        let found = Kind::ALL
            .iter()
            .zip(self.found)
            .filter(|(_, found)| *found > 0);
        let found: Vec<_> = found
            .map(|(kind, found)| format!("{}: {found}", kind.name()))
            .collect();
        if !found.is_empty() {
            bail!("promises were broken, {}", found.join(", "));
        }
        Ok(self.report)
    }
}
