//! Idempotency keys: a publisher may send a message again, under another publish id and through another edge.

use std::time::Duration;

use trunkline_backbone_core::ShardConfig;
use trunkline_backbone_core::io::{PartOutcome, StoreAnswer, StoreRequest};
use trunkline_shared::Offset;
use trunkline_shared::frame::{Publish, Refusal};
use trunkline_store_core::{AllFound, Refused};

use crate::support::*;

#[test]
fn a_second_publish_with_a_key_is_answered_as_the_first_and_stored_once() {
    let mut owner = Owner::new();
    owner.subscribed(3, "chat:1", None);
    owner.publish(1, keyed("chat:1", 1, "a", "k"));
    owner.settle();
    owner.keep(1, "chat:1", 2, "b");
    owner.frames.clear();
    owner.publish(2, keyed("chat:1", 1, "again", "k"));
    owner.settle();
    assert_eq!(owner.published_to(2), [(1, 1)]);
    assert!(owner.pushes_to(3).is_empty(), "it isn't delivered again");
    assert_eq!(owner.disk.texts("chat:1"), ["a", "b"]);
    assert_eq!(owner.shard.counters().keys_found, 1);
}

#[test]
fn a_key_counts_in_its_channel_only() {
    let mut owner = Owner::new();
    for (counter, name) in [(1, "pair:x:a"), (2, "pair:x:b"), (3, "chat:1")] {
        owner.publish(1, keyed(name, counter, "a", "k"));
        owner.settle();
        assert_eq!(owner.published_to(1), [(counter, 1)], "{name}");
    }
    owner.publish(1, keyed("chat:1", 4, "b", "other"));
    owner.settle();
    assert_eq!(owner.published_to(1), [(4, 2)]);
}

#[test]
fn the_next_owner_knows_the_key() {
    let mut owner = Owner::new();
    owner.publish(1, keyed("chat:1", 1, "a", "k"));
    owner.settle();
    let mut next = Owner::new();
    next.disk = owner.disk;
    next.publish(2, keyed("chat:1", 9, "a", "k"));
    next.settle();
    assert_eq!(next.published_to(2), [(9, 1)]);
    assert_eq!(next.disk.texts("chat:1"), ["a"]);
}

#[test]
fn a_key_is_forgotten_after_five_minutes() {
    let mut owner = Owner::new();
    owner.publish(1, keyed("chat:1", 1, "a", "k"));
    owner.settle();
    owner.pass(Duration::from_secs(300));
    owner.publish(1, keyed("chat:1", 2, "b", "k"));
    owner.settle();
    owner.pass(Duration::from_millis(1));
    owner.publish(1, keyed("chat:1", 3, "c", "k"));
    owner.settle();
    assert_eq!(owner.published_to(1), [(1, 1), (2, 1), (3, 2)]);
}

#[test]
fn a_publish_with_the_key_of_one_in_flight_waits_for_its_answer() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.publish(1, keyed("chat:1", 2, "b", "k"));
    owner.serve();
    let (ticket, _) = owner.append();
    owner.frames.clear();
    owner.publish(2, keyed("chat:1", 1, "again", "k"));
    owner.publish(3, keyed("chat:1", 1, "again", "k"));
    assert!(owner.requests.is_empty(), "they aren't looked up");
    owner.outcome(ticket, PartOutcome::Committed);
    assert!(owner.requests.is_empty());
    assert_eq!(owner.published_to(1), [(2, 2)]);
    assert_eq!(owner.published_to(2), [(1, 2)]);
    assert_eq!(owner.published_to(3), [(1, 2)]);
    assert_eq!(owner.shard.counters().keys_held, 2);
}

#[test]
fn publishes_with_one_key_that_are_looked_up_together_are_stored_once() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.frames.clear();
    (2..=4).for_each(|counter| owner.publish(1, keyed("chat:1", counter, "b", "k")));
    owner.settle();
    assert_eq!(owner.published_to(1), [(2, 2), (3, 2), (4, 2)]);
    assert_eq!(owner.disk.texts("chat:1"), ["a", "b"]);
}

#[test]
fn the_next_one_takes_the_place_of_a_first_that_failed() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.publish(1, keyed("chat:1", 2, "b", "k"));
    owner.serve();
    let (ticket, _) = owner.append();
    owner.publish(2, keyed("chat:1", 1, "b", "k"));
    owner.publish(3, keyed("chat:1", 1, "b", "k"));
    owner.frames.clear();
    owner.outcome(ticket, PartOutcome::Failed(away()));
    assert_eq!(owner.refusals_to(1), [Refusal::StoreAway]);
    assert!(matches!(owner.serve(), StoreRequest::Find(find) if find.keys.len() == 1));
    owner.settle();
    assert_eq!(owner.published_to(2), [(1, 2)]);
    assert_eq!(owner.published_to(3), [(1, 2)]);
    assert_eq!(owner.disk.texts("chat:1"), ["a", "b"]);
}

