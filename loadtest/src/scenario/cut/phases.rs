//! Latencies of each region before, during and after a cut, and how a cut compares with none. Messages come from several
//! regions, so what each must take, half of both edges' emulated round trips, is told apart from what is the mesh's own.

use std::time::Duration;

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
    phases: [Phase; 3],
}

#[derive(Clone, Debug)]
struct Phase {
    delivery: Latency,
    /// The same without the floor.
    own: Latency,
}

impl Phases {
    pub(super) fn new(moments: Moments) -> Self {
        let phase = |_| Phase {
            delivery: Latency::new(),
            own: Latency::new(),
        };
        let phases = std::array::from_fn(phase);
        Self { moments, phases }
    }

    /// Counts messages; `floor` is the least that each can take, by its number.
    pub(super) fn record(&mut self, got: &[Got], floor: impl Fn(u64) -> Duration) {
        for got in got {
            let phase = match got.due {
                due if due < self.moments.cut => 0,
                due if due < self.moments.healed => 1,
                _ => 2,
            };
            let took = Duration::from_nanos(got.came.saturating_sub(got.due));
            let phase = &mut self.phases[phase];
            phase.delivery.record(took);
            phase.own.record(took.saturating_sub(floor(got.number)));
        }
    }

    /// Adds the percentiles of each phase.
    pub(super) fn add_to(&self, report: &mut Report, kind: &str, region: &str) {
        for (name, phase) in NAMES.iter().zip(&self.phases) {
            let mut add = |what, millis| {
                report.add(
                    figure(kind, region, &format!("{what} {name}")),
                    "ms",
                    millis,
                );
            };
            add("p50", phase.delivery.millis(50.0));
            add("p99", phase.delivery.millis(99.0));
            add("own p50", phase.own.millis(50.0));
            add("own p99", phase.own.millis(99.0));
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
        let figures = NAMES.map(|phase| [format!("p99 {phase}"), format!("own p99 {phase}")]);
        for what in figures.into_iter().flatten() {
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
            offset: due,
            due: due * 1_000_000,
            came: (due + took) * 1_000_000,
        };
        let mut phases = Phases::new(Moments {
            cut: 10_000_000,
            healed: 20_000_000,
        });
        let floor = |_| Duration::from_millis(45);
        phases.record(&[got(9, 50), got(10, 60), got(19, 60), got(20, 70)], floor);
        let mut report = Report::new("cut");
        phases.add_to(&mut report, kind(true), "a");
        let of = |name: &str| report.figure(name).expect("it is there").median();
        for (name, expected) in [("before", 50.0), ("during", 60.0), ("after", 70.0)] {
            let measured = of(&format!("cut, a, p99 {name}"));
            assert!((measured - expected).abs() < 0.1, "{name}: {measured}");
            let own = of(&format!("cut, a, own p99 {name}"));
            assert!((own - expected + 45.0).abs() < 0.1, "{name}: {own}");
        }
    }
}
