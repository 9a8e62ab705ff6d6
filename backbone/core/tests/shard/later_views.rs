//! Frames under a view that the node doesn't have: they wait for it, bounded.

use std::time::Duration;

use trunkline_backbone_core::ShardConfig;
use trunkline_backbone_core::io::Input;
use trunkline_shared::frame::{Publish, Refusal, Subscribe, ToEdge, ToNode};

use crate::support::*;

fn subscribe_under(owner: &mut Owner, link: u64, number: u64, name: &str) {
    let request = owner.request();
    let subscribe = Subscribe {
        request,
        slot: slot(name),
        channel: channel(name),
        view: version(number),
        at: None,
    };
    owner.say(link, ToNode::Subscribe(subscribe));
}

#[test]
fn before_any_view_everything_is_busy() {
    let mut owner = Owner::bare(ShardConfig::default());
    owner.input(Input::Rules(rules()));
    owner.up(1, 1);
    owner.publish(1, publish("chat:1", 1, "a"));
    assert_eq!(owner.refusals_to(1), [Refusal::Busy]);
    assert!(owner.needed.is_empty());
}

#[test]
fn what_names_a_later_view_waits_for_it_and_is_done_in_order() {
    let mut owner = Owner::without(&["chat:1"]);
    subscribe_under(&mut owner, 2, 3, "chat:1");
    owner.publish(1, under(3, publish("chat:1", 1, "a")));
    owner.publish(1, under(3, publish("chat:1", 2, "b")));
    assert_eq!(owner.needed, [3], "once");
    assert!(owner.shard.gauges().parked_bytes > 0);
    owner.view(view_without(2, &["chat:1"]));
    assert!(owner.frames.is_empty(), "not by an older one");
    owner.view(view(3));
    owner.settle();
    assert_eq!(owner.published_to(1), [(1, 1), (2, 2)]);
    assert_eq!(owner.shard.gauges().parked_bytes, 0);
    let frames = owner.frames_to(2);
    assert!(
        matches!(frames.first(), Some(ToEdge::Subscribed(_))),
        "{frames:?}"
    );
}

#[test]
fn what_names_a_later_view_for_a_slot_that_is_held_is_done() {
    let mut owner = Owner::new();
    owner.publish(1, under(3, publish("chat:1", 1, "a")));
    owner.settle();
    assert_eq!(owner.published_to(1), [(1, 1)]);
    assert!(owner.needed.is_empty());
}

#[test]
fn a_later_version_is_asked_for_again_an_earlier_one_is_not() {
    let mut owner = Owner::without(&["chat:1"]);
    for number in [3, 2, 3, 5, 4] {
        let counter = owner.request().0;
        owner.publish(1, under(number, publish("chat:1", counter, "a")));
    }
    assert_eq!(owner.needed, [3, 5]);
}

#[test]
fn a_later_view_that_gives_the_slot_to_another_says_where_to_go() {
    let mut owner = Owner::without(&["chat:1"]);
    owner.publish(1, under(3, publish("chat:1", 1, "a")));
    subscribe_under(&mut owner, 1, 3, "chat:1");
    owner.view(view_without(3, &["chat:1"]));
    let version = version(3);
    assert_eq!(owner.refusals_to(1), [Refusal::Moved { version }; 2]);
}

#[test]
fn what_waits_for_a_view_waits_only_by_its_own_time() {
    let mut owner = Owner::without(&["chat:1"]);
    let short = Publish {
        time_left_ms: 300,
        ..under(3, publish("chat:1", 1, "a"))
    };
    owner.publish(1, short);
    owner.publish(1, under(3, publish("chat:1", 2, "b")));
    subscribe_under(&mut owner, 1, 3, "chat:1");
    owner.pass(Duration::from_millis(299));
    assert!(owner.frames.is_empty());
    owner.pass(Duration::from_millis(1));
    assert_eq!(owner.refusals_to(1), [Refusal::Busy]);
    owner.pass(Duration::from_millis(3700));
    assert_eq!(owner.refusals_to(1), [Refusal::Busy, Refusal::Busy]);
    assert_eq!(owner.shard.gauges().parked_bytes, 0);
    owner.view(view(3));
    owner.settle();
    assert!(owner.disk.texts("chat:1").is_empty());
}

#[test]
fn the_time_that_a_publish_has_waited_is_taken_from_what_it_has_left() {
    let mut owner = Owner::without(&["chat:1"]);
    owner.publish(1, under(3, publish("chat:1", 1, "a")));
    owner.pass(Duration::from_secs(3));
    owner.view(view(3));
    let claim = owner.requests.pop_front().expect("a claim");
    owner.pass(Duration::from_secs(1));
    owner.requests.push_back(claim);
    owner.settle();
    assert_eq!(owner.refusals_to(1), [Refusal::Busy]);
    assert!(owner.disk.texts("chat:1").is_empty(), "its time was over");
}

#[test]
fn what_waits_for_a_view_is_bounded() {
    let mut owner = Owner::bare(ShardConfig {
        parked_bytes_max: 1000,
        ..ShardConfig::default()
    });
    owner.input(Input::Rules(rules()));
    owner.view(view_without(1, &["chat:1"]));
    owner.settle();
    owner.up(1, 1);
    let long = "x".repeat(400);
    owner.publish(1, under(3, publish("chat:1", 1, &long)));
    owner.publish(1, under(3, publish("chat:1", 2, &long)));
    assert_eq!(owner.refusals_to(1), [Refusal::Busy]);
    owner.view(view(3));
    owner.settle();
    assert_eq!(owner.published_to(1), [(1, 1)]);
}

#[test]
fn what_came_on_a_link_that_is_lost_is_forgotten() {
    let mut owner = Owner::without(&["chat:1"]);
    owner.publish(1, under(3, publish("chat:1", 1, "a")));
    owner.down(1);
    assert_eq!(owner.shard.gauges().parked_bytes, 0);
    owner.up(1, 11);
    owner.view(view(3));
    owner.publish(11, under(3, repeat("chat:1", 1, "a")));
    owner.settle();
    assert_eq!(owner.published_to(11), [(1, 1)]);
    assert_eq!(owner.disk.texts("chat:1"), ["a"]);
}

#[test]
fn an_unsubscribe_ends_a_subscribe_that_waits_for_a_view() {
    let mut owner = Owner::without(&["chat:1"]);
    subscribe_under(&mut owner, 1, 3, "chat:1");
    let (slot, channel) = (slot("chat:1"), channel("chat:1"));
    owner.say(1, ToNode::Unsubscribe { slot, channel });
    assert_eq!(owner.refusals_to(1), [Refusal::Busy]);
    owner.view(view(3));
    owner.settle();
    assert_eq!(owner.shard.gauges().subscriptions, 0);
}

#[test]
fn an_ephemeral_publish_waits_for_no_view() {
    let mut owner = Owner::without(&["cursors:1"]);
    owner.publish(1, under(3, publish("cursors:1", 1, "a")));
    assert_eq!(owner.shard.gauges().parked_bytes, 0);
    assert_eq!(owner.shard.counters().ephemeral_refused, 1);
}
