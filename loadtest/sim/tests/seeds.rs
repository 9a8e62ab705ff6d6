//! Some hundred seeds, each a whole mesh under attack.

mod common;

use common::{env, show, sweep};
use trunkline_sim::{Event, Options, run};

#[test]
fn seeds_of_the_first_share_keep_every_promise() {
    sweep(0);
}

#[test]
fn seeds_of_the_second_share_keep_every_promise() {
    sweep(1);
}

#[test]
fn one_seed() {
    let Some(seed) = env("TRUNKLINE_SEED") else {
        return;
    };
    let report = run(
        seed,
        Options {
            trace: true,
            ..Options::default()
        },
    );
    show(&report);
    assert!(report.failures.is_empty(), "{report}");
}

#[test]
fn a_seed_run_twice_gives_the_same_trace() {
    for seed in [3, 14, 15, 92] {
        let traced = Options {
            trace: true,
            ..Options::default()
        };
        let (first, second) = (run(seed, traced), run(seed, traced));
        assert_ne!(first.trace_hash, 0);
        assert_eq!(first.trace_hash, second.trace_hash, "seed {seed}");
        assert_eq!(first.coverage, second.coverage);
        assert!(first.coverage.of(Event::Acked) > 0);
    }
}
