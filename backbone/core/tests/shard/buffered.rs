//! Buffered publishes: numbered and acknowledged from memory.

use std::time::Duration;

use trunkline_backbone_core::io::Input;
use trunkline_shared::LinkId;
use trunkline_shared::frame::{HistoryQuery, ToEdge};

use crate::support::*;

#[test]
fn a_buffered_publish_is_pushed_and_answered_at_once() {
    let mut owner = Owner::new();
    owner.subscribed(2, "live:1", None);
    owner.publish(1, publish("live:1", 1, "a"));
    assert!(owner.requests.is_empty());
    assert_eq!(owner.pushes_to(2), [(1, "a".to_owned())]);
    assert_eq!(owner.published_to(1), [(1, 1)]);
}

#[test]
fn a_repeat_is_answered_with_the_first_position_and_pushed_once() {
    let mut owner = Owner::new();
    owner.subscribed(2, "live:1", None);
    owner.publish(1, publish("live:1", 1, "a"));
    owner.publish(1, behind(1, publish("live:1", 2, "b")));
    owner.frames.clear();
    owner.publish(1, repeat("live:1", 1, "a"));
    assert_eq!(owner.published_to(1), [(1, 1)]);
    assert!(owner.pushes_to(2).is_empty());
}

#[test]
fn ids_outlive_the_ring() {
    let mut owner = Owner::new();
    let unanswered = |counter| behind(1, publish("live:1", counter, "a"));
    (1..=300).for_each(|counter| owner.publish(1, unanswered(counter)));
    owner.frames.clear();
    owner.publish(1, repeat("live:1", 7, "a"));
    assert_eq!(owner.published_to(1), [(7, 7)]);
}

#[test]
fn ids_below_the_oldest_unanswered_are_forgotten() {
    let mut owner = Owner::new();
    let unanswered = |counter| behind(1, publish("live:1", counter, "a"));
    (1..=9).for_each(|counter| owner.publish(1, unanswered(counter)));
    owner.publish(1, behind(8, publish("live:1", 10, "b")));
    assert_eq!(owner.shard.gauges().publish_ids, 3);
}

#[test]
fn ids_outlive_a_goodbye_until_the_connections_leave() {
    let mut owner = Owner::new();
    owner.publish(1, publish("live:1", 1, "a"));
    owner.input(Input::LinkDown {
        link: LinkId(1),
        goodbye: true,
    });
    owner.up(1, 11);
    owner.publish(11, repeat("live:1", 1, "a"));
    assert_eq!(owner.published_to(11), [(1, 1)]);
    owner.input(Input::LinkDown {
        link: LinkId(11),
        goodbye: true,
    });
    owner.pass(Duration::from_secs(31));
    assert_eq!(owner.shard.gauges().publish_ids, 0);
}

#[test]
fn ids_of_different_edges_do_not_meet() {
    let mut owner = Owner::new();
    owner.publish(1, publish("live:1", 1, "a"));
    owner.publish(2, repeat("live:1", 1, "b"));
    assert_eq!(owner.published_to(2), [(1, 2)]);
}

#[test]
fn ids_survive_a_link_and_go_with_the_edge() {
    let mut owner = Owner::new();
    owner.publish(1, publish("live:1", 1, "a"));
    owner.down(1);
    owner.pass(Duration::from_secs(9));
    owner.up(1, 11);
    owner.publish(11, repeat("live:1", 1, "a"));
    assert_eq!(owner.published_to(11), [(1, 1)]);
    owner.down(11);
    owner.pass(Duration::from_secs(10));
    assert_eq!(owner.shard.gauges().publish_ids, 0);
}

#[test]
fn every_channel_has_an_epoch_of_its_own() {
    let mut owner = Owner::new();
    let one = owner.subscribed(1, "live:1", None).head.expect("a head");
    let two = owner.subscribed(1, "live:2", None).head.expect("a head");
    assert_ne!(one.epoch, two.epoch);
    assert_eq!(owner.subscribed(2, "live:1", None).head, Some(one));
}

#[test]
fn two_runs_of_one_seed_draw_the_same_epochs() {
    let epochs = || {
        let mut owner = Owner::new();
        ["live:1", "live:2"].map(|name| owner.subscribed(1, name, None).head)
    };
    assert_eq!(epochs(), epochs());
}

#[test]
fn the_head_stays_when_the_log_expires() {
    let mut owner = Owner::new();
    let epoch = owner
        .subscribed(1, "live:1", None)
        .head
        .expect("a head")
        .epoch;
    owner.publish(1, publish("live:1", 1, "a"));
    owner.pass(Duration::from_secs(61));
    owner.frames.clear();
    owner.history(
        1,
        "live:1",
        HistoryQuery::Forward {
            after: trunkline_shared::Offset(0),
            limit: 9,
        },
        9000,
    );
    let frames = owner.frames_to(1);
    let [ToEdge::History(piece)] = &frames[..] else {
        panic!("one piece, not {frames:?}")
    };
    assert_eq!(
        (
            piece.head.epoch,
            piece.head.offset.0,
            piece.publications.len()
        ),
        (epoch, 1, 0)
    );
}
