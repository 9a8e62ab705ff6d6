//! Channels that lag.

use trunkline_backbone_core::ShardConfig;
use trunkline_shared::frame::{ToEdge, ToNode};
use trunkline_shared::{Epoch, StreamId};

use crate::support::*;

const NAMES: [&str; 2] = ["pair:x:a", "pair:x:b"];

/// Edge 2 is subscribed to both channels of a slot; its lane takes two pushes and no third.
fn narrow() -> Owner {
    let mut owner = Owner::with(ShardConfig {
        lane_queue_bytes: 600,
        ..ShardConfig::default()
    });
    for name in NAMES {
        owner.subscribed(2, name, None);
    }
    owner.written(2, lane(), 2 * 128);
    owner
}

fn lane() -> StreamId {
    StreamId::of(slot("pair:x:a"))
}

/// Publishes and lets the publishing edge's lane be written.
fn publish_all(owner: &mut Owner, name: &str, counters: std::ops::RangeInclusive<u64>) {
    for counter in counters {
        owner.keep(1, name, counter, "a");
        owner.written(1, lane(), 128);
    }
}

fn written(owner: &mut Owner, frames: &[ToEdge]) {
    owner.written(2, lane(), frames.iter().map(ToEdge::weight).sum());
}

#[test]
fn a_push_that_does_not_fit_makes_its_channel_lag() {
    let mut owner = narrow();
    publish_all(&mut owner, NAMES[0], 1..=5);
    assert_eq!(owner.pushes_to(2).len(), 2);
    assert_eq!(owner.shard.counters().lags, 1, "a lag begins once");
}

#[test]
fn a_slow_edge_hurts_nobody_else() {
    let mut owner = narrow();
    owner.subscribed(3, NAMES[0], None);
    owner.written(3, lane(), 128);
    for counter in 1..=5 {
        publish_all(&mut owner, NAMES[0], counter..=counter);
        let frames = owner.frames_to(3);
        assert_eq!(frames.len(), 1);
        owner.written(3, lane(), frames[0].weight());
    }
}

#[test]
fn behind_is_told_once_when_there_is_room_again() {
    let mut owner = narrow();
    publish_all(&mut owner, NAMES[0], 1..=5);
    let frames = owner.frames_to(2);
    written(&mut owner, &frames);
    let frames = owner.frames_to(2);
    let [ToEdge::Behind(behind)] = &frames[..] else {
        panic!("a behind, not {frames:?}")
    };
    assert_eq!(behind.head, at(5).expect("a position"));
    written(&mut owner, &frames);
    publish_all(&mut owner, NAMES[0], 6..=6);
    assert!(
        owner.frames_to(2).is_empty(),
        "one behind per lag, and no push"
    );
}

#[test]
fn nothing_is_told_before_the_lane_is_half_empty() {
    let mut owner = narrow();
    publish_all(&mut owner, NAMES[0], 1..=3);
    let frames = owner.frames_to(2);
    owner.written(2, lane(), 1);
    assert!(owner.frames_to(2).is_empty());
    owner.written(
        2,
        lane(),
        frames.iter().map(ToEdge::weight).sum::<usize>() - 1,
    );
    assert_eq!(owner.frames_to(2).len(), 1);
}

#[test]
fn the_oldest_lag_is_told_first() {
    let mut owner = narrow();
    publish_all(&mut owner, NAMES[1], 1..=3);
    publish_all(&mut owner, NAMES[0], 4..=4);
    let frames = owner.frames_to(2);
    written(&mut owner, &frames);
    let told = |frame: ToEdge| {
        if let ToEdge::Behind(behind) = frame {
            behind.channel.to_string()
        } else {
            String::new()
        }
    };
    let names: Vec<_> = owner.frames_to(2).into_iter().map(told).collect();
    assert_eq!(names, [NAMES[1], NAMES[0]]);
}

#[test]
fn the_pull_that_reaches_the_head_ends_the_lag_in_the_same_step() {
    let mut owner = narrow();
    publish_all(&mut owner, NAMES[0], 1..=5);
    let frames = owner.frames_to(2);
    written(&mut owner, &frames);
    owner.pull(2, NAMES[0], EPOCH, 2);
    let frames = owner.frames_to(2);
    let [ToEdge::Behind(_), ToEdge::Pulled(pulled)] = &frames[..] else {
        panic!("an answer, not {frames:?}")
    };
    assert_eq!(
        (offsets(&pulled.publications), pulled.reached_head),
        (vec![3, 4, 5], true)
    );
    written(&mut owner, &frames);
    publish_all(&mut owner, NAMES[0], 6..=6);
    assert_eq!(owner.pushes_to(2), [(6, "a".to_owned())]);
}

#[test]
fn a_pull_that_comes_before_the_behind_ends_the_lag_too() {
    let mut owner = narrow();
    publish_all(&mut owner, NAMES[0], 1..=3);
    owner.pull(2, NAMES[0], EPOCH, 2);
    let frames = owner.frames_to(2);
    written(&mut owner, &frames);
    assert!(owner.frames_to(2).is_empty(), "nothing lags any more");
}

#[test]
fn an_unsubscribe_or_a_lost_link_ends_a_lag() {
    let mut owner = narrow();
    publish_all(&mut owner, NAMES[0], 1..=3);
    publish_all(&mut owner, NAMES[1], 4..=4);
    owner.say(
        2,
        ToNode::Unsubscribe {
            slot: slot(NAMES[0]),
            channel: channel(NAMES[0]),
        },
    );
    let frames = owner.frames_to(2);
    written(&mut owner, &frames);
    assert_eq!(
        owner.frames_to(2).len(),
        1,
        "only the other channel is behind"
    );
    owner.down(2);
    owner.written(2, lane(), 1);
}

#[test]
fn a_resubscribe_at_the_head_ends_a_lag() {
    let mut owner = narrow();
    publish_all(&mut owner, NAMES[0], 1..=3);
    owner.subscribe(2, NAMES[0], at(3));
    let frames = owner.frames_to(2);
    written(&mut owner, &frames);
    assert!(owner.frames_to(2).is_empty());
    publish_all(&mut owner, NAMES[0], 4..=4);
    assert_eq!(owner.pushes_to(2).len(), 1);
}

#[test]
fn answers_never_wait_for_room() {
    let mut owner = narrow();
    publish_all(&mut owner, NAMES[0], 1..=3);
    owner.frames.clear();
    owner.publish(2, publish(NAMES[1], 1, "a"));
    owner.settle();
    owner.pull(2, NAMES[0], Epoch::new(1), 0);
    assert_eq!(owner.frames_to(2).len(), 2);
}
