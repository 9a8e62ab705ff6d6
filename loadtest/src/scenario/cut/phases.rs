//! Latencies of each region before, during and after a cut, and how a cut compares with none.

use crate::latency::Latency;
use crate::regions::Region;
use crate::report::Report;
use crate::scenario::follow::Got;

/// When the cut began and ended, in the clock of payloads; of a run without one, when it would have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moments {
    pub(super) cut: u64,
    pub(super) healed: u64,
}

const NAMES: [&str; 3] = ["before", "during", "after"];

/// Deliveries by the phase in which the message was due.
#[derive(Clone, Debug)]
pub(super) struct Phases {
    moments: Moments,
    latencies: [Latency; 3],
}

impl Phases {
    pub(super) fn new(moments: Moments) -> Self {
        let latencies = std::array::from_fn(|_| Latency::new());
        Self { moments, latencies }
    }

    pub(super) fn record(&mut self, got: &[Got]) {
        for got in got {
            let phase = match got.due {
                due if due < self.moments.cut => 0,
                due if due < self.moments.healed => 1,
                _ => 2,
            };
            self.latencies[phase].record_nanos(got.came.saturating_sub(got.due));
        }
    }

    /// Adds p50 and p99 of each phase.
    pub(super) fn add_to(&self, report: &mut Report, kind: &str, region: &str) {
        for (name, latency) in NAMES.iter().zip(&self.latencies) {
            for percentile in [50, 99] {
                let figure = figure(kind, region, &format!("p{percentile} {name}"));
                report.add(figure, "ms", latency.millis(f64::from(percentile)));
            }
        }
    }
}

/// What a run with a cut is called, and one without.
pub(super) const fn kind(with_cut: bool) -> &'static str {
    if with_cut { "cut" } else { "no cut" }
}

pub(super) fn figure(kind: &str, region: &str, what: &str) -> String {
    format!("{kind}, {region}, {what}")
}

/// Adds how p99 of the regions that weren't cut compares with that of runs without a cut.
pub(super) fn add_ratios(report: &mut Report, regions: &[Region], cut: &Region) {
    for region in regions.iter().filter(|region| region.name != cut.name) {
        for phase in NAMES {
            let what = format!("p99 {phase}");
            let of = |with_cut| figure(kind(with_cut), &region.name, &what);
            let name = format!("cut / no cut, {}, {what}", region.name);
            report.add_ratio(&name, &of(true), &of(false));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_belongs_to_the_phase_in_which_it_was_due() {
        let got = |due: u64, took: u64| Got {
            number: due,
            due: due * 1_000_000,
            came: (due + took) * 1_000_000,
        };
        let mut phases = Phases::new(Moments {
            cut: 10_000_000,
            healed: 20_000_000,
        });
        phases.record(&[got(9, 50), got(10, 60), got(19, 60), got(20, 70)]);
        let mut report = Report::new("cut");
        phases.add_to(&mut report, kind(true), "a");
        let of = |name: &str| report.figure(name).expect("it is there").median();
        for (name, expected) in [("before", 50.0), ("during", 60.0), ("after", 70.0)] {
            let measured = of(&format!("cut, a, p99 {name}"));
            assert!((measured - expected).abs() < 0.1, "{name}: {measured}");
        }
    }
}
