use std::sync::Arc;
use std::time::Duration;

use trunkline_protocol::Encoding;
use trunkline_shared::ClientInfo;
use trunkline_shared::frame::PresenceEvent;

use super::requests::{
    E1, at, client, presence, presence_stats, subscribe, subscribed, unsubscribe,
};
use super::rig::{Rig, channel, ticket_of};
use crate::exchange::{Answer, ToUpstream, ToWorker};
use crate::worker::{ConnId, Input};

/// What the owner was told, a line each.
fn told(rig: &mut Rig) -> Vec<String> {
    let line = |message: ToUpstream| match message {
        ToUpstream::Joined { channel, client } => format!("{channel} joined {}", client.user),
        ToUpstream::Left { channel, client } => format!("{channel} left {}", client.user),
        ToUpstream::Unsubscribe { channel } => format!("{channel} unsubscribe"),
        other @ (ToUpstream::Subscribe { .. }
        | ToUpstream::Publish { .. }
        | ToUpstream::History { .. }
        | ToUpstream::RemoveHistory { .. }
        | ToUpstream::Presence { .. }
        | ToUpstream::PresenceStats { .. }
        | ToUpstream::Info { .. }
        | ToUpstream::Consumed { .. }) => format!("{other:?}"),
    };
    rig.asked().into_iter().map(line).collect()
}

fn events(rig: &mut Rig, name: &str, events: &[(ClientInfo, bool)]) {
    let events = events.iter().cloned();
    let events = events
        .map(|(client, joined)| PresenceEvent { client, joined })
        .collect();
    rig.upstream(ToWorker::PresenceEvents {
        channel: channel(name),
        events: Arc::new(events),
    });
}

/// Subscribes and gives how the owner was told of the client.
fn joined(rig: &mut Rig, conn: ConnId, name: &str) -> ClientInfo {
    rig.send(conn, [(2, subscribe(name))]);
    let ticket = rig.ticket();
    rig.answer(ticket, subscribed(Some(at(E1, 5))));
    rig.lines(conn);
    let asked = rig.asked();
    let [ToUpstream::Joined { client, .. }] = &asked[..] else {
        panic!("{asked:?}")
    };
    client.clone()
}

#[test]
fn a_subscriber_joins_after_its_reply_and_leaves_with_its_unsubscribe() {
    let mut rig = Rig::new();
    let conn = rig.user("42");
    joined(&mut rig, conn, "open:x");
    rig.send(conn, [(3, unsubscribe("open:x"))]);
    assert_eq!(told(&mut rig), ["open:x left 42", "open:x unsubscribe"]);
}

#[test]
fn a_closed_connection_leaves_wherever_it_was() {
    let mut rig = Rig::new();
    let conn = rig.user("42");
    joined(&mut rig, conn, "open:x");
    joined(&mut rig, conn, "rec:x");
    rig.input(Input::Closed { conn });
    let lines = told(&mut rig);
    assert_eq!(
        lines.iter().filter(|line| line.contains("left 42")).count(),
        2
    );
}

#[test]
fn a_namespace_without_presence_is_told_nothing() {
    let mut rig = Rig::new();
    let conn = rig.user("42");
    rig.send(conn, [(2, subscribe("plain:x"))]);
    let ticket = rig.ticket();
    rig.answer(ticket, subscribed(None));
    rig.send(conn, [(3, unsubscribe("plain:x"))]);
    assert_eq!(told(&mut rig), ["plain:x unsubscribe"]);
}

#[test]
fn a_2500_leaves_presence_as_it_is_when_the_client_comes_back() {
    let mut rig = Rig::new();
    let conn = rig.user("42");
    joined(&mut rig, conn, "rec:x");
    rig.publication("rec:x", E1, 9);
    assert_eq!(told(&mut rig), ["rec:x unsubscribe"]);
    rig.pass(Duration::from_secs(9));
    rig.send(conn, [(3, subscribe("rec:x"))]);
    let ticket = rig.ticket();
    rig.answer(ticket, subscribed(Some(at(E1, 9))));
    rig.pass(Duration::from_secs(5));
    assert!(told(&mut rig).is_empty());
}

