//! The load driver against a mesh: it measures what it says, and would say if something were lost.

mod harness;

/// What is large enough for a file of its own.
mod loadtest {
    mod on_postgres;
    mod storm;
}

use clap::Parser;
use trunkline_loadtest::{Cli, Report, measure};

use harness::Mesh;

fn report(mesh: &Mesh, words: &[&str]) -> Report {
    let url = mesh.websocket("edge-eu-west");
    let api = format!("http://{}", mesh.address("edge-us-east", "listen"));
    let flags = ["--url", &url, "--api", &api];
    let cli = Cli::parse_from(["loadtest"].iter().chain(words).chain(&flags));
    measure(&cli).expect("it measures").expect("it reports")
}

fn median(report: &Report, name: &str) -> f64 {
    report.figure(name).expect("it is measured").median()
}

fn metrics(mesh: &Mesh, name: &str) -> String {
    format!("http://{}/metrics", mesh.address(name, "admin"))
}

#[test]
fn every_scenario_measures_a_mesh() {
    let mesh = Mesh::start();
    let pid = std::fs::read_to_string(mesh.dir().join("pids/edge-eu-west")).expect("a pid");
    let edge = format!("edge={}", pid.trim());
    let fanout = report(
        &mesh,
        &[
            "fanout",
            "--subscribers",
            "20",
            "--seconds",
            "1",
            "--pid",
            &edge,
        ],
    );
    assert!(
        (median(&fanout, "deliveries") - 2000.0).abs() < 0.5,
        "{fanout:?}"
    );
    assert!(median(&fanout, "latency p50") > 0.0, "{fanout:?}");
    let publish = report(&mesh, &["publish", "--publishers", "2", "--seconds", "0.2"]);
    for road in ["WebSocket", "API"] {
        let rate = median(&publish, &format!("{road}, publishes per second"));
        assert!(rate > 0.0, "{publish:?}");
    }
    let ping = report(&mesh, &["ping", "--count", "20"]);
    assert!(median(&ping, "edge, owner, edge p50") > 0.0, "{ping:?}");
    let resume = report(
        &mesh,
        &[
            "resume",
            "--connections",
            "10",
            "--channels",
            "5",
            "--pool",
            "10",
            "--missed",
            "3",
            "--client-rtt",
            "20ms",
            "--edge-metrics",
            &metrics(&mesh, "edge-eu-west"),
            "--node-metrics",
            &metrics(&mesh, "backbone-1"),
        ],
    );
    let counts = ["answered by the edge", "asked of the owner", "store reads"];
    let counts = counts.map(|name| median(&resume, name) as u64);
    assert_eq!(counts, [50, 0, 0], "{resume:?}");
    let (there, back) = ("round trip to the edge p50", "socket open to recovered p50");
    for figure in [there, back] {
        assert!(median(&resume, figure) >= 20_000.0, "{resume:?}");
    }
    let history = report(
        &mesh,
        &[
            "history",
            "--joiners",
            "20",
            "--concurrency",
            "5",
            "--messages",
            "120",
            "--pages",
            "3",
            "--edge-metrics",
            &metrics(&mesh, "edge-us-east"),
            "--node-metrics",
            &metrics(&mesh, "backbone-1"),
        ],
    );
    let counts = [
        "pages read",
        "different pages",
        "asked of the owner: a page",
    ];
    let counts = counts.map(|name| median(&history, name) as u64);
    assert_eq!(counts, [60, 3, 3], "{history:?}");
    let ratio = median(&history, "cache hit ratio");
    assert!((0.5..1.0).contains(&ratio), "{history:?}");
    let idle = report(
        &mesh,
        &[
            "idle",
            "--connections",
            "10,20",
            "--hold",
            "0",
            "--pid",
            &edge,
        ],
    );
    assert!(median(&idle, "resident with 20") > 0.0, "{idle:?}");
}

#[test]
fn every_pair_of_regions_is_measured_and_drawn() {
    let mesh = Mesh::start();
    let page = mesh.dir().join("report/geo.html");
    let edge = |region: &str| format!("{region}={}", mesh.websocket(&format!("edge-{region}")));
    let (eu, ap) = (edge("eu-west"), edge("ap-south"));
    let cli = Cli::parse_from([
        "loadtest",
        "geo",
        "--edge",
        &eu,
        "--edge",
        &ap,
        "--seconds",
        "1",
        "--report",
        page.to_str().expect("a path of letters"),
    ]);
    let report = measure(&cli).expect("it measures").expect("it reports");
    for pair in [
        "eu-west → eu-west",
        "eu-west → ap-south",
        "ap-south → eu-west",
    ] {
        assert!(median(&report, &format!("{pair}, p50")) > 0.0, "{report:?}");
    }
    let page = std::fs::read_to_string(page).expect("it is written");
    assert!(page.contains("<svg"), "{page}");
}
