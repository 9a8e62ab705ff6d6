//! Subscribing.

use trunkline_shared::frame::{ToEdge, ToNode};
use trunkline_shared::{Epoch, Offset, Position};

use crate::support::*;

#[test]
fn a_first_subscribe_is_answered_with_the_head() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["a", "b"]);
    let subscribed = owner.subscribed(1, "chat:1", None);
    assert_eq!((subscribed.head, subscribed.lagging), (at(2), false));
}

#[test]
fn the_floor_rides_in_the_answer() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["a", "b"]);
    owner.disk.floors.insert(channel("chat:1"), 1);
    assert_eq!(owner.subscribed(1, "chat:1", None).floor, Offset(1));
}

#[test]
fn a_resubscribe_at_the_head_reads_no_message() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["a", "b"]);
    owner.subscribe(1, "chat:1", at(2));
    owner.serve();
    assert!(owner.requests.is_empty());
    let frames = owner.frames_to(1);
    assert!(matches!(&frames[..], [ToEdge::Subscribed(subscribed)] if !subscribed.lagging));
}

#[test]
fn a_resubscribe_below_the_head_lags_from_the_start() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["a", "b"]);
    assert!(owner.subscribed(1, "chat:1", at(1)).lagging);
    owner.keep(2, "chat:1", 1, "c");
    assert!(owner.pushes_to(1).is_empty());
}

#[test]
fn with_another_epoch_pushes_begin_at_the_head() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["a", "b"]);
    let other = Some(Position {
        epoch: Epoch::new(1),
        offset: Offset(1),
    });
    assert!(!owner.subscribed(1, "chat:1", other).lagging);
    owner.keep(2, "chat:1", 1, "c");
    assert_eq!(owner.pushes_to(1), [(3, "c".to_owned())]);
}

#[test]
fn subscribing_twice_is_pushed_once() {
    let mut owner = Owner::new();
    owner.subscribed(1, "live:1", None);
    owner.subscribed(1, "live:1", None);
    owner.publish(2, publish("live:1", 1, "a"));
    assert_eq!(owner.pushes_to(1).len(), 1);
}

#[test]
fn an_unsubscribe_ends_the_pushes() {
    let mut owner = Owner::new();
    owner.subscribed(1, "live:1", None);
    owner.say(
        1,
        ToNode::Unsubscribe {
            slot: slot("live:1"),
            channel: channel("live:1"),
        },
    );
    owner.publish(2, publish("live:1", 1, "a"));
    assert!(owner.pushes_to(1).is_empty());
    assert_eq!(owner.shard.gauges().subscriptions, 0);
}

#[test]
fn an_unsubscribe_ends_a_subscribe_that_waits_for_the_head() {
    let mut owner = Owner::new();
    owner.subscribe(1, "chat:1", None);
    owner.say(
        1,
        ToNode::Unsubscribe {
            slot: slot("chat:1"),
            channel: channel("chat:1"),
        },
    );
    owner.settle();
    assert_eq!(owner.shard.gauges().subscriptions, 0);
    assert_eq!(
        owner.frames_to(1).len(),
        1,
        "the request has an answer all the same"
    );
}

#[test]
fn a_subscribe_of_a_link_that_went_is_forgotten() {
    let mut owner = Owner::new();
    owner.subscribe(1, "chat:1", None);
    owner.down(1);
    owner.up(1, 11);
    owner.settle();
    assert!(owner.frames.is_empty());
    assert_eq!(owner.shard.gauges().subscriptions, 0);
}

#[test]
fn a_new_link_of_an_edge_restates_everything() {
    let mut owner = Owner::new();
    owner.subscribed(1, "live:1", None);
    owner.down(1);
    owner.up(1, 11);
    owner.publish(2, publish("live:1", 1, "a"));
    assert!(owner.pushes_to(11).is_empty());
    let head = owner.subscribed(11, "live:1", None).head.expect("a head");
    assert_eq!(head.offset, Offset(1));
}

#[test]
fn a_second_link_of_a_life_takes_the_place_of_the_first() {
    let mut owner = Owner::new();
    owner.subscribed(1, "live:1", None);
    owner.up(1, 11);
    owner.subscribed(11, "live:1", None);
    owner.publish(2, publish("live:1", 1, "a"));
    assert!(owner.pushes_to(1).is_empty());
    assert_eq!(owner.pushes_to(11).len(), 1);
}
