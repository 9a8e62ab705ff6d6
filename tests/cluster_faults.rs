//! Faults of a mesh of several nodes under load: the load driver's proof by payload. `docs/guarantees.md` has the table.
//! That the proof can fail is shown where it is written (`loadtest/src/scenario/proof/verdict_tests.rs` and
//! `loadtest/src/scenario/cluster/judgement.rs`).

use clap::Parser;
use trunkline_loadtest::{Cli, Report, measure};

/// Makes runs of faults on one mesh, which fail where the proof does; nothing where PostgreSQL is missing.
fn run(faults: &str, nodes: &str, runs: &str) -> Option<Report> {
    let dir = env!("CARGO_TARGET_TMPDIR");
    let dir = format!("{dir}/cluster-{faults}-{}", std::process::id());
    let cli = Cli::parse_from([
        "loadtest",
        "cluster",
        "--fault",
        faults,
        "--nodes",
        nodes,
        "--runs",
        runs,
        "--trunkline",
        env!("CARGO_BIN_EXE_trunkline"),
        "--dir",
        &dir,
    ]);
    measure(&cli).unwrap_or_else(|error| panic!("{error:#}"))
}

/// Checks that there was something to prove.
fn check(report: &Report, fault: &str) {
    let figure = |name: &str| {
        let figure = report.figure(&format!("{fault}: {name}"));
        figure.expect("it is counted").median()
    };
    assert!(figure("acknowledged") > 500.0, "{report:?}");
    assert!(figure("kept") >= figure("acknowledged"), "{report:?}");
}

#[test]
fn a_node_that_is_alone_and_cut_off_breaks_no_promise() {
    let Some(report) = run("cut-store,cut-edges", "1", "1") else {
        return;
    };
    for fault in ["cut-store", "cut-edges"] {
        check(&report, fault);
    }
}
