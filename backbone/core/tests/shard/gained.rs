//! Slots that a view gives to the node: view first, then claim.

use std::time::Duration;

use trunkline_backbone_core::ShardConfig;
use trunkline_backbone_core::io::{Input, StoreAnswer, StoreRequest};
use trunkline_shared::frame::{Refusal, ToEdge};
use trunkline_shared::{Epoch, Slot};
use trunkline_store_core::{ClaimError, Claimed, Generation};

use crate::support::*;

#[test]
fn all_slots_of_the_first_view_are_claimed_at_once() {
    let mut owner = Owner::bare(ShardConfig::default());
    owner.view(view(1));
    let (ticket, under, slots) = owner.claim();
    assert_eq!((under, slots.len()), (1, 4096));
    assert!(owner.settled.is_empty());
    let claimed = slots.into_iter().map(|slot| Claimed {
        slot,
        generation: Generation(1),
        epoch: EPOCH,
    });
    owner.answer(ticket, StoreAnswer::Claimed(Ok(claimed.collect())));
    assert_eq!(owner.settled, [1]);
    assert_eq!(owner.shard.gauges().moving, 0);
}

#[test]
fn a_gained_slot_is_claimed_under_the_view_that_gives_it_and_the_others_keep_their_claims() {
    let mut owner = Owner::without(&["chat:1", "chat:2"]);
    owner.view(view(2));
    let (_, under, slots) = owner.claim();
    let mut gained = [slot("chat:1"), slot("chat:2")];
    gained.sort();
    assert_eq!((under, slots.as_slice()), (2, gained.as_slice()));
    assert_eq!(owner.shard.gauges().moving, 2);
}

#[test]
fn a_view_that_changes_nothing_is_settled_at_once() {
    let mut owner = Owner::new();
    owner.view(view(2));
    assert!(owner.requests.is_empty());
    owner.view(view(2));
    owner.view(view(1));
    assert_eq!(owner.settled, [2], "once, and older ones are ignored");
}

#[test]
fn what_arrives_before_the_claim_waits_and_is_done_in_order() {
    let mut owner = Owner::without(&["chat:1"]);
    owner.view(view(2));
    let claim = owner.requests.pop_front().expect("a claim");
    owner.subscribe(2, "chat:1", None);
    owner.publish(1, under(2, publish("chat:1", 1, "a")));
    owner.publish(1, under(2, publish("chat:1", 2, "b")));
    assert!(owner.requests.is_empty(), "nothing is asked before");
    assert!(owner.frames.is_empty());
    owner.requests.push_back(claim);
    owner.settle();
    assert_eq!(owner.published_to(1), [(1, 1), (2, 2)]);
    assert_eq!(owner.disk.texts("chat:1"), ["a", "b"]);
    let subscribed = |frame: &ToEdge| matches!(frame, ToEdge::Subscribed(s) if s.head.is_some_and(|head| head.epoch == EPOCH));
    let frames = owner.frames_to(2);
    assert!(frames.iter().any(subscribed), "{frames:?}");
}

#[test]
fn a_repeat_is_looked_up_only_after_the_claim() {
    let mut owner = Owner::without(&["chat:1"]);
    owner.view(view(2));
    owner.publish(1, under(2, repeat("chat:1", 1, "a")));
    let (claim, _, slots) = owner.claim();
    owner.disk.store("chat:1", 1, &["a"]);
    let claimed = Claimed {
        slot: slots[0],
        generation: Generation(2),
        epoch: EPOCH,
    };
    owner.answer(claim, StoreAnswer::Claimed(Ok(vec![claimed])));
    owner.settle();
    assert_eq!(owner.published_to(1), [(1, 1)]);
    assert_eq!(owner.disk.texts("chat:1"), ["a"], "not twice");
}

#[test]
fn what_waits_for_a_claim_is_bounded() {
    let config = ShardConfig {
        slot_waiting_bytes_max: 1000,
        requests_max: 1,
        ..ShardConfig::default()
    };
    let mut owner = Owner::with(config);
    owner.view(view_without(2, &["chat:1"]));
    owner.view(view(3));
    let long = "x".repeat(600);
    owner.publish(1, under(3, publish("chat:1", 1, &long)));
    owner.publish(1, under(3, publish("chat:1", 2, &long)));
    owner.subscribe(2, "chat:1", None);
    owner.subscribe(3, "chat:1", None);
    assert_eq!(owner.refusals_to(1), [Refusal::Busy]);
    assert_eq!(owner.refusals_to(3), [Refusal::Busy]);
    owner.settle();
    assert_eq!(owner.published_to(1), [(1, 1)]);
}

#[test]
fn a_first_sending_from_before_the_view_is_stale() {
    let mut owner = Owner::without(&["chat:1"]);
    owner.view(view(2));
    owner.publish(1, under(1, publish("chat:1", 1, "a")));
    assert_eq!(owner.refusals_to(1), [Refusal::StaleView]);
}

