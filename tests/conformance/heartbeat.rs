//! Group P: pings and pongs, with lower bounds only.

use std::time::{Duration, Instant};

use serde_json::json;
use trunkline_protocol::Encoding;

use super::client::Client;
use super::mesh::Edge;

/// Half of the interval: pings begin at random between it and the whole one.
const FIRST_PING: Duration = Duration::from_secs(1);
const INTERVAL: Duration = Duration::from_secs(2);
const PONG_TIMEOUT: Duration = Duration::from_secs(1);

fn pings_come_and_the_connection_lives(encoding: Encoding, ping_on_the_wire: &[u8]) {
    let mut client = Client::open(Edge::Fast, encoding);
    let before = Instant::now();
    client.connect(&json!({}));
    for count in 0..5 {
        let (bytes, at) = client.ping();
        assert_eq!(bytes, ping_on_the_wire);
        let since = at.duration_since(before);
        assert!(since >= FIRST_PING + INTERVAL * count, "{count}: {since:?}");
    }
    client.expect_silence();
}

#[test]
fn p_01_a_json_client_that_answers_pings_lives() {
    pings_come_and_the_connection_lives(Encoding::Json, b"{}");
}

#[test]
fn p_01_a_protobuf_client_that_answers_pings_lives() {
    pings_come_and_the_connection_lives(Encoding::Protobuf, b"\0");
}

#[test]
fn p_02_a_client_that_answers_no_ping_is_closed_with_3012() {
    for encoding in Encoding::ALL {
        let mut client = Client::open_silent(Edge::Fast, encoding);
        let before = Instant::now();
        client.connect(&json!({}));
        client.ping();
        let at = client.expect_close(3012, "no pong");
        let since = at.duration_since(before);
        assert!(since >= FIRST_PING + PONG_TIMEOUT, "{since:?}");
    }
}
