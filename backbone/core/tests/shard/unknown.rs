//! Appends of which nobody knows, and appends that are refused.

use std::time::Duration;

use trunkline_backbone_core::io::{PartOutcome, StoreAnswer, StoreRequest};
use trunkline_shared::Offset;
use trunkline_shared::frame::{Refusal, ToEdge};
use trunkline_store_core::{ClaimError, ClaimRequest, Generation, Refused};

use crate::support::*;

/// An owner with one message in `chat:1`, edge 2 subscribed to it, and an append of two more lost.
fn with_lost_append(taken: bool) -> Owner {
    let mut owner = Owner::new();
    owner.subscribed(2, "chat:1", None);
    owner.keep(1, "chat:1", 1, "a");
    owner.publish(1, publish("chat:1", 2, "b"));
    let (ticket, part) = owner.append();
    if taken {
        owner.disk.take(&part);
    }
    owner.frames.clear();
    owner.outcome(ticket, PartOutcome::Unknown);
    owner
}

#[test]
fn an_unknown_append_is_answered_by_nobody_before_the_claim() {
    let mut owner = with_lost_append(true);
    assert!(owner.frames.is_empty());
    let claim = ClaimRequest {
        view: version(1),
        slots: vec![(slot("chat:1"), false)],
    };
    assert_eq!(owner.asked().1, StoreRequest::Claim(claim));
}

#[test]
fn an_unknown_append_that_was_taken_is_delivered_and_answered_once() {
    let mut owner = with_lost_append(true);
    assert!(matches!(owner.serve(), StoreRequest::Claim(_)));
    assert!(matches!(owner.serve(), StoreRequest::Heads(_)));
    assert!(owner.requests.is_empty());
    assert_eq!(owner.pushes_to(2), [(2, "b".to_owned())]);
    assert_eq!(owner.published_to(1), [(2, 2)]);
    assert_eq!(owner.disk.texts("chat:1"), ["a", "b"]);
}

#[test]
fn an_unknown_append_that_was_not_taken_is_appended_again_under_its_id() {
    let mut owner = with_lost_append(false);
    owner.publish(1, publish("chat:1", 3, "c"));
    owner.serve();
    owner.serve();
    let (_, part) = owner.append();
    assert_eq!(part.generation, Generation(2));
    let ids: Vec<_> = part.channels[0]
        .messages
        .iter()
        .map(|message| message.id)
        .collect();
    assert_eq!(ids, [id(1, 2), id(1, 3)]);
}

#[test]
fn an_unknown_append_out_of_time_is_dropped_in_silence() {
    let mut owner = with_lost_append(false);
    owner.pass(Duration::from_secs(5));
    owner.settle();
    assert!(owner.frames.is_empty());
    assert_eq!(owner.disk.texts("chat:1"), ["a"]);
    owner.keep(1, "chat:1", 3, "c");
    assert_eq!(owner.published_to(1), [(3, 2)]);
}

#[test]
fn a_repeat_of_a_lost_publish_waits_for_the_head() {
    let mut owner = with_lost_append(true);
    owner.publish(1, repeat("chat:1", 2, "b"));
    owner.settle();
    assert_eq!(owner.published_to(1), [(2, 2)]);
    assert_eq!(owner.disk.texts("chat:1"), ["a", "b"]);
}

#[test]
fn nothing_is_numbered_while_a_claim_is_out() {
    let mut owner = with_lost_append(false);
    owner.publish(1, publish("chat:1", 3, "c"));
    owner.publish(1, repeat("chat:1", 4, "d"));
    assert!(
        matches!(owner.asked().1, StoreRequest::Claim(_)),
        "and nothing is looked up"
    );
}

#[test]
fn a_buffered_publish_needs_no_claim() {
    let mut owner = with_lost_append(false);
    owner.publish(1, publish("live:1", 3, "c"));
    assert_eq!(owner.published_to(1), [(3, 1)]);
}

#[test]
fn claims_are_tried_again_with_growing_waits() {
    let mut owner = with_lost_append(true);
    let mut waits = Vec::new();
    for _ in 0..8 {
        let (ticket, _) = owner.asked();
        owner.answer(ticket, StoreAnswer::Claimed(Err(ClaimError::Store(away()))));
        let (when, _) = owner
            .shard
            .poll_timeout()
            .expect("the claim is tried again");
        waits.push(when.since(owner.now.instant).as_millis());
        owner.pass(when.since(owner.now.instant));
    }
    assert_eq!(waits, [50, 100, 200, 400, 800, 1600, 2000, 2000]);
    owner.settle();
    assert_eq!(owner.published_to(1), [(2, 2)]);
}

