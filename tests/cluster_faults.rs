//! Faults of a mesh of several nodes under load: the load driver's proof by payload. `docs/guarantees.md` has the table.
//! That the proof can fail is shown where it is written (`loadtest/src/scenario/proof/verdict_tests.rs` and
//! `loadtest/src/scenario/cluster/judgement.rs`).

use clap::Parser;
use trunkline_loadtest::{Cli, Report, measure};

/// Faults that take turns on the mesh: those of one node. `.ci/run` makes two runs of each fault.
const FAULTS: [&str; 6] = ["join", "leave", "kill", "freeze", "cut-store", "cut-edges"];

/// Makes a run of each fault on one mesh, which fails where the proof does; nothing where PostgreSQL is missing.
fn run(faults: &[&str]) -> Option<Report> {
    let dir = env!("CARGO_TARGET_TMPDIR");
    let dir = format!("{dir}/cluster-{}", std::process::id());
    let cli = Cli::parse_from([
        "loadtest",
        "cluster",
        "--fault",
        &faults.join(","),
        "--runs",
        "1",
        "--trunkline",
        env!("CARGO_BIN_EXE_trunkline"),
        "--dir",
        &dir,
    ]);
    measure(&cli).unwrap_or_else(|error| panic!("{error:#}"))
}

#[test]
fn nodes_that_come_go_and_are_cut_off_break_no_promise() {
    let Some(report) = run(&FAULTS) else {
        return;
    };
    for fault in FAULTS {
        let figure = |name: &str| {
            let figure = report.figure(&format!("{fault}: {name}"));
            figure.expect("it is counted").median()
        };
        // There was something to prove.
        assert!(figure("acknowledged") > 500.0, "{report:?}");
        let moves = fault != "cut-edges";
        assert!(!moves || figure("channels that moved") > 10.0, "{report:?}");
        assert!(figure("kept") >= figure("acknowledged"), "{report:?}");
    }
}