#[test]
fn the_next_one_takes_the_place_of_a_first_whose_time_is_over() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.publish(1, publish("chat:1", 2, "long"));
    let (ticket, part) = owner.append();
    owner.disk.take(&part);
    let hasty = Publish {
        time_left_ms: 100,
        ..keyed("chat:1", 3, "b", "k")
    };
    owner.publish(1, hasty);
    owner.serve();
    owner.publish(2, keyed("chat:1", 1, "c", "k"));
    owner.pass(Duration::from_millis(101));
    owner.frames.clear();
    owner.outcome(ticket, PartOutcome::Committed);
    owner.settle();
    assert_eq!(owner.refusals_to(1), [Refusal::Busy]);
    assert_eq!(owner.published_to(2), [(1, 3)]);
    assert_eq!(owner.disk.texts("chat:1"), ["a", "long", "c"]);
}

#[test]
fn one_key_over_an_append_of_which_nobody_knows_is_stored_once() {
    for taken in [true, false] {
        let mut owner = Owner::new();
        owner.keep(1, "chat:1", 1, "a");
        owner.publish(1, keyed("chat:1", 2, "b", "k"));
        owner.serve();
        let (ticket, part) = owner.append();
        if taken {
            owner.disk.take(&part);
        }
        owner.publish(2, keyed("chat:1", 1, "b", "k"));
        owner.frames.clear();
        owner.outcome(ticket, PartOutcome::Unknown);
        owner.settle();
        assert_eq!(owner.published_to(1), [(2, 2)]);
        assert_eq!(owner.published_to(2), [(1, 2)]);
        assert_eq!(owner.disk.texts("chat:1"), ["a", "b"], "taken: {taken}");
    }
}

#[test]
fn what_another_owner_took_meanwhile_is_found_by_its_key() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.publish(1, keyed("chat:1", 2, "b", "k"));
    owner.serve();
    let (ticket, part) = owner.append();
    let foreign = {
        let mut other = Owner::new();
        other.disk = std::mem::take(&mut owner.disk);
        other.publish(3, keyed("chat:1", 7, "b", "k"));
        other.settle();
        other.disk
    };
    owner.disk = foreign;
    assert_eq!(part.channels[0].follows, Offset(1));
    owner.publish(2, keyed("chat:1", 1, "b", "k"));
    owner.frames.clear();
    owner.outcome(ticket, PartOutcome::Refused(Refused::Generation));
    owner.settle();
    assert_eq!(owner.published_to(1), [(2, 2)]);
    assert_eq!(owner.published_to(2), [(1, 2)]);
    assert_eq!(owner.disk.texts("chat:1"), ["a", "b"]);
}

#[test]
fn keys_and_repeats_are_looked_up_in_one_query_and_what_comes_behind_waits() {
    let mut owner = Owner::new();
    owner.keep(1, "pair:x:a", 1, "a");
    owner.publish(1, keyed("pair:x:a", 2, "b", "k"));
    let (first, _) = owner.asked();
    owner.publish(1, repeat("pair:x:a", 3, "c"));
    owner.publish(1, keyed("pair:x:a", 4, "d", "l"));
    owner.publish(1, publish("pair:x:a", 5, "e"));
    assert!(owner.requests.is_empty(), "one query is in flight");
    owner.answer(first, StoreAnswer::Found(Ok(AllFound::default())));
    let asked: Vec<_> = owner.requests.drain(..).map(|(_, asked)| asked).collect();
    let [StoreRequest::Find(find), StoreRequest::Append(part)] = &asked[..] else {
        panic!("the others are looked up together, the first is appended: {asked:?}")
    };
    assert_eq!((find.ids.len(), find.keys.len()), (2, 1));
    assert_eq!(part.channels[0].messages.len(), 1);
}

#[test]
fn a_buffered_key_is_remembered_by_its_owner_for_five_minutes() {
    let mut owner = Owner::new();
    owner.subscribed(3, "live:1", None);
    owner.publish(1, keyed("live:1", 1, "a", "k"));
    owner.publish(2, publish("live:1", 1, "b"));
    owner.frames.clear();
    owner.publish(2, keyed("live:1", 2, "again", "k"));
    assert_eq!(owner.published_to(2), [(2, 1)]);
    assert!(owner.pushes_to(3).is_empty());
    owner.pass(Duration::from_secs(300));
    owner.publish(2, keyed("live:1", 3, "c", "k"));
    assert_eq!(owner.published_to(2), [(3, 3)]);
    assert_eq!(owner.shard.gauges().keys, 1);
}

