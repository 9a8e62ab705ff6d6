//! What is refused before anything is done.

use trunkline_backbone_core::ShardConfig;
use trunkline_backbone_core::io::Input;
use trunkline_shared::LinkId;
use trunkline_shared::frame::{EdgeStats, HistoryQuery, Publish, Refusal, ToNode};

use crate::support::*;

#[test]
fn without_rules_everything_is_busy() {
    let mut owner = Owner::bare(ShardConfig::default());
    owner.view(view(1));
    owner.settle();
    owner.up(1, 1);
    owner.publish(1, publish("chat:1", 1, "a"));
    owner.subscribe(1, "chat:1", None);
    assert_eq!(owner.refusals_to(1), [Refusal::Busy, Refusal::Busy]);
}

#[test]
fn an_unknown_namespace_is_named_so() {
    let mut owner = Owner::new();
    let publish = Publish {
        channel: channel("nobody:1"),
        ..publish("chat:1", 1, "a")
    };
    owner.publish(1, publish);
    assert_eq!(owner.refusals_to(1), [Refusal::UnknownChannel]);
}

#[test]
fn a_slot_that_is_not_the_channels_is_refused() {
    let mut owner = Owner::new();
    let wrong = Publish {
        slot: slot("chat:2"),
        ..publish("chat:1", 1, "a")
    };
    owner.publish(1, wrong);
    assert_eq!(owner.refusals_to(1), [Refusal::WrongSlot]);
    assert!(owner.requests.is_empty());
}

#[test]
fn a_slot_that_is_not_owned_has_moved() {
    let mut owner = Owner::bare(ShardConfig::default());
    owner.input(Input::Rules(rules()));
    owner.up(1, 1);
    owner.subscribe(1, "chat:1", None);
    assert_eq!(
        owner.refusals_to(1),
        [Refusal::Busy],
        "nothing is known of any view"
    );
    owner.view(view_without(4, &["chat:1"]));
    owner.publish(1, publish("chat:1", 1, "a"));
    owner.subscribe(1, "chat:1", None);
    let moved = Refusal::Moved {
        version: version(4),
    };
    assert_eq!(owner.refusals_to(1), [moved, moved]);
}

#[test]
fn a_first_sending_under_an_older_view_is_stale() {
    let mut owner = Owner::new();
    owner.publish(
        1,
        Publish {
            view: version(0),
            ..publish("chat:1", 1, "a")
        },
    );
    owner.publish(
        1,
        Publish {
            view: version(0),
            ..publish("live:1", 2, "a")
        },
    );
    assert_eq!(
        owner.refusals_to(1),
        [Refusal::StaleView, Refusal::StaleView]
    );
}

#[test]
fn a_repeat_under_an_older_view_is_taken() {
    let mut owner = Owner::new();
    owner.publish(
        1,
        Publish {
            view: version(0),
            ..repeat("chat:1", 1, "a")
        },
    );
    owner.settle();
    assert_eq!(owner.published_to(1), [(1, 1)]);
}

#[test]
fn a_publish_whose_time_is_over_is_busy() {
    let mut owner = Owner::new();
    owner.publish(
        1,
        Publish {
            time_left_ms: 0,
            ..publish("chat:1", 1, "a")
        },
    );
    owner.publish(
        1,
        Publish {
            time_left_ms: 0,
            ..publish("live:1", 2, "a")
        },
    );
    assert_eq!(owner.refusals_to(1), [Refusal::Busy, Refusal::Busy]);
    assert!(owner.requests.is_empty());
}

#[test]
fn a_slot_of_another_shard_ends_the_link() {
    let config = ShardConfig {
        index: usize::from(slot("chat:1").lane(16).is_multiple_of(2)),
        shards: 2,
        ..ShardConfig::default()
    };
    let mut owner = Owner::with(config);
    owner.publish(1, publish("chat:1", 1, "a"));
    assert_eq!(owner.closed, ["a slot on another slot's lane"]);
    assert!(owner.frames.is_empty());
}

#[test]
fn shards_own_only_the_slots_of_their_lanes() {
    for index in 0..4 {
        let owner = Owner::with(ShardConfig {
            index,
            shards: 4,
            ..ShardConfig::default()
        });
        assert_eq!(owner.shard.gauges().slots, 1024);
    }
}

#[test]
fn a_control_frame_on_a_lane_ends_the_link() {
    let mut owner = Owner::new();
    owner.say(1, ToNode::Stats(EdgeStats::default()));
    assert_eq!(owner.closed, ["a frame without a slot on a lane"]);
}

#[test]
fn a_frame_of_a_link_that_is_down_is_ignored() {
    let mut owner = Owner::new();
    owner.down(1);
    owner.publish(1, publish("live:1", 1, "a"));
    assert!(owner.frames.is_empty());
    assert_eq!(owner.shard.counters().ignored_frames, 1);
    owner.input(Input::LinkDown {
        link: LinkId(1),
        goodbye: false,
    });
}

#[test]
fn an_ephemeral_channel_has_no_history_and_no_pulls() {
    let mut owner = Owner::new();
    owner.history(1, "cursors:1", HistoryQuery::Position, 1000);
    owner.pull(1, "cursors:1", EPOCH, 0);
    assert_eq!(
        owner.refusals_to(1),
        [Refusal::NotAvailable, Refusal::NotAvailable]
    );
}