#[test]
fn what_has_waited_since_an_earlier_view_is_sent_again_and_looked_up() {
    let mut owner = Owner::without(&["chat:1"]);
    owner.view(view(2));
    owner.publish(1, under(2, publish("chat:1", 1, "a")));
    let (late, _, _) = owner.claim();
    // In a view between the two the slot was another's, which was sent the same publish.
    owner.view(view(4));
    owner.disk.store("chat:1", 1, &["a"]);
    let refused = ClaimError::LaterView(version(3));
    owner.answer(late, StoreAnswer::Claimed(Err(refused)));
    assert_eq!(owner.refusals_to(1), [Refusal::StaleView]);
    owner.publish(1, under(4, repeat("chat:1", 1, "a")));
    owner.settle();
    assert_eq!(owner.published_to(1), [(1, 1)]);
    assert_eq!(owner.disk.texts("chat:1"), ["a"], "not twice");
}

#[test]
fn a_claim_refused_for_a_later_view_is_made_again_under_that_view() {
    let mut owner = Owner::without(&["chat:1"]);
    owner.view(view(2));
    owner.publish(1, under(2, publish("chat:1", 1, "a")));
    let (ticket, _, _) = owner.claim();
    let later = ClaimError::LaterView(version(5));
    owner.answer(ticket, StoreAnswer::Claimed(Err(later)));
    assert_eq!(owner.needed, [5]);
    owner.view(view(4));
    owner.pass(Duration::from_secs(3));
    assert!(owner.requests.is_empty(), "not under an older one");
    owner.view(view(5));
    owner.frames.clear();
    owner.publish(1, under(5, repeat("chat:1", 1, "a")));
    assert!(matches!(owner.serve(), StoreRequest::Claim(claim) if claim.view == version(5)));
    owner.settle();
    assert_eq!(owner.published_to(1), [(1, 1)]);
    assert_eq!(owner.settled, [5], "the views between were never settled");
}

#[test]
fn a_claim_refused_for_a_later_view_that_gives_the_slot_to_another_gives_it_up() {
    let mut owner = Owner::without(&["chat:1"]);
    owner.view(view(2));
    owner.publish(1, under(2, publish("chat:1", 1, "a")));
    owner.subscribe(2, "chat:1", None);
    let (ticket, _, _) = owner.claim();
    let later = ClaimError::LaterView(version(5));
    owner.answer(ticket, StoreAnswer::Claimed(Err(later)));
    owner.view(view_without(5, &["chat:1"]));
    assert_eq!(owner.refusals_to(1), [moved(5)]);
    assert_eq!(owner.refusals_to(2), [moved(5)]);
    assert!(owner.requests.is_empty());
    assert_eq!(owner.settled, [5]);
}

#[test]
fn a_claim_answered_after_the_slot_was_away_is_not_taken() {
    let mut owner = Owner::without(&["chat:1"]);
    owner.view(view(2));
    let (late, _, slots) = owner.claim();
    owner.view(view_without(3, &["chat:1"]));
    owner.view(view(4));
    owner.publish(1, under(4, publish("chat:1", 1, "a")));
    let claimed = Claimed {
        slot: slots[0],
        generation: Generation(1),
        epoch: EPOCH,
    };
    owner.answer(late, StoreAnswer::Claimed(Ok(vec![claimed])));
    assert_eq!(owner.settled, [3]);
    assert!(matches!(owner.serve(), StoreRequest::Claim(claim) if claim.view == version(4)));
    owner.settle();
    assert_eq!(owner.settled, [3, 4]);
    assert_eq!(owner.published_to(1), [(1, 1)]);
}

#[test]
fn a_claim_answered_after_the_slot_has_gone_gives_nothing() {
    let mut owner = Owner::without(&["chat:1"]);
    owner.view(view(2));
    let (late, _, slots) = owner.claim();
    owner.view(view_without(3, &["chat:1"]));
    let claimed = Claimed {
        slot: slots[0],
        generation: Generation(1),
        epoch: EPOCH,
    };
    owner.answer(late, StoreAnswer::Claimed(Ok(vec![claimed])));
    assert_eq!(owner.shard.gauges().slots, 4095);
    owner.publish(1, under(3, publish("chat:1", 1, "a")));
    assert_eq!(owner.refusals_to(1), [moved(3)]);
}

#[test]
fn slots_gained_during_a_claim_are_claimed_together_by_the_next() {
    let mut owner = Owner::without(&["chat:1", "chat:2", "chat:3"]);
    owner.view(view_without(2, &["chat:2", "chat:3"]));
    let claim = owner.requests.pop_front().expect("a claim");
    owner.view(view_without(3, &["chat:3"]));
    owner.view(view(4));
    assert!(owner.requests.is_empty(), "one claim at a time");
    owner.requests.push_back(claim);
    owner.serve();
    let (_, under, slots) = owner.claim();
    let mut gained = ["chat:1", "chat:2", "chat:3"].map(slot);
    gained.sort();
    assert_eq!((under, slots.as_slice()), (4, gained.as_slice()));
}

