use std::time::Duration;

use trunkline_protocol::message::{RpcRequest, SendRequest};
use trunkline_protocol::{Encoding, Request};

use super::requests::{connect, subscribe, subscribed, unsubscribe};
use super::rig::Rig;
use crate::worker::{ConnId, Input};

/// The code that a connected client is closed with after a message.
#[track_caller]
fn check(request: (u32, Request), code: Option<u16>) {
    for encoding in Encoding::ALL {
        let mut rig = Rig::new();
        let conn = rig.connected(encoding);
        rig.send(conn, [request.clone()]);
        assert_eq!(rig.close_code(conn), code, "{encoding:?}");
    }
}

#[test]
fn the_first_command_must_be_connect() {
    for encoding in Encoding::ALL {
        let mut rig = Rig::new();
        let conn = rig.open(encoding);
        rig.send(conn, [(1, subscribe("open:a"))]);
        assert_eq!(rig.close_code(conn), Some(3501));
    }
}

#[test]
fn a_connect_without_an_id_is_refused() {
    let mut rig = Rig::new();
    let conn = rig.open(Encoding::Json);
    rig.send(conn, [(0, connect(""))]);
    assert_eq!(rig.close_code(conn), Some(3501));
}

#[test]
fn a_second_connect_is_refused() {
    check((2, connect("")), Some(3501));
}

#[test]
fn a_command_without_a_method_is_refused() {
    check((5, Request::None), Some(3501));
}

#[test]
fn a_ping_by_the_client_is_refused() {
    check((5, Request::Ping), Some(3501));
}

#[test]
fn a_pong_before_any_ping_is_refused() {
    check((0, Request::None), Some(3501));
}

#[test]
fn a_command_without_a_channel_is_refused() {
    check((2, subscribe("")), Some(3501));
    check((2, unsubscribe("")), Some(3501));
}

#[test]
fn a_send_is_not_available_with_or_without_an_id() {
    check((0, Request::Send(SendRequest::default())), Some(3508));
    check((2, Request::Send(SendRequest::default())), Some(3508));
}

#[test]
fn an_rpc_of_an_unknown_method_is_error_108() {
    for encoding in Encoding::ALL {
        let mut rig = Rig::new();
        let conn = rig.connected(encoding);
        rig.send(conn, [(2, Request::Rpc(RpcRequest::default()))]);
        assert_eq!(rig.lines(conn), ["2 error 108"]);
        assert_eq!(rig.close_code(conn), None);
    }
}

#[test]
fn connect_and_subscribe_may_share_a_message() {
    for encoding in Encoding::ALL {
        let mut rig = Rig::new();
        let conn = rig.open(encoding);
        rig.send(conn, [(1, connect("")), (2, subscribe("plain:a"))]);
        let ticket = rig.ticket();
        rig.answer(ticket, subscribed(None));
        assert_eq!(
            rig.lines(conn),
            ["1 connect ping=25 pong=true", "2 subscribe"]
        );
    }
}

#[test]
fn commands_before_a_malformed_one_are_done() {
    let mut rig = Rig::new();
    let conn = rig.open(Encoding::Json);
    rig.send_bytes(conn, &b"{\"id\":1,\"connect\":{}}\n{bad json"[..]);
    assert_eq!(rig.lines(conn).len(), 1);
    assert_eq!(rig.close_code(conn), Some(3501));
}

#[test]
fn empty_and_truncated_messages_are_refused() {
    for (encoding, frame) in [
        (Encoding::Json, &b""[..]),
        (Encoding::Protobuf, &b"\x7f\x01"[..]),
    ] {
        let mut rig = Rig::new();
        let conn = rig.connected(encoding);
        rig.send_bytes(conn, frame);
        assert_eq!(rig.close_code(conn), Some(3501));
    }
}

#[test]
fn a_closed_connection_does_nothing_more() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.send(conn, [(5, Request::None), (6, subscribe("plain:a"))]);
    rig.send(conn, [(7, subscribe("plain:a"))]);
    assert!(rig.lines(conn).is_empty());
    assert!(rig.asked().is_empty());
    rig.pass(Duration::from_secs(600));
    assert_eq!(rig.worker.poll_timeout(), None);
    rig.input(Input::Closed { conn });
    assert_eq!(rig.worker.stats().sockets, 0);
}

#[test]
fn what_concerns_an_unknown_connection_is_ignored() {
    let mut rig = Rig::new();
    let conn = ConnId(99);
    rig.input(Input::Closed { conn });
    rig.input(Input::Message {
        conn,
        data: bytes::Bytes::from_static(b"{}"),
    });
    rig.worker.written(rig.now, conn, 5, true);
    assert_eq!(rig.worker.outbox(conn).count(), 0);
}

#[test]
fn fifty_commands_of_one_message_are_each_answered_once() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.send(conn, (2..52).map(|id| (id, unsubscribe("open:a"))));
    let expected: Vec<String> = (2..52).map(|id| format!("{id} unsubscribe")).collect();
    assert_eq!(rig.lines(conn), expected);
}
