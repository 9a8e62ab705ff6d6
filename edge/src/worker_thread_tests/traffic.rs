//! What goes through an open connection, and how it ends.

use trunkline_edge_core::exchange::{Answer, ToUpstream};

use super::client::{Client, HANDSHAKE};
use super::fixture::{Thread, config, position, publication};
use crate::reader::tests::masked;

#[tokio::test]
async fn a_publication_reaches_its_subscribers_once_and_in_order() {
    let mut thread = Thread::start(config());
    let mut first = thread.subscriber("live:1").await;
    let mut second = thread.subscriber("live:1").await;
    for offset in 1..=300 {
        thread.tell(publication(offset, format!("{{\"n\":{offset}}}")));
    }
    for client in [&mut first, &mut second] {
        for offset in 1..=300 {
            let data = format!("{{\"n\":{offset}}}");
            let expected = format!(
                r#"{{"push":{{"channel":"live:1","pub":{{"data":{data},"offset":{offset}}}}}}}"#
            );
            assert_eq!(client.text().await, expected);
        }
    }
    let report = thread.report().await;
    assert_eq!((report.stats.clients, report.stats.subscriptions), (2, 2));
    assert_eq!(report.stats.counters.publications_out, 600);
}

#[tokio::test]
async fn a_publish_goes_upstream_and_its_answer_comes_back() {
    let mut thread = Thread::start(config());
    let mut client = Client::connected(thread.address).await;
    client
        .send_text(r#"{"id":2,"publish":{"channel":"live:1","data":{"a":1}}}"#)
        .await;
    let ToUpstream::Publish {
        ticket,
        publication,
        ..
    } = thread.said().await
    else {
        panic!("a publish")
    };
    assert_eq!(&publication.data.bytes()[..], br#"{"a":1}"#);
    thread.answer(
        ticket,
        Answer::Published {
            position: Some(position(1)),
        },
    );
    assert_eq!(client.text().await, r#"{"id":2,"publish":{}}"#);
}

#[tokio::test]
async fn more_commands_than_may_be_in_flight_are_all_answered() {
    let mut thread = Thread::start(config());
    let mut client = Client::connected(thread.address).await;
    for id in 2..=601 {
        client
            .send_text(&format!(
                r#"{{"id":{id},"publish":{{"channel":"live:1","data":1}}}}"#
            ))
            .await;
    }
    for id in 2..=601 {
        let ToUpstream::Publish { ticket, .. } = thread.said().await else {
            panic!("a publish")
        };
        thread.answer(
            ticket,
            Answer::Published {
                position: Some(position(id)),
            },
        );
    }
    for id in 2..=601 {
        assert_eq!(
            client.text().await,
            format!(r#"{{"id":{id},"publish":{{}}}}"#)
        );
    }
}

#[tokio::test]
async fn a_websocket_ping_is_answered_between_frames() {
    let thread = Thread::start(config());
    let mut client = Client::connected(thread.address).await;
    client.send(&masked(0x89, b"hi")).await;
    assert_eq!(client.frame().await, (0x8a, b"hi".to_vec()));
}

#[tokio::test]
async fn a_command_before_connect_closes_with_3501_and_a_reason() {
    let thread = Thread::start(config());
    let mut client = Client::new(thread.address).await;
    client.request(&format!("{HANDSHAKE}\r\n")).await;
    client
        .send_text(r#"{"id":1,"subscribe":{"channel":"live:1"}}"#)
        .await;
    assert_eq!(client.close().await, (3501, "bad request".to_owned()));
    client.answer_close().await;
}

#[tokio::test]
async fn replies_are_written_before_the_close_frame() {
    let thread = Thread::start(config());
    let mut client = Client::new(thread.address).await;
    client.request(&format!("{HANDSHAKE}\r\n")).await;
    client
        .send_text("{\"id\":1,\"connect\":{}}\n{\"id\":2,\"connect\":{}}")
        .await;
    assert!(client.text().await.starts_with(r#"{"id":1,"connect":{"#));
    assert_eq!(client.close().await.0, 3501);
    client.answer_close().await;
}

#[tokio::test]
async fn what_the_websocket_protocol_forbids_closes_with_its_codes() {
    let thread = Thread::start(config());
    for (bytes, code) in [
        (b"\x81\x02{}".to_vec(), 1002),
        (masked(0x81, b"\xff"), 1007),
        (masked(0x81, &vec![b' '; (64 << 10) + 1]), 1009),
    ] {
        let mut client = Client::connected(thread.address).await;
        client.send(&bytes).await;
        let (closed, reason) = client.close().await;
        assert_eq!(closed, code);
        assert!(!reason.is_empty());
    }
}

#[tokio::test]
async fn a_clients_close_is_echoed_and_the_socket_goes() {
    let mut thread = Thread::start(config());
    let mut client = thread.subscriber("live:1").await;
    client.send(&masked(0x88, b"\x03\xe8bye")).await;
    let (first, payload) = client.frame().await;
    assert_eq!((first, &payload[..2]), (0x88, &b"\x03\xe8"[..]));
    client.end().await;
    let ToUpstream::Unsubscribe { channel } = thread.said().await else {
        panic!("an unsubscribe")
    };
    assert_eq!(channel.as_str(), "live:1");
}

#[tokio::test]
async fn a_socket_that_goes_without_a_word_is_noticed() {
    let mut thread = Thread::start(config());
    drop(thread.subscriber("live:1").await);
    assert!(matches!(
        thread.said().await,
        ToUpstream::Unsubscribe { .. }
    ));
    assert_eq!(thread.report().await.stats.sockets, 0);
}