#[test]
fn a_claim_that_fails_is_tried_again_and_what_waits_is_told_so() {
    let mut owner = Owner::without(&["chat:1"]);
    owner.view(view(2));
    owner.publish(1, under(2, publish("chat:1", 1, "a")));
    owner.unplug();
    assert_eq!(owner.refusals_to(1), [Refusal::StoreAway]);
    owner.publish(1, under(2, publish("chat:1", 2, "b")));
    assert_eq!(owner.refusals_to(1), [Refusal::StoreAway], "at once");
    assert!(owner.settled.is_empty());
    owner.pass(Duration::from_millis(50));
    owner.settle();
    assert_eq!(owner.settled, [2]);
    owner.publish(1, under(2, publish("chat:1", 3, "c")));
    owner.settle();
    assert_eq!(owner.published_to(1), [(3, 1)]);
}

#[test]
fn what_needs_no_store_goes_on_before_the_claim() {
    let mut owner = Owner::without(&["live:1", "cursors:1"]);
    owner.view(view(2));
    let claim = owner.requests.pop_front();
    owner.subscribe(2, "live:1", None);
    owner.subscribe(2, "cursors:1", None);
    owner.publish(1, under(2, publish("live:1", 1, "a")));
    owner.publish(1, under(2, publish("cursors:1", 2, "b")));
    assert_eq!(
        owner.pushes_to(2),
        [(1, "a".to_owned()), (0, "b".to_owned())]
    );
    assert_eq!(owner.published_to(1), [(1, 1)]);
    assert!(claim.is_some());
}

#[test]
fn a_view_of_another_birth_claims_everything_again_and_new_epochs_reach_idle_channels() {
    let mut owner = Owner::new();
    owner.subscribed(2, "chat:1", None);
    let next = Epoch::new(78);
    for claim in owner.disk.claims.values_mut() {
        *claim = (9, next);
    }
    owner.view(view_born(2, 1));
    assert!(owner.settled.is_empty());
    let claim = owner.serve();
    assert!(matches!(claim, StoreRequest::Claim(claim) if claim.slots.len() == 4096));
    assert_eq!(owner.settled, [2]);
    let reset = ToEdge::Reset {
        slot: slot("chat:1"),
    };
    assert_eq!(owner.frames_to(2), [reset]);
    let again = owner.subscribed(2, "chat:1", None);
    assert_eq!(again.head.map(|head| head.epoch), Some(next));
    owner.view(view_born(3, 1));
    assert!(owner.requests.is_empty(), "once for each");
}

#[test]
fn after_a_view_of_another_birth_heads_are_read_and_what_waits_is_looked_up() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.publish(1, publish("chat:1", 2, "b"));
    let (append, _) = owner.append();
    owner.publish(1, publish("chat:1", 3, "c"));
    owner.view(view_born(2, 1));
    let (claim, _, slots) = owner.claim();
    assert!(!slots.contains(&slot("chat:1")), "its append goes first");
    owner.disk.store("chat:1", 9, &["x"]);
    owner.disk.store("chat:1", 1, &["c"]);
    owner.frames.clear();
    owner.outcome(append, trunkline_backbone_core::io::PartOutcome::Unknown);
    let claimed = slots.iter().map(|slot| Claimed {
        slot: *slot,
        generation: Generation(2),
        epoch: EPOCH,
    });
    owner.answer(claim, StoreAnswer::Claimed(Ok(claimed.collect())));
    owner.settle();
    assert_eq!(owner.disk.texts("chat:1"), ["a", "x", "c", "b"]);
    assert_eq!(owner.published_to(1), [(3, 3), (2, 4)]);
    assert_eq!(owner.settled, [2]);
}

#[test]
fn a_claim_under_the_birth_before_is_made_again() {
    let mut owner = Owner::without(&["chat:1"]);
    owner.keep(1, "chat:2", 1, "a");
    owner.publish(1, publish("chat:2", 2, "b"));
    let (append, _) = owner.append();
    owner.outcome(append, trunkline_backbone_core::io::PartOutcome::Unknown);
    let claim = owner.requests.pop_front().expect("a claim");
    owner.view(view_born(2, 1));
    owner.requests.push_back(claim);
    owner.settle();
    let again = owner.disk.claims[&slot("chat:2")];
    assert_eq!(again.0, 3, "at first, after the unknown append, and again");
    assert_eq!(owner.settled, [2]);
}

#[test]
fn only_slots_of_the_shards_lanes_are_claimed() {
    let mut owner = Owner::bare(ShardConfig {
        index: 1,
        shards: 4,
        ..ShardConfig::default()
    });
    owner.view(view(1));
    let (_, _, slots) = owner.claim();
    let lanes = |slot: &Slot| slot.lane(trunkline_shared::limits::LANES) % 4 == 1;
    assert_eq!(slots.len(), 1024);
    assert!(slots.iter().all(lanes));
}

#[test]
fn another_life_of_the_node_has_none_of_its_slots() {
    let mut owner = Owner::new();
    let view = view(1);
    owner.input(Input::View {
        view,
        me: life(222),
    });
    assert_eq!(owner.shard.gauges().slots, 0);
    assert_eq!(owner.settled, [1]);
}
