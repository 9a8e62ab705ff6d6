//! What happens when something is full.

use trunkline_backbone_core::ShardConfig;
use trunkline_backbone_core::io::{PartOutcome, StoreRequest};
use trunkline_shared::Offset;
use trunkline_shared::frame::{HistoryQuery, Refusal};

use crate::support::*;

#[test]
fn a_slot_full_of_waiting_publishes_is_busy() {
    let mut owner = Owner::with(ShardConfig {
        slot_waiting_bytes_max: 300,
        ..ShardConfig::default()
    });
    (1..=3).for_each(|counter| owner.publish(1, publish("chat:1", counter, "a")));
    owner.publish(1, publish("chat:2", 4, "a"));
    assert_eq!(owner.refusals_to(1), [Refusal::Busy]);
    owner.settle();
    owner.publish(1, publish("chat:1", 5, "a"));
    owner.settle();
    assert_eq!(owner.published_to(1).len(), 4, "there is room again");
}

#[test]
fn a_shard_full_of_waiting_publishes_is_busy() {
    let mut owner = Owner::with(ShardConfig {
        waiting_bytes_max: 300,
        ..ShardConfig::default()
    });
    (1..=3).for_each(|n| owner.publish(1, publish(&format!("chat:{n}"), n, "a")));
    assert_eq!(owner.refusals_to(1), [Refusal::Busy]);
    owner.publish(1, publish("cursors:1", 9, "a"));
}

#[test]
fn the_channel_idle_for_longest_goes_first() {
    let mut owner = Owner::with(ShardConfig {
        channels_max: 2,
        ..ShardConfig::default()
    });
    owner.publish(1, publish("live:1", 1, "a"));
    owner.publish(1, publish("live:2", 2, "a"));
    owner.publish(1, publish("live:1", 3, "b"));
    owner.publish(1, publish("live:3", 4, "a"));
    owner.frames.clear();
    owner.publish(1, publish("live:1", 5, "c"));
    owner.publish(1, publish("live:2", 6, "b"));
    assert_eq!(
        owner.published_to(1),
        [(5, 3), (6, 1)],
        "the second began anew"
    );
    assert_eq!(owner.shard.counters().evicted, 2);
}

#[test]
fn a_durable_channel_that_went_is_read_again() {
    let mut owner = Owner::with(ShardConfig {
        channels_max: 1,
        ..ShardConfig::default()
    });
    owner.keep(1, "chat:1", 1, "a");
    owner.keep(1, "chat:2", 2, "b");
    owner.publish(1, publish("chat:1", 3, "c"));
    assert!(matches!(owner.serve(), StoreRequest::Heads(_)));
    assert_eq!(owner.append().1.channels[0].follows, Offset(1));
}

#[test]
fn channels_that_somebody_needs_stay_and_new_ones_are_busy() {
    let mut owner = Owner::with(ShardConfig {
        channels_max: 2,
        ..ShardConfig::default()
    });
    owner.subscribed(1, "live:1", None);
    owner.publish(1, publish("chat:1", 1, "a"));
    owner.publish(1, publish("live:2", 2, "a"));
    owner.subscribe(1, "live:3", None);
    assert_eq!(owner.refusals_to(1), [Refusal::Busy, Refusal::Busy]);
}

#[test]
fn idle_rings_go_before_a_publish_is_busy() {
    let mut owner = Owner::with(ShardConfig {
        ring_bytes_max_total: 400,
        ..ShardConfig::default()
    });
    owner.publish(1, publish("live:1", 1, "a"));
    owner.publish(1, publish("live:2", 2, "a"));
    owner.publish(1, publish("live:2", 3, "a"));
    owner.publish(1, publish("live:2", 4, "a"));
    assert_eq!(owner.refusals_to(1), [Refusal::Busy; 0]);
    assert_eq!(owner.shard.gauges().channels, 1);
    owner.publish(1, publish("live:2", 5, "a"));
    assert_eq!(owner.refusals_to(1), [Refusal::Busy]);
}

#[test]
fn a_durable_publish_without_room_for_its_ring_is_kept_all_the_same() {
    let mut owner = Owner::with(ShardConfig {
        ring_bytes_max_total: 200,
        ..ShardConfig::default()
    });
    owner.subscribed(2, "chat:1", None);
    (1..=3).for_each(|counter| owner.keep(1, "chat:1", counter, "a"));
    assert_eq!(owner.published_to(1).len(), 3);
    assert_eq!(owner.pushes_to(2).len(), 3);
    assert!(owner.shard.gauges().ring_bytes <= 200);
    owner.history(
        1,
        "chat:1",
        HistoryQuery::Forward {
            after: Offset(0),
            limit: 9,
        },
        9000,
    );
    assert!(matches!(owner.serve(), StoreRequest::Range(_)));
}

#[test]
fn requests_that_wait_for_the_store_are_bounded() {
    let mut owner = Owner::with(ShardConfig {
        requests_max: 2,
        ..ShardConfig::default()
    });
    for n in 1..=3 {
        owner.subscribe(1, &format!("chat:{n}"), None);
    }
    assert_eq!(owner.refusals_to(1), [Refusal::Busy]);
    owner.settle();
    owner.subscribed(1, "chat:3", None);
}

#[test]
fn ids_of_buffered_publishes_are_bounded() {
    let mut owner = Owner::with(ShardConfig {
        publish_ids_max: 2,
        ..ShardConfig::default()
    });
    let unanswered = |counter| behind(1, publish("live:1", counter, "a"));
    (1..=3).for_each(|counter| owner.publish(1, unanswered(counter)));
    assert_eq!(owner.refusals_to(1), [Refusal::Busy]);
    owner.publish(1, publish("live:1", 4, "b"));
    assert_eq!(owner.published_to(1), [(4, 3)]);
}

#[test]
fn an_append_of_a_channel_keeps_it_in_memory() {
    let mut owner = Owner::with(ShardConfig {
        channels_max: 1,
        ..ShardConfig::default()
    });
    owner.keep(1, "chat:1", 1, "a");
    owner.publish(1, publish("chat:1", 2, "b"));
    let (ticket, _) = owner.append();
    owner.publish(1, publish("live:1", 3, "c"));
    assert_eq!(owner.refusals_to(1), [Refusal::Busy]);
    owner.outcome(ticket, PartOutcome::Committed);
    owner.publish(1, publish("live:1", 4, "c"));
    assert_eq!(owner.published_to(1), [(2, 2), (4, 1)]);
}
