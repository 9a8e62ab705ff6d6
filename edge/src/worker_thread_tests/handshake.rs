//! Who is let in, and how.

use std::sync::atomic::Ordering;
use std::time::Duration;

use trunkline_edge_core::exchange::ToWorker;

use super::client::{Client, HANDSHAKE};
use super::fixture::{Thread, config};
use crate::reader::tests::masked;

#[tokio::test]
async fn a_handshake_is_answered_as_rfc_6455_wants_it() {
    let thread = Thread::start(config());
    let response = Client::new(thread.address)
        .await
        .request(&format!("{HANDSHAKE}\r\n"))
        .await;
    assert!(response.starts_with("HTTP/1.1 101"), "{response}");
    assert!(
        response.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="),
        "{response}"
    );
    assert!(!response.contains("sec-websocket-protocol"), "{response}");
}

#[tokio::test]
async fn an_offered_protobuf_is_echoed_and_spoken() {
    let thread = Thread::start(config());
    let mut client = Client::new(thread.address).await;
    let request = format!("{HANDSHAKE}Sec-WebSocket-Protocol: chat, centrifuge-protobuf\r\n\r\n");
    let response = client.request(&request).await;
    assert!(
        response.contains("sec-websocket-protocol: centrifuge-protobuf\r\n"),
        "{response}"
    );
    // Command {id: 1, connect: {}}, with its length.
    client.send(&masked(0x82, b"\x04\x08\x01\x22\x00")).await;
    let (first, reply) = client.frame().await;
    assert_eq!((first, &reply[1..3]), (0x82, &b"\x08\x01"[..]));
}

#[tokio::test]
async fn what_comes_in_one_packet_with_the_handshake_is_read() {
    let thread = Thread::start(config());
    let mut client = Client::new(thread.address).await;
    let command = masked(0x81, br#"{"id":1,"connect":{}}"#);
    client
        .send(&[format!("{HANDSHAKE}\r\n").as_bytes(), &command].concat())
        .await;
    assert!(client.response().await.starts_with("HTTP/1.1 101"));
    assert!(client.text().await.starts_with(r#"{"id":1,"connect":{"#));
}

#[tokio::test]
async fn a_plain_get_of_the_websocket_path_is_a_bad_request() {
    let thread = Thread::start(config());
    let mut client = Client::new(thread.address).await;
    let response = client
        .request("GET /connection/websocket HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    assert!(response.starts_with("HTTP/1.1 400"), "{response}");
    // The connection is still good for other requests.
    let response = client
        .request("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    assert!(response.starts_with("HTTP/1.1 404"), "{response}");
}

#[tokio::test]
async fn other_paths_are_the_routers() {
    let thread = Thread::start(config());
    let mut client = Client::new(thread.address).await;
    let response = client
        .request("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
}

#[tokio::test]
async fn a_page_of_another_origin_is_refused() {
    let mut config = config();
    config.client.allowed_origins = vec!["https://good.example".to_owned()];
    let thread = Thread::start(config);
    for (origin, status) in [
        ("https://good.example", "101"),
        ("https://evil.example", "403"),
    ] {
        let mut client = Client::new(thread.address).await;
        let response = client
            .request(&format!("{HANDSHAKE}Origin: {origin}\r\n\r\n"))
            .await;
        assert!(
            response.starts_with(&format!("HTTP/1.1 {status}")),
            "{response}"
        );
    }
    assert_eq!(
        thread
            .gate
            .counters()
            .refused_origin
            .load(Ordering::Relaxed),
        1
    );
}

#[tokio::test]
async fn beyond_the_connection_limit_nobody_is_let_in() {
    let mut config = config();
    config.edge.connection_limit = 1;
    let thread = Thread::start(config);
    let first = Client::connected(thread.address).await;
    let response = Client::new(thread.address)
        .await
        .request(&format!("{HANDSHAKE}\r\n"))
        .await;
    assert!(response.starts_with("HTTP/1.1 503"), "{response}");
    drop(first);
}

#[tokio::test]
async fn beyond_the_limit_of_other_connections_each_is_refused_at_once() {
    let mut config = config();
    config.edge.http_connection_limit = 1;
    let thread = Thread::start(config);
    let mut first = Client::new(thread.address).await;
    first
        .request("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    let mut second = Client::new(thread.address).await;
    assert!(second.response().await.starts_with("HTTP/1.1 503"));
}

#[tokio::test]
async fn a_connection_that_asks_nothing_is_closed() {
    let mut config = config();
    config.edge.header_timeout = Duration::from_millis(300);
    let thread = Thread::start(config);
    let mut silent = Client::new(thread.address).await;
    let mut slow = Client::new(thread.address).await;
    slow.send(b"GET /health HTTP/1.1\r\n").await;
    let mut kept = Client::new(thread.address).await;
    let response = kept
        .request("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    assert!(response.contains("content-length: 2"), "{response}");
    let mut body = [0; 2];
    tokio::io::AsyncReadExt::read_exact(&mut kept.0, &mut body)
        .await
        .expect("the body");
    for client in [&mut silent, &mut slow, &mut kept] {
        let mut rest = Vec::new();
        let _ = super::fixture::within(tokio::io::AsyncReadExt::read_to_end(
            &mut client.0,
            &mut rest,
        ))
        .await;
    }
}

#[tokio::test]
async fn while_the_edge_stops_nobody_is_let_in() {
    let thread = Thread::start(config());
    let mut client = Client::new(thread.address).await;
    client
        .request("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    thread.gate.close();
    let response = client.request(&format!("{HANDSHAKE}\r\n")).await;
    assert!(response.starts_with("HTTP/1.1 503"), "{response}");
}

#[tokio::test]
async fn an_edge_that_sends_its_clients_away_lets_nobody_in_until_it_is_linked_again() {
    let thread = Thread::start(config());
    let mut client = Client::connected(thread.address).await;
    for (isolated, status) in [(true, "HTTP/1.1 503"), (false, "HTTP/1.1 101")] {
        thread.tell(ToWorker::Isolated(isolated));
        // Answered after what came before it.
        thread.report().await;
        let response = Client::new(thread.address)
            .await
            .request(&format!("{HANDSHAKE}\r\n"))
            .await;
        assert!(response.starts_with(status), "{response}");
    }
    let refused = &thread.gate.counters().refused_isolated;
    assert_eq!(refused.load(Ordering::Relaxed), 1);
    client
        .send_text(r#"{"id":2,"unsubscribe":{"channel":"live:1"}}"#)
        .await;
    assert_eq!(client.text().await, r#"{"id":2,"unsubscribe":{}}"#);
}
