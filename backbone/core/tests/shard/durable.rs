//! Durable publishes: numbered after the store's head, acknowledged and delivered after its commit.

use std::time::Duration;

use trunkline_backbone_core::ShardConfig;
use trunkline_backbone_core::io::{PartOutcome, StoreAnswer, StoreRequest};
use trunkline_shared::frame::{Publish, Refusal, ToEdge};
use trunkline_shared::{Offset, StreamId, UnixMillis};
use trunkline_store_core::{Generation, Head, StoreError};

use crate::support::*;

#[test]
fn the_head_is_read_when_the_channel_is_first_touched() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["x", "y"]);
    owner.publish(1, publish("chat:1", 1, "a"));
    assert_eq!(
        owner.serve(),
        StoreRequest::Heads(vec![(slot("chat:1"), channel("chat:1"))])
    );
    let (_, part) = owner.append();
    assert_eq!(
        (part.generation, part.channels[0].follows),
        (Generation(1), Offset(2))
    );
    assert_eq!(part.channels[0].messages[0].publication.offset, Offset(3));
    assert_eq!(part.channels[0].messages[0].id, id(1, 1));
}

#[test]
fn nothing_is_answered_or_pushed_before_the_commit() {
    let mut owner = Owner::new();
    owner.subscribed(2, "chat:1", None);
    owner.publish(1, publish("chat:1", 1, "a"));
    let (ticket, _) = owner.append();
    assert!(owner.frames.is_empty());
    owner.outcome(ticket, PartOutcome::Committed);
    assert_eq!(owner.pushes_to(2), [(1, "a".to_owned())]);
    assert_eq!(owner.published_to(1), [(1, 1)]);
}

#[test]
fn an_edge_gets_one_copy_with_epoch_origin_and_time() {
    let mut owner = Owner::new();
    owner.subscribed(2, "chat:1", None);
    owner.subscribed(2, "chat:1", None);
    owner.keep(1, "chat:1", 1, "a");
    let frames = owner.frames_to(2);
    let [ToEdge::Push(push)] = &frames[..] else {
        panic!("one push is expected, not {frames:?}")
    };
    assert_eq!(push.epoch, Some(EPOCH));
    assert_eq!(push.publication.origin, "eu-west");
    assert_eq!(push.publication.time, UnixMillis(1_000_000));
    assert_eq!(push.publication.trace.left_owner_micros, 1_000_000_000);
}

#[test]
fn what_comes_during_an_append_goes_in_the_next_one() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.publish(1, publish("chat:1", 2, "b"));
    let (ticket, _) = owner.append();
    owner.publish(1, publish("chat:1", 3, "c"));
    owner.publish(2, publish("chat:1", 1, "d"));
    assert!(owner.requests.is_empty(), "a slot has one append in flight");
    owner.outcome(ticket, PartOutcome::Committed);
    let (_, part) = owner.append();
    assert_eq!(part.channels.len(), 1, "each channel once");
    assert_eq!(part.channels[0].follows, Offset(2));
    let offsets: Vec<_> = part.channels[0]
        .messages
        .iter()
        .map(|m| m.publication.offset.0)
        .collect();
    assert_eq!(offsets, [3, 4]);
}

#[test]
fn channels_of_one_slot_share_an_append() {
    let mut owner = Owner::new();
    owner.keep(1, "pair:x:a", 1, "a");
    owner.keep(1, "pair:x:b", 2, "b");
    owner.publish(1, publish("pair:x:a", 3, "c"));
    let (ticket, _) = owner.append();
    owner.publish(1, publish("pair:x:b", 4, "d"));
    owner.publish(1, publish("pair:x:a", 5, "e"));
    owner.publish(1, publish("pair:x:b", 6, "f"));
    owner.outcome(ticket, PartOutcome::Committed);
    let (_, part) = owner.append();
    let lengths: Vec<_> = part
        .channels
        .iter()
        .map(|c| (c.channel.as_str(), c.messages.len()))
        .collect();
    assert_eq!(lengths, [("pair:x:b", 2), ("pair:x:a", 1)]);
}

#[test]
fn slots_append_independently() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.keep(1, "chat:2", 2, "b");
    owner.publish(1, publish("chat:1", 3, "c"));
    owner.publish(1, publish("chat:2", 4, "d"));
    assert_eq!(owner.requests.len(), 2);
}

