//! Pings of WebSocket, for clients that ask for them.

use std::time::Duration;

use super::client::{Client, HANDSHAKE};
use super::fixture::{Thread, config};
use crate::config::EdgeConfig;
use crate::reader::tests::masked;

/// A client of a new thread that wants WebSocket's pings, and has asked to connect.
async fn pinged_client(config: EdgeConfig) -> (Thread, Client) {
    let thread = Thread::start(config);
    let mut client = Client::new(thread.address).await;
    let request = HANDSHAKE.replace(
        "websocket HTTP",
        "websocket?cf_ws_frame_ping_pong=true HTTP",
    );
    client.request(&format!("{request}\r\n")).await;
    client.send_text(r#"{"id":1,"connect":{}}"#).await;
    (thread, client)
}

#[tokio::test]
async fn a_client_that_asks_for_native_pings_gets_them_and_must_answer() {
    let mut config = config();
    config.client.ping_interval = Duration::from_millis(60);
    config.client.pong_timeout = Duration::from_millis(50);
    let (_thread, mut client) = pinged_client(config).await;
    let mut pinged = false;
    let close = loop {
        match client.frame().await {
            (0x89, _) => pinged = true,
            (0x81, reply) => assert!(!String::from_utf8_lossy(&reply).contains("\"ping\"")),
            (_, close) => break close,
        }
    };
    assert!(pinged);
    assert_eq!(
        (&close[..2], &close[2..]),
        (&3012_u16.to_be_bytes()[..], &b"no pong"[..])
    );
}

#[tokio::test]
async fn a_socket_with_native_pings_goes_with_its_connection_and_not_at_the_next_ping() {
    let mut config = config();
    config.client.ping_interval = Duration::from_hours(1);
    let (thread, mut client) = pinged_client(config).await;
    client.text().await;
    assert_eq!(thread.gate.sockets(), 1);
    client.send(&masked(0x88, b"\x03\xe8")).await;
    client.close().await;
    client.end().await;
    // The thread answers when it has forgotten the connection, whose place is then free.
    while thread.report().await.stats.sockets > 0 {}
    assert_eq!(thread.gate.sockets(), 0);
}
