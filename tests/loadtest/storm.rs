//! A storm of resumes over a mesh that keeps its messages in PostgreSQL: what the server itself has counted.

use serde_json::{Value, json};

use crate::harness::raw_socket::RawSocket;
use crate::harness::{Mesh, wait_until};
use crate::{median, metrics, report};

const CHANNELS: u64 = 5;
const MISSED: u64 = 20;

#[test]
fn a_storm_of_resumes_inside_the_rings_reads_no_message_of_the_database() {
    let Some(mesh) = Mesh::start_on_postgres() else {
        return;
    };
    let before = scans(&mesh);
    until_it_works_again(&mesh);
    storm_at_an_edge_that_has_the_messages(&mesh);
    storm_at_an_edge_that_asks_the_owner(&mesh);
    assert_eq!(scans(&mesh), before, "the database was read");
    let counted = counted(&mesh.address("backbone-1", "admin"));
    assert_eq!(counted.reads, 0);
    assert!(counted.recoveries_from_ring >= CHANNELS, "{counted:?}");
    what_is_in_no_ring_is_read_and_counted(&mesh, before);
}

/// 200 connections of 5 channels come back to the edge that they were at.
fn storm_at_an_edge_that_has_the_messages(mesh: &Mesh) {
    let resume = report(
        mesh,
        &[
            "resume",
            "--namespace",
            "chat",
            "--connections",
            "200",
            "--channels",
            &CHANNELS.to_string(),
            "--pool",
            &CHANNELS.to_string(),
            "--missed",
            &MISSED.to_string(),
            "--edge-metrics",
            &metrics(mesh, "edge-eu-west"),
            "--node-metrics",
            &metrics(mesh, "backbone-1"),
        ],
    );
    let counts = ["answered by the edge", "asked of the owner", "store reads"];
    let counts = counts.map(|name| median(&resume, name) as u64);
    assert_eq!(counts, [200 * CHANNELS, 0, 0], "{resume:?}");
}

/// 40 connections come with the same positions to an edge that has never heard of the channels.
fn storm_at_an_edge_that_asks_the_owner(mesh: &Mesh) {
    for _ in 0..40 {
        assert_eq!(recovered(mesh, "edge-us-east"), CHANNELS * MISSED);
    }
}

/// The same positions after the owner's rings were lost, from an edge without any: it is certain that a read is seen.
fn what_is_in_no_ring_is_read_and_counted(mesh: &Mesh, before: u64) {
    let node = mesh.again("backbone-1", |_| {});
    wait_until("the node", || {
        let answer = mesh.api(
            "edge-ap-south",
            "history",
            &json!({ "channel": "chat:probe-1" }),
        );
        answer["error"].is_null().then_some(())
    });
    assert_eq!(recovered(mesh, "edge-ap-south"), CHANNELS * MISSED);
    assert!(counted(&node.address("admin")).reads >= CHANNELS);
    assert!(scans(mesh) > before);
}

/// Lets a client of an edge recover all channels from their begin; returns how many messages came.
fn recovered(mesh: &Mesh, edge: &str) -> u64 {
    let mut socket = RawSocket::open(&mesh.address(edge, "listen"), "");
    socket.say(r#"{"id":1,"connect":{}}"#);
    let names = (0..CHANNELS).map(|number| format!("chat:loadtest-resume-{number}"));
    let mut came = 0;
    for name in names {
        let position = mesh.api(edge, "history", &json!({ "channel": name }));
        let epoch = &position["result"]["epoch"];
        let subscribe = json!({ "channel": name, "recover": true, "epoch": epoch, "offset": 0 });
        socket.say(&json!({ "id": 2, "subscribe": subscribe }).to_string());
        let reply = reply(&mut socket);
        assert_eq!(reply["subscribe"]["recovered"], true, "{reply}");
        let publications = reply["subscribe"]["publications"].as_array();
        came += publications.map_or(0, Vec::len) as u64;
    }
    came
}

/// The reply to command 2; pushes and other replies are passed over.
fn reply(socket: &mut RawSocket) -> Value {
    loop {
        let text = socket.text();
        let mut lines = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"));
        if let Some(reply) = lines.find(|line: &Value| line["id"] == 2) {
            return reply;
        }
    }
}

/// How often tables of messages were scanned, by index or whole, as PostgreSQL counts it.
///
/// A session tells what it has counted at the latest when it ends, so the node's are ended first; it makes new ones.
fn scans(mesh: &Mesh) -> u64 {
    let ended = mesh.sql(
        "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid, 60000)) FROM pg_stat_activity \
         WHERE application_name = 'trunkline'",
    );
    assert!(ended.parse::<u64>().expect("a number") > 0);
    let scans = mesh.sql(
        "SELECT sum(seq_scan + coalesce(idx_scan, 0)) FROM pg_stat_user_tables \
         WHERE schemaname = 'trunkline' AND relname LIKE 'message%'",
    );
    scans.parse().expect("a number")
}

/// Waits until the node has connections again, to append and to read heads.
fn until_it_works_again(mesh: &Mesh) {
    let mut number = 0;
    wait_until("a publish after the sessions were ended", || {
        number += 1;
        let body = json!({ "channel": format!("chat:probe-{number}"), "data": {} });
        let answer = mesh.api("edge-eu-west", "publish", &body);
        answer["error"].is_null().then_some(())
    });
}

/// What the node has counted.
#[derive(Debug)]
struct Counted {
    reads: u64,
    recoveries_from_ring: u64,
}

fn counted(admin: &str) -> Counted {
    let mut response = ureq::get(format!("http://{admin}/metrics"))
        .call()
        .expect("metrics");
    let text = response.body_mut().read_to_string().expect("text");
    let of = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name));
        value
            .unwrap_or_else(|| panic!("no {name}"))
            .trim()
            .parse()
            .expect("a number")
    };
    Counted {
        reads: of("trunkline_backbone_reads_total"),
        recoveries_from_ring: of("trunkline_backbone_recoveries_from_ring_total"),
    }
}
