//! Scenarios that look at the database of a node's store.

use serde_json::json;
use trunkline_loadtest::Report;

use crate::harness::{Mesh, wait_until};
use crate::{median, metrics, report};

#[test]
fn durable_publishes_and_history_pages_are_measured_beside_their_database() {
    let Some(mesh) = Mesh::start_on_postgres() else {
        return;
    };
    publishes_stand_beside_a_bare_server(&mesh);
    readers_are_counted_by_the_server_too(&mesh);
}

fn publishes_stand_beside_a_bare_server(mesh: &Mesh) {
    let dsn = mesh.address("postgres", "dsn");
    let publish = report(
        mesh,
        &[
            "publish",
            "--publishers",
            "3",
            "--in-flight",
            "2",
            "--channels",
            "2",
            "--seconds",
            "0.3",
            "--roads",
            "ws",
            "--floor-pg",
            &dsn,
        ],
    );
    let ratio = median(&publish, "floor / WebSocket, publishes per second");
    assert!(ratio > 0.0, "{publish:?}");
    let left = "SELECT count(*) FROM pg_namespace WHERE nspname = 'trunkline_floor'";
    assert_eq!(mesh.sql(left), "0");
}

/// The node is started anew between, so that no ring has the messages and the store must be read.
fn readers_are_counted_by_the_server_too(mesh: &Mesh) {
    // Other pages than those that are read later, which no cache must have.
    let flags = ["--joiners", "1", "--pages", "1", "--limit", "7"];
    read(mesh, &metrics(mesh, "backbone-1"), &flags);
    let node = mesh.again("backbone-1", |_| {});
    wait_until("the node", || {
        let answer = mesh.api(
            "edge-us-east",
            "history",
            &json!({ "channel": "chat:late" }),
        );
        answer["error"].is_null().then_some(())
    });
    let dsn = mesh.address("postgres", "dsn");
    let flags = [
        "--joiners",
        "30",
        "--pages",
        "9",
        "--filled",
        "--gzip",
        "--pg",
        &dsn,
    ];
    let node_metrics = format!("http://{}/metrics", node.address("admin"));
    let history = read(mesh, &node_metrics, &flags);
    let of = |name| median(&history, name) as u64;
    let different = of("different pages");
    assert!((4..=9).contains(&different), "{history:?}");
    assert_eq!(of("pages read"), 30 * different, "{history:?}");
    assert_eq!(of("asked of the owner: a page"), different, "{history:?}");
    assert_eq!(of("store reads"), different, "{history:?}");
    let scans = of("scans of messages, by PostgreSQL");
    assert!(scans >= different, "{history:?}");
    assert!(of("not modified p50") > 0, "{history:?}");
}

/// Lets joiners read a channel of 200 messages to its end.
fn read(mesh: &Mesh, node_metrics: &str, flags: &[&str]) -> Report {
    let edge_metrics = metrics(mesh, "edge-us-east");
    let mut words = vec![
        "history",
        "--channel",
        "chat:late",
        "--concurrency",
        "10",
        "--messages",
        "200",
        "--edge-metrics",
        &edge_metrics,
        "--node-metrics",
        node_metrics,
    ];
    words.extend(flags);
    report(mesh, &words)
}
