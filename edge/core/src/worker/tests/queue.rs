use bytesize::ByteSize;
use trunkline_protocol::Encoding;

use super::requests::{client, presence, publish};
use super::rig::{Rig, config};
use crate::exchange::Answer;
use crate::worker::{ClientConfig, ConnId};

fn rig(bytes: u64, publications: usize) -> (Rig, ConnId) {
    let mut rig = Rig::with(ClientConfig {
        queue_max_size: ByteSize(bytes),
        queue_max_publications: publications,
        ..config()
    });
    let conn = rig.connected(Encoding::Json);
    rig.subscribed_at(conn, "plain:x", None);
    (rig, conn)
}

#[test]
fn a_stalled_socket_is_closed_when_its_queue_is_full_of_bytes() {
    let (mut rig, conn) = rig(1_000, 1_000);
    rig.stall(conn, true);
    let data = [&b"\""[..], &b"x".repeat(300), b"\""].concat();
    for _ in 0..2 {
        rig.ephemeral("plain:x", &data, true);
    }
    assert_eq!(rig.close_code(conn), None);
    for _ in 0..2 {
        rig.ephemeral("plain:x", &data, true);
    }
    assert_eq!(rig.close_code(conn), Some(3008));
    assert_eq!(rig.worker.outbox(conn).count(), 0);
    assert_eq!(rig.worker.stats().counters.overflows, 1);
}

#[test]
fn a_stalled_socket_is_closed_when_its_queue_is_full_of_publications() {
    let (mut rig, conn) = rig(1 << 20, 3);
    rig.stall(conn, true);
    for _ in 0..3 {
        rig.ephemeral("plain:x", b"1", true);
    }
    assert_eq!(rig.close_code(conn), None);
    rig.ephemeral("plain:x", b"1", true);
    assert_eq!(rig.close_code(conn), Some(3008));
}

#[test]
fn a_socket_that_takes_everything_is_never_full() {
    let (mut rig, conn) = rig(1_000, 3);
    for _ in 0..100 {
        rig.ephemeral("plain:x", b"1", true);
    }
    assert_eq!(rig.close_code(conn), None);
    assert_eq!(rig.lines(conn).len(), 100);
}

#[test]
fn between_two_writes_a_queue_may_pass_its_limit() {
    let (mut rig, conn) = rig(1 << 20, 3);
    let shared = super::requests::shared("plain:x", super::requests::E1, 0);
    for _ in 0..10 {
        let message = crate::exchange::ToWorker::Publication(shared.clone());
        rig.worker
            .handle_input(rig.now, crate::worker::Input::Upstream(message));
    }
    assert_eq!(rig.worker.take_dirty(), Some(conn));
    assert_eq!(rig.worker.take_dirty(), None);
    let bytes: usize = rig.worker.outbox(conn).map(bytes::Bytes::len).sum();
    rig.worker.written(rig.now, conn, bytes, false);
    assert_eq!(rig.worker.stats().counters.overflows, 0);
}

#[test]
fn a_slow_socket_goes_on_when_it_takes_bytes_again() {
    let (mut rig, conn) = rig(1 << 20, 3);
    rig.stall(conn, true);
    rig.ephemeral("plain:x", b"1", true);
    rig.ephemeral("plain:x", b"2", true);
    assert!(rig.lines(conn).is_empty());
    rig.stall(conn, false);
    assert_eq!(rig.lines(conn).len(), 2);
    for _ in 0..5 {
        rig.ephemeral("plain:x", b"3", true);
    }
    assert_eq!(rig.lines(conn).len(), 5);
}

#[test]
fn a_slow_socket_hurts_nobody_else() {
    let (mut rig, slow) = rig(1_000, 3);
    let other = rig.connected(Encoding::Protobuf);
    rig.subscribed_at(other, "plain:x", None);
    rig.stall(slow, true);
    for _ in 0..10 {
        rig.ephemeral("plain:x", b"1", true);
    }
    assert_eq!(rig.close_code(slow), Some(3008));
    assert_eq!(rig.lines(other).len(), 10);
}

#[test]
fn a_reply_that_alone_exceeds_the_queue_closes() {
    let (mut rig, conn) = rig(2_000, 1_000);
    rig.subscribed_at(
        conn,
        "open:x",
        Some(super::requests::at(super::requests::E1, 1)),
    );
    rig.send(conn, [(3, presence("open:x"))]);
    let ticket = rig.ticket();
    let clients = (0..50)
        .map(|id| client("somebody", &format!("client {id}")))
        .collect();
    rig.answer(ticket, Answer::Presence(clients));
    assert_eq!(rig.close_code(conn), Some(3008));
}

#[test]
fn a_closed_connection_keeps_what_is_to_be_flushed() {
    let (mut rig, conn) = rig(1 << 20, 1_000);
    rig.stall(conn, true);
    rig.ephemeral("plain:x", b"1", true);
    rig.send(conn, [(3, trunkline_protocol::Request::None)]);
    assert_eq!(rig.close_code(conn), Some(3501));
    rig.ephemeral("plain:x", b"2", true);
    rig.stall(conn, false);
    assert_eq!(rig.lines(conn).len(), 1);
}

#[test]
fn replies_to_a_stalled_socket_count_for_the_queue() {
    let (mut rig, conn) = rig(300, 1_000);
    rig.stall(conn, true);
    for id in 3..40 {
        rig.send(conn, [(id, publish("closed:x", "1"))]);
    }
    assert_eq!(rig.close_code(conn), Some(3008));
}