#[test]
fn a_buffered_key_ends_with_its_channels_numbering() {
    let mut owner = Owner::with(ShardConfig {
        channels_max: 1,
        ..ShardConfig::default()
    });
    owner.publish(1, keyed("live:1", 1, "a", "k"));
    owner.publish(1, publish("live:2", 2, "b"));
    owner.publish(1, keyed("live:1", 3, "c", "k"));
    owner.publish(1, keyed("live:1", 4, "d", "k"));
    assert_eq!(owner.published_to(1), [(1, 1), (2, 1), (3, 1), (4, 1)]);
    assert_eq!(owner.shard.counters().keys_found, 1);
    assert_eq!(owner.shard.gauges().keys, 1);
}

#[test]
fn a_buffered_publish_whose_key_has_no_room_is_busy_and_others_go_on() {
    let mut owner = Owner::with(ShardConfig {
        keys_max: 2,
        ..ShardConfig::default()
    });
    for counter in 1..=3 {
        owner.publish(1, keyed("live:1", counter, "a", &counter.to_string()));
    }
    assert_eq!(owner.refusals_to(1), [Refusal::Busy]);
    assert_eq!(owner.shard.counters().keys_refused_full, 1);
    owner.publish(1, keyed("live:1", 4, "a", "1"));
    owner.publish(1, publish("live:1", 5, "b"));
    assert_eq!(owner.published_to(1), [(4, 1), (5, 3)]);
    owner.pass(Duration::from_secs(300));
    owner.publish(1, keyed("live:1", 6, "a", "3"));
    assert_eq!(owner.published_to(1), [(6, 4)], "there is room again");
}

#[test]
fn bytes_of_keys_are_bounded() {
    let mut owner = Owner::with(ShardConfig {
        key_bytes_max: 20,
        ..ShardConfig::default()
    });
    owner.publish(1, keyed("live:1", 1, "a", "12345678"));
    owner.publish(1, keyed("live:1", 2, "a", "1"));
    assert_eq!(owner.refusals_to(1), [Refusal::Busy]);
    assert_eq!(owner.shard.gauges().key_bytes, 14);
}

#[test]
fn an_ephemeral_publish_with_a_known_key_is_dropped() {
    let mut owner = Owner::with(ShardConfig {
        keys_max: 1,
        ..ShardConfig::default()
    });
    owner.subscribed(3, "cursors:1", None);
    owner.publish(1, keyed("cursors:1", 1, "a", "k"));
    owner.publish(2, keyed("cursors:1", 1, "again", "k"));
    owner.publish(2, keyed("cursors:1", 2, "no room", "l"));
    owner.publish(2, publish("cursors:1", 3, "b"));
    let pushed: Vec<_> = owner.pushes_to(3).into_iter().map(|push| push.1).collect();
    assert_eq!(pushed, ["a", "b"]);
    let counters = *owner.shard.counters();
    assert_eq!((counters.keys_found, counters.keys_refused_full), (1, 1));
}

#[test]
fn a_buffered_publish_that_a_look_up_held_beyond_its_time_is_not_taken() {
    let mut owner = Owner::new();
    let buffered = (0..)
        .map(|n| format!("live:{n}"))
        .find(|name| slot(name) == slot("pair:x:a"))
        .expect("there are 4096 slots");
    owner.keep(1, "pair:x:a", 1, "a");
    owner.publish(1, repeat("pair:x:a", 2, "b"));
    let (ticket, _) = owner.asked();
    owner.publish(1, publish(&buffered, 3, "c"));
    owner.pass(Duration::from_secs(5));
    owner.frames.clear();
    owner.answer(ticket, StoreAnswer::Found(Ok(AllFound::default())));
    owner.settle();
    assert_eq!(owner.refusals_to(1), [Refusal::Busy, Refusal::Busy]);
    owner.publish(1, publish(&buffered, 4, "d"));
    assert_eq!(owner.published_to(1), [(4, 1)], "neither was numbered");
}

#[test]
fn an_edge_that_sends_a_key_that_cannot_be_one_is_closed() {
    for key in [vec![], vec![b'k'; 256]] {
        let mut owner = Owner::new();
        let publish = Publish {
            key: Some(key),
            ..publish("chat:1", 1, "a")
        };
        owner.publish(1, publish);
        assert_eq!(owner.closed, ["an idempotency key that can't be one"]);
        assert!(owner.requests.is_empty() && owner.frames.is_empty());
    }
}
