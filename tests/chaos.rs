//! Faults under load, on a small scale: the load driver's proof by payload. `.ci/run` makes runs of every fault,
//! `docs/guarantees.md` has the table. That the proof can fail is shown where it is written
//! (`loadtest/src/scenario/chaos/verdict_tests.rs`).

use clap::Parser;
use trunkline_loadtest::{Cli, measure};

/// Makes one run of a fault, which fails where the proof does; checks that there was something to prove.
fn run(fault: &str) {
    let cli = Cli::parse_from([
        "loadtest",
        "chaos",
        "--fault",
        fault,
        "--runs",
        "1",
        "--trunkline",
        env!("CARGO_BIN_EXE_trunkline"),
        "--dir",
        &format!(
            "{}/chaos-{fault}-{}",
            env!("CARGO_TARGET_TMPDIR"),
            std::process::id()
        ),
    ]);
    let report = measure(&cli)
        .unwrap_or_else(|error| panic!("{error:#}"))
        .expect("the fault needs nothing that may be missing");
    let figure = |name| report.figure(name).expect("it is counted").median();
    assert!(figure("acknowledged") > 100.0, "{report:?}");
    assert!(figure("kept") >= figure("acknowledged"), "{report:?}");
}

#[test]
fn all_processes_killed_at_once_break_no_promise() {
    run("all");
}

#[test]
fn a_cut_link_breaks_no_promise() {
    run("link");
}