#[test]
fn publishes_fail_fast_while_claims_fail() {
    let mut owner = with_lost_append(true);
    owner.publish(1, publish("chat:1", 3, "c"));
    owner.unplug();
    assert_eq!(
        owner.refusals_to(1),
        [Refusal::StoreAway],
        "the lost one isn't answered"
    );
    owner.publish(1, publish("chat:1", 4, "d"));
    assert_eq!(owner.refusals_to(1), [Refusal::StoreAway]);
    assert!(owner.requests.is_empty());
}

#[test]
fn a_head_that_is_neither_leads_to_a_look_up() {
    let mut owner = with_lost_append(false);
    owner.disk.store("chat:1", 9, &["foreign", "more"]);
    owner.serve();
    owner.serve();
    assert!(matches!(owner.serve(), StoreRequest::Find(_)));
    let (_, part) = owner.append();
    assert_eq!(
        (part.channels[0].follows, part.channels[0].messages[0].id),
        (Offset(3), id(1, 2))
    );
}

#[test]
fn subscribers_are_told_of_a_head_that_moved_past_them() {
    let mut owner = with_lost_append(false);
    owner.disk.store("chat:1", 9, &["foreign", "more"]);
    owner.settle();
    let frames = owner.frames_to(2);
    let [ToEdge::Behind(behind)] = &frames[..] else {
        panic!("a behind is expected, not {frames:?}")
    };
    assert_eq!(behind.head, at(3).expect("a position"));
}

#[test]
fn a_generation_refused_is_claimed_again_and_everything_looked_up() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.publish(1, publish("chat:1", 2, "b"));
    let (ticket, _) = owner.append();
    owner.publish(1, publish("chat:1", 3, "c"));
    owner.disk.store("chat:1", 1, &["b"]);
    owner.frames.clear();
    owner.outcome(ticket, PartOutcome::Refused(Refused::Generation));
    owner.settle();
    assert_eq!(
        owner.published_to(1),
        [(2, 2), (3, 3)],
        "the second was stored by another owner"
    );
    assert_eq!(owner.disk.texts("chat:1"), ["a", "b", "c"]);
}

#[test]
fn a_head_refused_is_treated_like_an_unknown_append() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.disk.store("chat:1", 9, &["x"]);
    owner.publish(1, publish("chat:1", 2, "b"));
    owner.settle();
    assert_eq!(owner.disk.texts("chat:1"), ["a", "x", "b"]);
    assert_eq!(owner.shard.counters().appends_refused, 1);
}

#[test]
fn several_slots_are_claimed_at_once() {
    let mut owner = Owner::new();
    (1..=3).for_each(|n| owner.keep(1, &format!("chat:{n}"), n, "a"));
    (1..=3).for_each(|n| owner.publish(1, publish(&format!("chat:{n}"), n + 10, "b")));
    let appends: Vec<_> = owner.requests.drain(..).map(|(ticket, _)| ticket).collect();
    appends
        .into_iter()
        .for_each(|ticket| owner.outcome(ticket, PartOutcome::Unknown));
    owner.unplug();
    owner.pass(Duration::from_millis(50));
    assert!(matches!(owner.serve(), StoreRequest::Claim(claim) if claim.slots.len() == 3));
    owner.settle();
    assert_eq!(owner.shard.gauges().claiming, 0);
}

#[test]
fn another_owners_message_is_not_taken_for_a_lost_one() {
    let mut owner = with_lost_append(false);
    owner.disk.claims.insert(slot("chat:1"), (2, EPOCH));
    owner.disk.store("chat:1", 9, &["foreign"]);
    owner.settle();
    assert_eq!(
        owner.refusals_to(1),
        [Refusal::StaleView],
        "the claim skipped a generation: the head alone proves nothing"
    );
    owner.publish(1, repeat("chat:1", 2, "b"));
    owner.settle();
    assert_eq!(owner.published_to(1), [(2, 3)]);
    assert_eq!(owner.disk.texts("chat:1"), ["a", "foreign", "b"]);
}
