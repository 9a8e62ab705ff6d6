//! A region cut off under traffic and healed, on a mesh with distances: the load driver's proof by payload, on a small scale.
//! That the proof can fail is shown where it is written (`loadtest/src/scenario/cut`).

mod harness;

use clap::Parser;
use trunkline_loadtest::{Cli, Report, measure};

use harness::{Mesh, trunkline};

/// A mesh with distances whose links are given up after two seconds of silence, so that a short cut is longer.
fn mesh() -> Mesh {
    let mut command = trunkline();
    command
        .env("TRUNKLINE_LINK__IDLE_TIMEOUT", "2s")
        .env("TRUNKLINE_LINK__KEEP_ALIVE", "500ms");
    Mesh::start_by(command, &["--wan", "default"])
}

/// Cuts `ap-south` off for four seconds of 50 messages each; fails where the proof does.
fn cut(mesh: &Mesh, flags: &[&str]) -> Report {
    let addresses = mesh.dir().join("dev.json");
    let addresses = addresses.to_str().expect("a path of letters");
    let seconds = "--seconds-before 1 --seconds-cut 4 --seconds-after 3";
    let words = format!("loadtest cut --region ap-south {seconds} --rate 50 --no-control");
    let words = words.split(' ').chain(["--dev-json", addresses]);
    let cli = Cli::parse_from(words.chain(flags.iter().copied()));
    measure(&cli).expect("the proof holds").expect("it reports")
}

fn figure(report: &Report, name: &str) -> f64 {
    let figure = report.figure(&format!("cut, {name}"));
    figure.unwrap_or_else(|| panic!("no {name}")).median()
}

#[track_caller]
fn check(report: &Report, name: &str, expected: f64) {
    let found = figure(report, name);
    assert!((found - expected).abs() < 0.5, "{name}: {found}");
}

#[test]
fn a_region_that_was_cut_off_catches_up_in_order_on_the_same_connections() {
    let mesh = mesh();
    let report = cut(&mesh, &["--channels", "5"]);
    check(&report, "acknowledged", 400.0);
    check(&report, "ap-south, subscribers", 2.0);
    check(&report, "ap-south, subscribers told of a gap", 0.0);
    check(&report, "ap-south, connections ended", 0.0);
    // Messages are due evenly over the four seconds, so half of them waited for two or longer.
    let cut_off = figure(&report, "ap-south, p50 during");
    assert!(cut_off >= 1000.0, "ap-south, p50 during: {cut_off}");
    let stayed = figure(&report, "eu-west, p50 during");
    assert!(stayed < cut_off, "eu-west, p50 during: {stayed}");
    assert!(figure(&report, "ap-south, caught up after") > 0.0);
}

#[test]
fn a_region_that_missed_more_than_the_history_is_told_so() {
    let mesh = mesh();
    for namespace in ["live", "scores"] {
        let report = cut(&mesh, &["--one-channel", "--namespace", namespace]);
        check(&report, "ap-south, subscribers told of a gap", 2.0);
        check(&report, "ap-south, connections ended", 0.0);
    }
}
