use std::time::Duration;

use trunkline_protocol::Encoding;

use super::requests::{E1, E2, at, unsubscribe};
use super::rig::{Rig, channel};
use crate::exchange::ToWorker;
use crate::worker::ConnId;

const SPREAD: Duration = Duration::from_secs(5);

fn changed(rig: &mut Rig) {
    let (channel, position) = (channel("rec:x"), at(E2, 3));
    rig.upstream(ToWorker::EpochChanged {
        channel,
        position,
        spread: SPREAD,
    });
}

#[test]
fn an_epoch_change_is_told_to_each_within_the_spread_and_not_to_all_at_once() {
    let mut rig = Rig::new();
    let conns: Vec<ConnId> = (0..20).map(|_| rig.connected(Encoding::Json)).collect();
    for conn in &conns {
        rig.subscribed_at(*conn, "rec:x", Some(at(E1, 5)));
    }
    changed(&mut rig);
    rig.pass(SPREAD / 2);
    let told = |rig: &mut Rig| {
        conns
            .iter()
            .filter(|conn| rig.lines(**conn) == ["rec:x unsubscribe 2500"])
            .count()
    };
    let early = told(&mut rig);
    assert!((2..19).contains(&early), "{early}");
    rig.pass(SPREAD / 2);
    assert_eq!(early + told(&mut rig), 20);
}

#[test]
fn until_it_is_told_a_subscription_gets_nothing() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.subscribed_at(conn, "rec:x", Some(at(E1, 5)));
    changed(&mut rig);
    for (epoch, offset) in [(E1, 6), (E2, 4), (E2, 6)] {
        rig.publication("rec:x", epoch, offset);
    }
    assert!(rig.lines(conn).is_empty());
    rig.pass(SPREAD);
    rig.publication("rec:x", E2, 7);
    assert_eq!(rig.lines(conn), ["rec:x unsubscribe 2500"]);
}

#[test]
fn unpositioned_subscriptions_and_those_of_the_new_epoch_go_on() {
    let mut rig = Rig::new();
    let [old, new] = [(); 2].map(|()| rig.connected(Encoding::Json));
    rig.subscribed_at(old, "open:x", Some(at(E1, 5)));
    rig.subscribed_at(new, "rec:x", Some(at(E2, 3)));
    changed(&mut rig);
    let position = at(E2, 0);
    rig.upstream(ToWorker::EpochChanged {
        channel: channel("open:x"),
        position,
        spread: SPREAD,
    });
    rig.publication("open:x", E2, 1);
    rig.publication("rec:x", E2, 4);
    rig.pass(SPREAD);
    assert_eq!(rig.lines(old), ["open:x pub 1"]);
    assert_eq!(rig.lines(new), ["rec:x pub 4"]);
}

#[test]
fn a_client_that_subscribes_anew_by_itself_is_not_told() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.subscribed_at(conn, "rec:x", Some(at(E1, 5)));
    changed(&mut rig);
    rig.send(conn, [(3, unsubscribe("rec:x"))]);
    assert_eq!(rig.lines(conn), ["3 unsubscribe"]);
    rig.subscribed_at(conn, "rec:x", Some(at(E2, 3)));
    rig.pass(SPREAD);
    rig.publication("rec:x", E2, 4);
    assert_eq!(rig.lines(conn), ["rec:x pub 4"]);
}

#[test]
fn a_publication_of_another_epoch_ends_a_positioned_subscription() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.subscribed_at(conn, "rec:x", Some(at(E1, 5)));
    rig.publication("rec:x", E2, 6);
    assert_eq!(rig.lines(conn), ["rec:x unsubscribe 2500"]);
}
