use std::time::Duration;

use serde_json::json;
use trunkline_protocol::client::ServerMessage;
use trunkline_protocol::{Encoding, Reply, ReplyBody};

use super::requests::{connect, subscribe, token};
use super::rig::{Rig, START, config};
use crate::worker::ClientConfig;

const NOW: u64 = START.as_secs();

#[test]
fn an_anonymous_client_is_told_its_id_and_the_heartbeat() {
    for encoding in Encoding::ALL {
        let mut rig = Rig::new();
        let conn = rig.open(encoding);
        rig.send(conn, [(1, connect(""))]);
        let messages = rig.messages(conn);
        let [
            ServerMessage::Reply(Reply {
                id: 1,
                body: ReplyBody::Connect(result),
            }),
        ] = &messages[..]
        else {
            panic!("{messages:?}");
        };
        let parts: Vec<usize> = result.client.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(&result.client[14..15], "4");
        assert!(result.version.starts_with("trunkline/"));
        assert_eq!((result.ping, result.pong), (25, true));
        assert_eq!(
            (result.expires, &*result.session, &*result.node),
            (false, "", "")
        );
    }
}

#[test]
fn connection_ids_differ() {
    let mut rig = Rig::new();
    let ids: Vec<String> = (0..2)
        .map(|_| {
            let conn = rig.open(Encoding::Json);
            rig.send(conn, [(1, connect(""))]);
            format!("{:?}", rig.messages(conn))
        })
        .collect();
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn without_a_token_nobody_comes_in_unless_configured() {
    let closed = ClientConfig {
        allow_anonymous_connect_without_token: false,
        ..config()
    };
    let mut rig = Rig::with(closed);
    let conn = rig.open(Encoding::Json);
    rig.send(conn, [(1, connect(""))]);
    assert_eq!(rig.close_code(conn), Some(3501));
    assert!(rig.lines(conn).is_empty());
}

#[test]
fn a_token_that_expires_is_told_with_the_time_left() {
    let mut rig = Rig::new();
    let conn = rig.open(Encoding::Json);
    rig.send(
        conn,
        [(1, connect(&token(&json!({"sub": "42", "exp": NOW + 10}))))],
    );
    assert_eq!(rig.lines(conn), ["1 connect ping=25 pong=true ttl=10"]);
}

#[test]
fn a_token_with_expire_at_zero_never_ends_the_connection() {
    let mut rig = Rig::new();
    let claims = json!({"sub": "42", "exp": NOW + 5, "expire_at": 0});
    let conn = rig.open_with(Encoding::Json, false);
    rig.send(conn, [(1, connect(&token(&claims)))]);
    assert_eq!(rig.lines(conn), ["1 connect ping=0 pong=false"]);
    rig.pass(Duration::from_secs(60));
    assert_eq!(rig.close_code(conn), None);
}

#[test]
fn an_expired_token_is_error_109_and_the_next_command_closes() {
    for encoding in Encoding::ALL {
        let mut rig = Rig::new();
        let conn = rig.open(encoding);
        rig.send(
            conn,
            [(1, connect(&token(&json!({"sub": "42", "exp": NOW}))))],
        );
        assert_eq!(rig.lines(conn), ["1 error 109"]);
        assert_eq!(rig.close_code(conn), None);
        rig.send(conn, [(2, subscribe("open:a"))]);
        assert_eq!(rig.close_code(conn), Some(3501));
    }
}

#[test]
fn a_failed_connect_that_sends_nothing_more_is_closed_as_stale() {
    let mut rig = Rig::new();
    let conn = rig.open(Encoding::Json);
    rig.send(
        conn,
        [(1, connect(&token(&json!({"sub": "42", "exp": NOW}))))],
    );
    rig.pass(Duration::from_micros(9_999_999));
    assert_eq!(rig.close_code(conn), None);
    rig.pass(Duration::from_micros(1));
    assert_eq!(rig.close_code(conn), Some(3502));
}

#[test]
fn a_connection_that_is_over_already_is_error_110() {
    let mut rig = Rig::new();
    let conn = rig.open(Encoding::Json);
    rig.send(
        conn,
        [(1, connect(&token(&json!({"sub": "42", "expire_at": NOW}))))],
    );
    assert_eq!(rig.lines(conn), ["1 error 110"]);
}

#[test]
fn a_token_that_names_channels_is_told_that_it_cannot_have_them() {
    for claims in [
        json!({"sub": "42", "channels": ["rec:a"]}),
        json!({"sub": "42", "subs": {"rec:a": {}}}),
    ] {
        let mut rig = Rig::new();
        let conn = rig.open(Encoding::Json);
        rig.send(conn, [(1, connect(&token(&claims)))]);
        assert_eq!(rig.lines(conn), ["1 error 108"]);
    }
}

#[test]
fn invalid_tokens_close_with_3500() {
    let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiI0MiJ9.".to_owned();
    let channel = token(&json!({"sub": "42", "channel": "open:a"}));
    for token in ["x".to_owned(), unsigned, channel] {
        let mut rig = Rig::new();
        let conn = rig.open(Encoding::Json);
        rig.send(conn, [(1, connect(&token))]);
        assert_eq!(rig.close_code(conn), Some(3500), "{token}");
    }
}

#[test]
fn tokens_of_nobody_are_refused_where_configured() {
    let strict = ClientConfig {
        disallow_anonymous_connection_tokens: true,
        ..config()
    };
    let mut rig = Rig::with(strict);
    let conn = rig.open(Encoding::Json);
    rig.send(conn, [(1, connect(&token(&json!({}))))]);
    assert_eq!(rig.close_code(conn), Some(3507));
}

#[test]
fn a_socket_that_never_connects_is_closed_as_stale() {
    let mut rig = Rig::new();
    let conn = rig.open(Encoding::Json);
    rig.pass(Duration::from_micros(9_999_999));
    assert_eq!(rig.close_code(conn), None);
    rig.pass(Duration::from_micros(1));
    assert_eq!(rig.close_code(conn), Some(3502));
}

#[test]
fn connections_and_users_are_counted_until_they_close() {
    let mut rig = Rig::new();
    let [first, second, _other] = ["42", "42", "43"].map(|user| rig.user(user));
    assert_eq!(
        (rig.worker.stats().clients, rig.worker.stats().users),
        (3, 2)
    );
    for conn in [first, second] {
        rig.input(crate::worker::Input::Closed { conn });
    }
    let stats = rig.worker.stats();
    assert_eq!((stats.clients, stats.users, stats.sockets), (1, 1, 1));
}