#[test]
fn a_part_is_cut_to_its_bytes() {
    let mut owner = Owner::with(ShardConfig {
        append_bytes_max: 500,
        ..ShardConfig::default()
    });
    owner.keep(1, "chat:1", 1, "a");
    owner.publish(1, publish("chat:1", 2, "b"));
    let (ticket, _) = owner.append();
    (3..=8).for_each(|counter| owner.publish(1, publish("chat:1", counter, &"x".repeat(100))));
    owner.outcome(ticket, PartOutcome::Committed);
    let (ticket, part) = owner.append();
    assert_eq!(part.channels[0].messages.len(), 2);
    owner.outcome(ticket, PartOutcome::Committed);
    owner.settle();
    assert_eq!(owner.published_to(1).len(), 8);
}

#[test]
fn times_never_fall_within_a_channel() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.now.unix = UnixMillis(500);
    owner.publish(1, publish("chat:1", 2, "b"));
    let (_, part) = owner.append();
    assert_eq!(
        part.channels[0].messages[0].publication.time,
        UnixMillis(1_000_000)
    );
}

#[test]
fn a_store_that_is_away_is_told_and_rolls_nothing_forward() {
    let mut owner = Owner::new();
    owner.subscribed(2, "chat:1", None);
    owner.publish(1, publish("chat:1", 1, "a"));
    owner.unplug();
    assert_eq!(owner.refusals_to(1), [Refusal::StoreAway]);
    assert!(owner.pushes_to(2).is_empty());
    owner.publish(1, publish("chat:1", 2, "b"));
    let (_, part) = owner.append();
    assert_eq!(part.channels[0].follows, Offset(0));
}

#[test]
fn a_store_that_is_away_at_the_first_touch_is_told() {
    let mut owner = Owner::new();
    owner.publish(1, publish("chat:1", 1, "a"));
    owner.subscribe(1, "chat:1", None);
    owner.unplug();
    assert_eq!(
        owner.refusals_to(1),
        [Refusal::StoreAway, Refusal::StoreAway]
    );
    owner.keep(1, "chat:1", 2, "b");
    assert_eq!(
        owner.published_to(1),
        [(2, 1)],
        "the next one tries again at once"
    );
}

#[test]
fn data_that_the_store_refuses_is_busy_and_the_slot_claimed_again() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.publish(1, publish("chat:1", 2, "b"));
    let (ticket, _) = owner.append();
    owner.frames.clear();
    owner.outcome(
        ticket,
        PartOutcome::Failed(StoreError::Data("nonsense".to_owned())),
    );
    assert_eq!(owner.refusals_to(1), [Refusal::Busy]);
    assert!(matches!(owner.serve(), StoreRequest::Claim(_)));
    owner.publish(1, publish("chat:1", 3, "c"));
    let (_, part) = owner.append();
    assert_eq!(
        (part.generation, part.channels[0].follows),
        (Generation(2), Offset(1))
    );
}

#[test]
fn no_append_is_started_for_a_publish_whose_time_is_over() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.publish(1, publish("chat:1", 2, "b"));
    let (ticket, _) = owner.append();
    owner.publish(
        1,
        Publish {
            time_left_ms: 100,
            ..publish("chat:1", 3, "late")
        },
    );
    owner.publish(1, publish("chat:1", 4, "c"));
    owner.pass(Duration::from_millis(100));
    owner.frames.clear();
    owner.outcome(ticket, PartOutcome::Committed);
    let (_, part) = owner.append();
    assert_eq!(part.channels[0].messages.len(), 1);
    assert_eq!(part.channels[0].messages[0].id, id(1, 4));
    assert_eq!(owner.refusals_to(1), [Refusal::Busy]);
}

#[test]
fn an_answer_goes_to_the_link_that_the_edge_has_now() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.publish(1, publish("chat:1", 2, "b"));
    let (ticket, _) = owner.append();
    owner.down(1);
    owner.up(1, 11);
    owner.frames.clear();
    owner.outcome(ticket, PartOutcome::Committed);
    let frames: Vec<_> = owner
        .frames
        .iter()
        .map(|(link, stream, _)| (*link, *stream))
        .collect();
    assert_eq!(frames, [(11, StreamId::of(slot("chat:1")))]);
}

#[test]
fn heads_of_many_channels_are_read_in_one_query() {
    let mut owner = Owner::new();
    (1..=5).for_each(|n| owner.publish(1, publish(&format!("chat:{n}"), n, "a")));
    let (ticket, request) = owner.asked();
    assert!(matches!(request, StoreRequest::Heads(heads) if heads.len() == 1));
    owner.answer(ticket, StoreAnswer::Heads(Ok(vec![Head::default()])));
    let many = |(_, request): &(_, StoreRequest)| matches!(request, StoreRequest::Heads(heads) if heads.len() == 4);
    assert!(
        owner.requests.iter().any(many),
        "what queued up goes in the next: {:?}",
        owner.requests
    );
}
