use std::time::Duration;

use serde_json::json;
use trunkline_protocol::message::RefreshRequest;
use trunkline_protocol::{Encoding, Request};

use super::requests::{E1, at, sub_refresh, subscribe_with_token, subscribed, token};
use super::rig::{Rig, START};
use crate::worker::ConnId;

const NOW: u64 = START.as_secs();

fn refresh(token: String) -> Request {
    Request::Refresh(RefreshRequest { token })
}

fn user(rig: &mut Rig) -> ConnId {
    let token = token(&json!({"sub": "42", "exp": NOW + 10}));
    rig.connected_with(Encoding::Protobuf, &token)
}

/// How a refresh with these claims closes the connection.
#[track_caller]
fn check_refresh(token: String, code: u16) {
    let mut rig = Rig::new();
    let conn = user(&mut rig);
    rig.send(conn, [(2, refresh(token))]);
    assert_eq!(rig.close_code(conn), Some(code));
}

#[test]
fn a_good_refresh_prolongs_the_connection() {
    let mut rig = Rig::new();
    let conn = user(&mut rig);
    let prolonged = token(&json!({"sub": "42", "exp": NOW + 100}));
    rig.send(conn, [(2, refresh(prolonged))]);
    assert_eq!(rig.lines(conn), ["2 refresh ttl=100"]);
    rig.send(conn, [(3, refresh(token(&json!({"sub": "42"}))))]);
    assert_eq!(rig.lines(conn), ["3 refresh"]);
    assert_eq!(rig.close_code(conn), None);
}

#[test]
fn a_bad_refresh_closes_the_connection() {
    check_refresh(token(&json!({"sub": "42", "exp": NOW})), 3005);
    check_refresh("x".to_owned(), 3500);
    check_refresh(token(&json!({"sub": "43", "exp": NOW + 100})), 3500);
    check_refresh(String::new(), 3501);
}

/// A connection with a subscription that ends in 30 s.
fn subscriber(rig: &mut Rig) -> ConnId {
    let conn = rig.user("42");
    let claims = json!({"sub": "42", "channel": "rec:x", "exp": NOW + 30});
    rig.send(conn, [(2, subscribe_with_token("rec:x", &claims))]);
    let ticket = rig.ticket();
    rig.answer(ticket, subscribed(Some(at(E1, 5))));
    rig.lines(conn);
    conn
}

#[test]
fn a_good_sub_refresh_prolongs_the_subscription() {
    let mut rig = Rig::new();
    let conn = subscriber(&mut rig);
    let longer = token(&json!({"sub": "42", "channel": "rec:x", "exp": NOW + 300}));
    let forever = token(&json!({"sub": "42", "channel": "rec:x"}));
    rig.send(
        conn,
        [
            (3, sub_refresh("rec:x", longer)),
            (4, sub_refresh("rec:x", forever)),
        ],
    );
    assert_eq!(rig.lines(conn), ["3 sub_refresh ttl=300", "4 sub_refresh"]);
}

#[test]
fn an_expired_sub_refresh_makes_the_client_subscribe_again() {
    let mut rig = Rig::new();
    let conn = subscriber(&mut rig);
    let expired = token(&json!({"sub": "42", "channel": "rec:x", "exp": NOW}));
    rig.send(conn, [(3, sub_refresh("rec:x", expired))]);
    assert_eq!(rig.lines(conn), ["rec:x unsubscribe 2501", "3 sub_refresh"]);
    rig.pass(Duration::from_secs(1));
    rig.publication("rec:x", E1, 6);
    assert!(rig.lines(conn).is_empty());
}

#[test]
fn a_sub_refresh_of_what_is_over_or_not_had_or_without_a_token_is_an_error() {
    let mut rig = Rig::new();
    let conn = subscriber(&mut rig);
    let over = token(&json!({"sub": "42", "channel": "rec:x", "expire_at": 1}));
    let other = token(&json!({"sub": "42", "channel": "rec:y"}));
    rig.send(
        conn,
        [
            (3, sub_refresh("rec:x", over)),
            (4, sub_refresh("rec:y", other)),
        ],
    );
    rig.send(conn, [(5, sub_refresh("rec:x", String::new()))]);
    assert_eq!(
        rig.lines(conn),
        ["3 error 110", "4 error 103", "5 error 107"]
    );
}

#[test]
fn a_sub_refresh_of_somebody_or_something_else_closes() {
    let claims = [
        json!({"sub": "43", "channel": "rec:x"}),
        json!({"sub": "42", "channel": "rec:y"}),
        json!({"sub": "42", "channel": "rec:x", "client": "another"}),
    ];
    for token in claims.iter().map(token).chain(["x".to_owned()]) {
        let mut rig = Rig::new();
        let conn = subscriber(&mut rig);
        rig.send(conn, [(3, sub_refresh("rec:x", token))]);
        assert_eq!(rig.close_code(conn), Some(3500));
    }
}
