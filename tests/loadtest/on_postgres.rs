//! Scenarios that look at the database of a node's store.

use crate::harness::Mesh;
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

fn readers_are_counted_by_the_server_too(mesh: &Mesh) {
    let history = report(
        mesh,
        &[
            "history",
            "--joiners",
            "30",
            "--concurrency",
            "10",
            "--messages",
            "200",
            "--pages",
            "9",
            "--gzip",
            "--pg",
            &mesh.address("postgres", "dsn"),
            "--edge-metrics",
            &metrics(mesh, "edge-us-east"),
            "--node-metrics",
            &metrics(mesh, "backbone-1"),
        ],
    );
    let of = |name| median(&history, name);
    let different = of("different pages");
    assert!(different >= 4.0, "{history:?}");
    assert_eq!(
        of("pages read") as u64,
        30 * different as u64,
        "{history:?}"
    );
    assert_eq!(of("asked of the owner: a page") as u64, different as u64);
    assert!(of("store reads") <= different, "{history:?}");
    let scans = of("scans of messages, by PostgreSQL");
    assert_eq!(scans == 0.0, of("store reads") == 0.0, "{history:?}");
    assert!(of("not modified p50") > 0.0, "{history:?}");
}
