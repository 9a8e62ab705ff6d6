//! Ephemeral publishes: at most once, no answer, no number.

use trunkline_backbone_core::ShardConfig;
use trunkline_backbone_core::io::Input;
use trunkline_shared::StreamId;
use trunkline_shared::frame::{Publish, ToEdge};

use crate::support::*;

#[test]
fn an_ephemeral_publish_is_pushed_without_number_and_answer() {
    let mut owner = Owner::new();
    let subscribed = owner.subscribed(2, "cursors:1", None);
    assert_eq!((subscribed.head, subscribed.lagging), (None, false));
    owner.publish(1, publish("cursors:1", 1, "a"));
    let (link, stream, frame) = owner.frames.pop_front().expect("a push");
    assert_eq!((link, stream), (2, StreamId::Ephemeral));
    let ToEdge::Push(push) = frame else {
        panic!("a push, not {frame:?}")
    };
    assert_eq!(
        (push.epoch, push.publication.offset.0, push.publication.time),
        (None, 0, owner.now.unix)
    );
    assert!(owner.frames.is_empty() && owner.requests.is_empty());
}

#[test]
fn what_does_not_fit_the_ephemeral_stream_is_dropped() {
    let mut owner = Owner::with(ShardConfig {
        ephemeral_queue_bytes: 600,
        ..ShardConfig::default()
    });
    owner.subscribed(2, "cursors:1", None);
    (1..=5).for_each(|counter| owner.publish(1, publish("cursors:1", counter, "a")));
    let weights: Vec<_> = owner
        .frames
        .iter()
        .map(|(_, _, frame)| frame.weight())
        .collect();
    assert_eq!(owner.pushes_to(2).len(), 2);
    assert_eq!(owner.shard.counters().ephemeral_dropped, 3);
    owner.written(2, StreamId::Ephemeral, weights.iter().sum());
    owner.publish(1, publish("cursors:1", 6, "b"));
    assert_eq!(
        owner.pushes_to(2),
        [(0, "b".to_owned())],
        "and never comes again"
    );
}

#[test]
fn an_ephemeral_publish_that_is_refused_has_no_answer_either() {
    let mut owner = Owner::new();
    owner.publish(
        1,
        Publish {
            slot: slot("chat:1"),
            ..publish("cursors:1", 1, "a")
        },
    );
    let mut bare = Owner::bare(ShardConfig::default());
    bare.input(Input::Rules(rules()));
    bare.up(1, 1);
    bare.publish(1, publish("cursors:1", 1, "a"));
    assert!(owner.frames.is_empty() && bare.frames.is_empty());
}

#[test]
fn ephemeral_publishes_go_on_during_a_look_up() {
    let mut owner = Owner::new();
    let cursor = (0..)
        .map(|n| format!("cursors:{n}"))
        .find(|name| slot(name) == slot("chat:1"))
        .expect("one of many");
    owner.subscribed(2, &cursor, None);
    owner.publish(1, repeat("chat:1", 1, "a"));
    owner.publish(1, publish(&cursor, 2, "b"));
    assert_eq!(owner.pushes_to(2), [(0, "b".to_owned())]);
}
