//! A node whose lease is over begins nothing that changes the store, and goes on with the rest.

use trunkline_backbone_core::io::{Input, PartOutcome, StoreAnswer, StoreRequest};
use trunkline_shared::frame::{HistoryQuery, Refusal, ToEdge};
use trunkline_store_core::Refused;

use crate::support::*;

fn lease(owner: &mut Owner, held: bool) {
    owner.input(Input::Lease { held });
}

#[test]
fn without_the_lease_what_is_durable_is_refused_at_once() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.frames.clear();
    lease(&mut owner, false);
    owner.publish(1, publish("chat:1", 2, "b"));
    owner.publish(1, repeat("chat:1", 3, "c"));
    owner.publish(1, publish("chat:9", 4, "d"));
    owner.remove_history(1, "chat:1");
    owner.subscribe(1, "chat:8", None);
    assert_eq!(owner.refusals_to(1), [Refusal::StoreAway; 5]);
    assert!(owner.requests.is_empty());
}

#[test]
fn without_the_lease_what_needs_no_store_goes_on() {
    let mut owner = Owner::new();
    owner.subscribed(2, "chat:1", None);
    lease(&mut owner, false);
    assert_eq!(owner.subscribed(3, "chat:1", None).head, at(0));
    owner.subscribe(3, "live:1", None);
    owner.subscribe(3, "cursors:1", None);
    owner.publish(1, publish("live:1", 1, "a"));
    owner.publish(1, publish("cursors:1", 2, "b"));
    owner.history(1, "chat:1", HistoryQuery::Position, 0);
    assert_eq!(
        owner.pushes_to(3),
        [(1, "a".to_owned()), (0, "b".to_owned())]
    );
    let frames = owner.frames_to(1);
    assert!(
        matches!(
            frames.as_slice(),
            [ToEdge::Published { .. }, ToEdge::History(_)]
        ),
        "{frames:?}"
    );
}

#[test]
fn what_waits_when_the_lease_ends_is_refused_and_what_is_in_flight_ends() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.publish(1, publish("chat:1", 2, "b"));
    let (ticket, _) = owner.append();
    owner.publish(2, publish("chat:1", 1, "c"));
    owner.subscribe(3, "chat:9", None);
    lease(&mut owner, false);
    assert_eq!(owner.refusals_to(2), [Refusal::StoreAway]);
    assert_eq!(owner.refusals_to(3), [Refusal::StoreAway]);
    owner.requests.clear();
    owner.frames.clear();
    owner.outcome(ticket, PartOutcome::Committed);
    assert_eq!(owner.published_to(1), [(2, 2)]);
    lease(&mut owner, true);
    owner.publish(1, publish("chat:1", 3, "d"));
    assert_eq!(owner.append().1.channels[0].messages.len(), 1);
}

#[test]
fn an_append_refused_after_the_lease_has_ended_is_not_tried_again() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.publish(1, publish("chat:1", 2, "b"));
    let (ticket, _) = owner.append();
    lease(&mut owner, false);
    owner.frames.clear();
    owner.outcome(ticket, PartOutcome::Refused(Refused::Generation));
    assert_eq!(owner.refusals_to(1), [Refusal::StoreAway]);
    assert!(owner.requests.is_empty(), "no claim without the lease");
    lease(&mut owner, true);
    assert!(matches!(owner.serve(), StoreRequest::Claim(_)));
    owner.settle();
    assert_eq!(owner.disk.texts("chat:1"), ["a"]);
}

#[test]
fn an_append_of_unknown_outcome_is_cleared_up_when_the_lease_is_back() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.publish(1, publish("chat:1", 2, "b"));
    let (ticket, part) = owner.append();
    owner.disk.take(&part);
    lease(&mut owner, false);
    owner.frames.clear();
    owner.outcome(ticket, PartOutcome::Unknown);
    assert!(owner.requests.is_empty() && owner.frames.is_empty());
    lease(&mut owner, true);
    owner.settle();
    assert_eq!(owner.published_to(1), [(2, 2)]);
}

#[test]
fn a_slot_gained_without_the_lease_is_claimed_with_it() {
    let mut owner = Owner::without(&["chat:1"]);
    lease(&mut owner, false);
    owner.view(view(2));
    owner.publish(1, under(2, publish("chat:1", 1, "a")));
    assert_eq!(owner.refusals_to(1), [Refusal::StoreAway]);
    assert!(owner.requests.is_empty());
    lease(&mut owner, true);
    assert!(matches!(owner.serve(), StoreRequest::Claim(_)));
    assert_eq!(owner.settled, [2]);
}

#[test]
fn a_removal_in_flight_ends() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.remove_history(1, "chat:1");
    let (ticket, request) = owner.asked();
    lease(&mut owner, false);
    owner.frames.clear();
    let answer = owner.disk.answer(&request);
    owner.answer(ticket, answer);
    let frames = owner.frames_to(1);
    assert!(
        matches!(frames.as_slice(), [ToEdge::HistoryRemoved { .. }]),
        "{frames:?}"
    );
}

#[test]
fn a_position_that_asks_for_a_new_epoch_is_refused_without_the_lease() {
    let mut owner = Owner::new();
    owner.subscribed(2, "chat:1", None);
    lease(&mut owner, false);
    owner.subscribe(3, "chat:1", at(5));
    assert_eq!(owner.refusals_to(3), [Refusal::StoreAway]);
    lease(&mut owner, true);
    owner.subscribe(3, "chat:1", at(5));
    let (ticket, request) = owner.asked();
    assert!(matches!(request, StoreRequest::Claim(_)));
    let answer = owner.disk.answer(&request);
    assert!(matches!(answer, StoreAnswer::Claimed(Ok(_))));
    owner.answer(ticket, answer);
    assert_eq!(owner.shard.counters().epochs_begun, 1);
}
