use trunkline_protocol::Encoding;

use super::requests::{E1, at, history, publish, subscribe, subscribed, unsubscribe};
use super::rig::Rig;
use crate::exchange::{Answer, RefusedBecause, ToUpstream};

#[test]
fn answers_of_different_channels_overtake_each_other() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.send(
        conn,
        [(2, publish("plain:a", "1")), (3, publish("plain:b", "1"))],
    );
    let tickets = rig.tickets();
    rig.published(tickets[1]);
    assert_eq!(rig.lines(conn), ["3 publish"]);
    rig.published(tickets[0]);
    assert_eq!(rig.lines(conn), ["2 publish"]);
}

#[test]
fn answers_of_one_channel_keep_the_order_of_the_commands() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    let commands = [(2, publish("plain:a", "1")), (3, publish("plain:a", "2"))];
    rig.send(
        conn,
        commands.into_iter().chain([(4, history("plain:a", 0))]),
    );
    let tickets = rig.tickets();
    rig.published(tickets[1]);
    assert!(rig.lines(conn).is_empty());
    rig.refuse(tickets[0], RefusedBecause::Temporary);
    assert_eq!(rig.lines(conn), ["2 error 100", "3 publish", "4 error 108"]);
}

#[test]
fn publications_wait_behind_a_subscribe_reply_that_waits() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.subscribed_at(conn, "rec:x", Some(at(E1, 0)));
    rig.send(
        conn,
        [(3, publish("rec:x", "1")), (4, unsubscribe("rec:x"))],
    );
    rig.send(conn, [(5, subscribe("rec:x"))]);
    let tickets = rig.tickets();
    rig.answer(tickets[1], subscribed(Some(at(E1, 5))));
    rig.publication("rec:x", E1, 6);
    assert!(rig.lines(conn).is_empty());
    rig.published(tickets[0]);
    rig.publication("rec:x", E1, 7);
    let replies = [
        "3 publish",
        "4 unsubscribe",
        "5 subscribe e1@5 positioned recoverable",
    ];
    let lines = rig.lines(conn);
    assert_eq!(lines[..3], replies);
    assert_eq!(lines[3..], ["rec:x pub 6", "rec:x pub 7"]);
}

#[test]
fn a_2500_waits_behind_a_subscribe_reply_that_waits() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.send(conn, [(2, subscribe("rec:x")), (3, publish("rec:x", "1"))]);
    rig.send(conn, [(4, unsubscribe("rec:x")), (5, subscribe("rec:x"))]);
    let tickets = rig.tickets();
    rig.answer(tickets[0], subscribed(Some(at(E1, 5))));
    assert_eq!(rig.lines(conn), ["2 subscribe e1@5 positioned recoverable"]);
    rig.answer(tickets[2], subscribed(Some(at(E1, 5))));
    rig.publication("rec:x", E1, 9);
    assert!(rig.lines(conn).is_empty());
    rig.published(tickets[1]);
    assert_eq!(
        rig.lines(conn)[2..],
        [
            "5 subscribe e1@5 positioned recoverable",
            "rec:x unsubscribe 2500"
        ]
    );
}

#[test]
fn an_unsubscribe_ends_a_subscribe_in_flight() {
    for encoding in Encoding::ALL {
        let mut rig = Rig::new();
        let conn = rig.connected(encoding);
        rig.send(conn, [(2, subscribe("rec:x")), (3, unsubscribe("rec:x"))]);
        assert!(rig.lines(conn).is_empty());
        let ticket = rig.ticket();
        rig.answer(ticket, subscribed(Some(at(E1, 5))));
        rig.publication("rec:x", E1, 6);
        assert_eq!(
            rig.lines(conn),
            ["2 subscribe e1@5 positioned recoverable", "3 unsubscribe"]
        );
        let asked = rig.asked();
        assert!(
            matches!(&asked[..], [ToUpstream::Unsubscribe { .. }]),
            "{asked:?}"
        );
    }
}

#[test]
fn a_subscribe_behind_an_ended_one_is_its_own() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    let commands = [
        (2, subscribe("rec:x")),
        (3, unsubscribe("rec:x")),
        (4, subscribe("rec:x")),
    ];
    rig.send(conn, commands);
    let tickets = rig.tickets();
    assert_eq!(tickets.len(), 2);
    rig.answer(tickets[0], subscribed(Some(at(E1, 5))));
    rig.publication("rec:x", E1, 6);
    rig.answer(tickets[1], subscribed(Some(at(E1, 6))));
    rig.publication("rec:x", E1, 7);
    let lines = rig.lines(conn);
    assert_eq!(
        lines[1..],
        [
            "3 unsubscribe",
            "4 subscribe e1@6 positioned recoverable",
            "rec:x pub 7"
        ]
    );
    assert!(
        rig.asked()
            .iter()
            .all(|message| matches!(message, ToUpstream::Joined { .. }))
    );
}

#[test]
fn an_answer_to_something_else_is_an_internal_error() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.send(conn, [(2, publish("plain:a", "1"))]);
    let ticket = rig.ticket();
    rig.answer(
        ticket,
        Answer::PresenceStats {
            clients: 1,
            users: 1,
        },
    );
    assert_eq!(rig.lines(conn), ["2 error 100"]);
}

#[test]
fn a_socket_with_256_commands_in_flight_is_not_read_until_half_are_answered() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.send(conn, (2..257).map(|id| (id, publish("plain:a", "1"))));
    assert!(!rig.is_paused(conn));
    rig.send(conn, [(257, publish("plain:a", "1"))]);
    assert!(rig.is_paused(conn));
    let tickets = rig.tickets();
    for ticket in &tickets[..127] {
        rig.published(*ticket);
    }
    assert!(rig.is_paused(conn));
    rig.published(tickets[127]);
    assert!(!rig.is_paused(conn));
}
