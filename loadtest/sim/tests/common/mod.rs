//! Running many seeds and showing what came of them.

use std::collections::BTreeMap;

use trunkline_sim::{Coverage, Event, Options, Report, run};

/// Seeds that are run where `TRUNKLINE_SEEDS` says nothing else.
const SEEDS: u64 = 320;

/// Tests that share the seeds, to run in parallel.
const SHARES: u64 = 2;

/// Events that every seed must meet.
const EVERY_SEED: [Event; 4] = [Event::Acked, Event::Lag, Event::Behind, Event::Pull];

/// Events that nine of ten seeds must meet: a slow client may be told 2500 by its worker before its own queue is full, and a
/// worker may be slow when nothing comes.
const MOST_SEEDS: [Event; 3] = [Event::Slow3008, Event::UnknownAppend, Event::WorkerLag];

/// A number from the environment.
#[expect(
    clippy::disallowed_methods,
    reason = "the machines are pure, their tests are not"
)]
pub(crate) fn env(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs one share of the seeds; every one of them must keep every promise and fill the queues that are made to be filled,
/// and together they must meet every event.
pub(crate) fn sweep(share: u64) {
    let seeds = env("TRUNKLINE_SEEDS").unwrap_or(SEEDS);
    let mut coverage = Coverage::default();
    let mut failed: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    let mut quiet = Vec::new();
    let mut rare: BTreeMap<Event, u64> = BTreeMap::new();
    for seed in (share..seeds).step_by(usize::try_from(SHARES).expect("few")) {
        let report = run(seed, Options::default());
        for failure in &report.failures {
            let of_check = failed.entry(failure.check).or_default();
            if of_check.last() != Some(&seed) {
                of_check.push(seed);
            }
        }
        let missing = EVERY_SEED
            .into_iter()
            .filter(|event| report.coverage.of(*event) == 0);
        quiet.extend(missing.map(|event| (seed, event)));
        for event in MOST_SEEDS {
            *rare.entry(event).or_default() += u64::from(report.coverage.of(event) == 0);
        }
        coverage.merge(&report.coverage);
    }
    for event in Event::ALL {
        eprintln!("{:>20} {}", format!("{event:?}"), coverage.of(event));
    }
    if let Some(seed) = failed.values().flatten().min() {
        let report = run(
            *seed,
            Options {
                trace: true,
                ..Options::default()
            },
        );
        panic!("seeds failed: {failed:?}\n{report}");
    }
    assert_eq!(coverage.missing(), [], "never happened in {seeds} seeds");
    assert_eq!(quiet, [], "queues are made to be filled by every seed");
    let too_rare: Vec<_> = rare
        .iter()
        .filter(|(_, without)| **without * 10 * SHARES > seeds)
        .collect();
    assert_eq!(
        too_rare,
        [],
        "seeds without these events, of {seeds} in {SHARES} shares"
    );
}

/// Prints the whole trace of a run.
pub(crate) fn show(report: &Report) {
    for (at, line) in &report.trace {
        eprintln!("{:>12} {line}", at.as_micros());
    }
}
