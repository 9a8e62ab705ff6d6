use std::time::Duration;

use serde_json::json;
use trunkline_protocol::Encoding;

use super::requests::{E1, E2, at, subscribe_with_token, subscribed, token};
use super::rig::{Rig, START, config};
use crate::exchange::ToWorker;
use crate::worker::subscription::Side;
use crate::worker::{ClientConfig, ConnId};

const NOW: u64 = START.as_secs();

fn rig() -> Rig {
    Rig::with(ClientConfig {
        expired_close_delay: Duration::from_secs(1),
        expired_sub_close_delay: Duration::from_secs(1),
        presence_update_interval: Duration::from_secs(1),
        channel_position_check_delay: Duration::from_secs(2),
        ..config()
    })
}

/// A user's connection with a subscription that ends in 2 s.
fn subscriber(rig: &mut Rig) -> ConnId {
    let conn = rig.user("42");
    let claims = json!({"sub": "42", "channel": "rec:x", "exp": NOW + 2});
    rig.send(conn, [(2, subscribe_with_token("rec:x", &claims))]);
    let ticket = rig.ticket();
    rig.answer(ticket, subscribed(Some(at(E1, 5))));
    assert_eq!(
        rig.lines(conn),
        ["2 subscribe ttl=2 e1@5 positioned recoverable"]
    );
    conn
}

#[test]
fn a_connection_that_does_not_refresh_is_closed_exactly_after_the_delay() {
    let mut rig = rig();
    let token = token(&json!({"sub": "42", "exp": NOW + 3}));
    let conn = rig.connected_with(Encoding::Json, &token);
    rig.pass(Duration::from_micros(3_999_999));
    assert_eq!(rig.close_code(conn), None);
    rig.pass(Duration::from_micros(1));
    assert_eq!(rig.close_code(conn), Some(3005));
}

#[test]
fn a_subscription_that_does_not_refresh_ends_with_2501_at_the_tick_after_the_delay() {
    let mut rig = rig();
    let conn = subscriber(&mut rig);
    rig.pass(Duration::from_micros(2_999_999));
    assert!(rig.lines(conn).is_empty());
    rig.pass(Duration::from_secs(1));
    assert_eq!(rig.lines(conn), ["rec:x unsubscribe 2501"]);
    assert_eq!(rig.close_code(conn), None);
    rig.publication("rec:x", E1, 6);
    assert!(rig.lines(conn).is_empty());
}

#[test]
fn a_subscription_behind_its_worker_ends_at_the_tick_after_the_check_delay() {
    let mut rig = rig();
    let conn = rig.user("42");
    rig.subscribed_at(conn, "rec:x", Some(at(E1, 5)));
    rig.publication("rec:x", E1, 6);
    // The loss is made between the worker's delivery and the session: inputs can't make it.
    let subscription = rig
        .worker
        .ctx
        .subscribers
        .get(&super::rig::channel("rec:x"), conn);
    subscription.expect("a subscription").position = Some(at(E1, 5));
    assert_eq!(rig.lines(conn), ["rec:x pub 6"]);
    rig.pass(Duration::from_micros(1_999_999));
    assert!(rig.lines(conn).is_empty());
    rig.pass(Duration::from_secs(1));
    assert_eq!(rig.lines(conn), ["rec:x unsubscribe 2500"]);
}

#[test]
fn a_subscription_that_has_everything_is_left_alone_forever() {
    let mut rig = rig();
    let conn = rig.user("42");
    rig.subscribed_at(conn, "rec:x", Some(at(E1, 5)));
    rig.publication("rec:x", E1, 6);
    rig.lines(conn);
    rig.pass(Duration::from_secs(10));
    assert!(rig.lines(conn).is_empty());
}

/// Makes a subscription one of the server's: no input can yet, connection tokens' channels come later.
fn make_server_side(rig: &mut Rig, conn: ConnId) {
    let subscription = rig
        .worker
        .ctx
        .subscribers
        .get(&super::rig::channel("rec:x"), conn);
    subscription.expect("a subscription").side = Side::Server;
}

#[test]
fn a_servers_subscription_that_misses_something_closes_its_connection_with_3010() {
    let mut rig = rig();
    let conn = subscriber(&mut rig);
    make_server_side(&mut rig, conn);
    rig.publication("rec:x", E1, 7);
    assert_eq!(rig.close_code(conn), Some(3010));
    assert!(rig.lines(conn).is_empty());
}

#[test]
fn a_servers_subscription_that_is_over_closes_its_connection_with_3006() {
    let mut rig = rig();
    let conn = subscriber(&mut rig);
    make_server_side(&mut rig, conn);
    rig.pass(Duration::from_secs(4));
    assert_eq!(rig.close_code(conn), Some(3006));
}

#[test]
fn a_servers_subscription_of_an_old_epoch_closes_within_the_time_that_the_shell_gives() {
    let mut rig = Rig::with(ClientConfig {
        close_spread: Duration::from_secs(3),
        ..config()
    });
    let conn = rig.user("42");
    rig.subscribed_at(conn, "rec:x", Some(at(E1, 5)));
    make_server_side(&mut rig, conn);
    let (channel, position, spread) = (super::rig::channel("rec:x"), at(E2, 0), Duration::ZERO);
    rig.upstream(ToWorker::EpochChanged {
        channel,
        position,
        spread,
    });
    rig.pass(Duration::from_millis(1));
    assert_eq!(rig.close_code(conn), None);
    rig.pass(Duration::from_secs(3));
    assert_eq!(rig.close_code(conn), Some(3010));
}