#[test]
fn after_a_2500_a_client_that_stays_away_leaves_in_10_s() {
    let mut rig = Rig::new();
    let conn = rig.user("42");
    joined(&mut rig, conn, "rec:x");
    rig.publication("rec:x", E1, 9);
    rig.pass(Duration::from_micros(9_999_999));
    assert_eq!(told(&mut rig), ["rec:x unsubscribe"]);
    rig.pass(Duration::from_micros(1));
    assert_eq!(told(&mut rig), ["rec:x left 42"]);
}

#[test]
fn after_a_2500_an_unsubscribe_or_a_close_leaves_at_once() {
    for close in [false, true] {
        let mut rig = Rig::new();
        let conn = rig.user("42");
        joined(&mut rig, conn, "rec:x");
        rig.publication("rec:x", E1, 9);
        told(&mut rig);
        if close {
            rig.input(Input::Closed { conn });
        } else {
            rig.send(conn, [(3, unsubscribe("rec:x"))]);
        }
        assert_eq!(told(&mut rig), ["rec:x left 42"]);
    }
}

#[test]
fn joins_and_leaves_reach_those_that_watch() {
    let mut rig = Rig::new();
    let [watcher, other] = ["42", "43"].map(|user| rig.user(user));
    joined(&mut rig, watcher, "watch:x");
    joined(&mut rig, other, "open:x");
    let somebody = client("44", "c");
    events(
        &mut rig,
        "watch:x",
        &[(somebody.clone(), true), (somebody.clone(), false)],
    );
    events(&mut rig, "open:x", &[(somebody, true)]);
    assert_eq!(rig.lines(watcher), ["watch:x join 44", "watch:x leave 44"]);
    assert!(rig.lines(other).is_empty());
}

#[test]
fn a_client_sees_its_own_join_but_not_its_own_leave() {
    for encoding in Encoding::ALL {
        let mut rig = Rig::new();
        let conn = rig.connected(encoding);
        let own = joined(&mut rig, conn, "watch:x");
        events(&mut rig, "watch:x", &[(own.clone(), false), (own, true)]);
        assert_eq!(rig.lines(conn), ["watch:x join "]);
    }
}

#[test]
fn presence_is_asked_of_upstream() {
    for encoding in Encoding::ALL {
        let mut rig = Rig::new();
        let conn = rig.connected(encoding);
        joined(&mut rig, conn, "open:x");
        rig.send(
            conn,
            [(3, presence("open:x")), (4, presence_stats("open:x"))],
        );
        let asked = rig.asked();
        let tickets: Vec<_> = asked.iter().filter_map(ticket_of).collect();
        assert!(matches!(
            asked[..],
            [
                ToUpstream::Presence { .. },
                ToUpstream::PresenceStats { .. }
            ]
        ));
        rig.answer(
            tickets[0],
            Answer::Presence(vec![client("42", "a"), client("42", "b")]),
        );
        rig.answer(
            tickets[1],
            Answer::PresenceStats {
                clients: 2,
                users: 1,
            },
        );
        assert_eq!(
            rig.lines(conn),
            [r#"3 presence ["42", "42"]"#, "4 presence_stats 2 1"]
        );
    }
}

#[test]
fn presence_that_is_off_or_not_permitted_is_refused() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.send(conn, [(2, presence("plain:x")), (3, presence("open:x"))]);
    rig.send(
        conn,
        [
            (4, presence_stats("pos:x")),
            (5, presence_stats("nosuch:x")),
        ],
    );
    assert_eq!(
        rig.lines(conn),
        ["2 error 108", "3 error 103", "4 error 108", "5 error 102"]
    );
}
