use trunkline_protocol::Encoding;

use super::requests::{E1, at, subscribe, subscribed, unsubscribe};
use super::rig::{Rig, channel};
use crate::exchange::{ToUpstream, ToWorker};
use crate::worker::ConnId;

fn positioned(encoding: Encoding, offset: u64) -> (Rig, ConnId) {
    let mut rig = Rig::new();
    let conn = rig.connected(encoding);
    rig.subscribed_at(conn, "rec:x", Some(at(E1, offset)));
    (rig, conn)
}

#[test]
fn publications_follow_from_the_position_of_the_reply_in_order_and_once() {
    for encoding in Encoding::ALL {
        let (mut rig, conn) = positioned(encoding, 5);
        for offset in [4, 5, 6, 6, 7, 5] {
            rig.publication("rec:x", E1, offset);
        }
        assert_eq!(rig.lines(conn), ["rec:x pub 6", "rec:x pub 7"]);
    }
}

#[test]
fn a_lost_publication_ends_a_positioned_subscription_with_2500() {
    for encoding in Encoding::ALL {
        let (mut rig, conn) = positioned(encoding, 5);
        rig.publication("rec:x", E1, 7);
        rig.publication("rec:x", E1, 8);
        assert_eq!(rig.lines(conn), ["rec:x unsubscribe 2500"]);
        assert_eq!(rig.close_code(conn), None);
        let asked = rig.asked();
        assert!(
            matches!(&asked[..], [ToUpstream::Unsubscribe { .. }]),
            "{asked:?}"
        );
        rig.subscribed_at(conn, "rec:x", Some(at(E1, 8)));
        rig.publication("rec:x", E1, 9);
        assert_eq!(rig.lines(conn), ["rec:x pub 9"]);
    }
}

#[test]
fn an_unpositioned_subscription_is_not_told_of_gaps_and_gets_nothing_twice() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.subscribed_at(conn, "open:x", Some(at(E1, 5)));
    for offset in [5, 6, 9, 8, 10] {
        rig.publication("open:x", E1, offset);
    }
    let gap = ToWorker::Gap {
        channel: channel("open:x"),
        position: at(E1, 20),
    };
    rig.upstream(gap);
    rig.publication("open:x", E1, 21);
    let expected = [6, 9, 10, 21].map(|offset| format!("open:x pub {offset}"));
    assert_eq!(rig.lines(conn), expected);
}

#[test]
fn a_gap_ends_the_subscriptions_below_it_and_no_others() {
    let mut rig = Rig::new();
    let [low, high] = [(); 2].map(|()| rig.connected(Encoding::Json));
    rig.subscribed_at(low, "rec:x", Some(at(E1, 5)));
    rig.subscribed_at(high, "rec:x", Some(at(E1, 9)));
    rig.upstream(ToWorker::Gap {
        channel: channel("rec:x"),
        position: at(E1, 9),
    });
    rig.publication("rec:x", E1, 10);
    assert_eq!(rig.lines(low), ["rec:x unsubscribe 2500"]);
    assert_eq!(rig.lines(high), ["rec:x pub 10"]);
    assert_eq!(rig.worker.stats().counters.insufficient_states, 1);
}

#[test]
fn each_subscriber_is_judged_by_its_own_position() {
    let mut rig = Rig::new();
    let [first, second] = Encoding::ALL.map(|encoding| rig.connected(encoding));
    rig.subscribed_at(first, "rec:x", Some(at(E1, 5)));
    rig.publication("rec:x", E1, 6);
    rig.subscribed_at(second, "rec:x", Some(at(E1, 8)));
    rig.publication("rec:x", E1, 7);
    rig.publication("rec:x", E1, 8);
    rig.publication("rec:x", E1, 9);
    assert_eq!(rig.lines(first).len(), 4);
    assert_eq!(rig.lines(second), ["rec:x pub 9"]);
}

#[test]
fn nothing_of_a_channel_comes_before_its_subscribe_reply() {
    let mut rig = Rig::new();
    let [first, second] = [(); 2].map(|()| rig.connected(Encoding::Json));
    rig.subscribed_at(first, "rec:x", Some(at(E1, 5)));
    rig.send(second, [(2, subscribe("rec:x"))]);
    rig.publication("rec:x", E1, 6);
    assert!(rig.lines(second).is_empty());
    let ticket = rig.ticket();
    rig.answer(ticket, subscribed(Some(at(E1, 6))));
    rig.publication("rec:x", E1, 7);
    let lines = rig.lines(second);
    assert_eq!(
        lines,
        ["2 subscribe e1@6 positioned recoverable", "rec:x pub 7"]
    );
}

#[test]
fn an_unsubscribe_always_succeeds_and_ends_delivery() {
    for encoding in Encoding::ALL {
        let (mut rig, conn) = positioned(encoding, 5);
        let long = "x".repeat(300);
        let names = ["rec:x", "rec:x", "nosuch:y", &long];
        rig.send(conn, (3..).zip(names.map(unsubscribe)));
        rig.publication("rec:x", E1, 6);
        let expected = [3, 4, 5, 6].map(|id| format!("{id} unsubscribe"));
        assert_eq!(rig.lines(conn), expected);
    }
}

#[test]
fn a_json_client_that_cannot_be_told_is_closed_and_others_go_on() {
    let mut rig = Rig::new();
    let [json, protobuf] = Encoding::ALL.map(|encoding| rig.connected(encoding));
    for conn in [json, protobuf] {
        rig.subscribed_at(conn, "plain:x", None);
    }
    rig.ephemeral("plain:x", b"\xff", false);
    assert_eq!(rig.close_code(json), Some(3506));
    assert_eq!(rig.lines(protobuf), ["plain:x pub 0"]);
    rig.ephemeral("plain:x", b"1", true);
    assert_eq!(rig.lines(protobuf), ["plain:x pub 0"]);
    assert!(rig.lines(json).is_empty());
}

#[test]
fn a_publication_is_the_same_bytes_in_every_outbox() {
    let mut rig = Rig::new();
    let conns = [(); 3].map(|()| rig.connected(Encoding::Json));
    for conn in conns {
        rig.subscribed_at(conn, "plain:x", None);
        rig.stall(conn, true);
    }
    rig.ephemeral("plain:x", b"1", true);
    let pointers = conns.map(|conn| rig.worker.outbox(conn).next().expect("a frame").as_ptr());
    assert!(pointers.iter().all(|pointer| *pointer == pointers[0]));
}

#[test]
fn publications_of_channels_without_subscribers_are_only_counted() {
    let mut rig = Rig::new();
    rig.publication("rec:x", E1, 1);
    assert_eq!(rig.worker.stats().counters.stray_publications, 1);
}

#[test]
fn room_is_given_back_for_everything_that_was_taken() {
    let mut rig = Rig::new();
    let message = ToWorker::Publication(super::requests::shared("rec:x", E1, 1));
    let weight = message.weight();
    for _ in 0..2 {
        rig.worker
            .handle_input(rig.now, crate::worker::Input::Upstream(message.clone()));
    }
    let output = rig.worker.poll_output().expect("room is given back");
    let expected = format!("{:?}", ToUpstream::Consumed { weight: 2 * weight });
    assert_eq!(format!("{output:?}"), format!("Upstream({expected})"));
    assert!(rig.worker.poll_output().is_none());
}
