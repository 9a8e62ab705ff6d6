//! Publishes of an edge in a slot keep its order, whatever was refused between them.

use trunkline_backbone_core::ShardConfig;
use trunkline_backbone_core::io::PartOutcome;
use trunkline_shared::frame::Refusal;
use trunkline_shared::limits::UNANSWERED_MAX;
use trunkline_store_core::StoreError;

use crate::support::*;

/// An owner that has sent a publish back, sent under a view from before its claim.
fn with_one_sent_back() -> Owner {
    let mut owner = Owner::without(&["chat:1"]);
    owner.view(view(2));
    owner.publish(1, under(1, publish("chat:1", 1, "a")));
    assert_eq!(owner.refusals_to(1), [Refusal::StaleView]);
    owner
}

#[test]
fn what_was_sent_behind_one_that_was_sent_back_is_sent_back_too() {
    let mut owner = with_one_sent_back();
    owner.publish(1, behind(1, under(2, publish("chat:1", 2, "b"))));
    assert_eq!(owner.refusals_to(1), [Refusal::StaleView]);
    owner.publish(1, behind(1, under(2, repeat("chat:1", 1, "a"))));
    // New, and on its way before its edge knew of the second refusal.
    owner.publish(1, behind(1, under(2, publish("chat:1", 3, "c"))));
    assert_eq!(owner.refusals_to(1), [Refusal::StaleView]);
    owner.publish(1, behind(1, under(2, repeat("chat:1", 2, "b"))));
    owner.publish(1, behind(1, under(2, repeat("chat:1", 3, "c"))));
    owner.settle();
    assert_eq!(owner.disk.texts("chat:1"), ["a", "b", "c"]);
    assert_eq!(owner.shard.counters().out_of_order, 2);
}

#[test]
fn a_slot_that_was_away_and_came_back_keeps_the_order() {
    let mut owner = Owner::new();
    owner.view(view_without(2, &["chat:1"]));
    owner.publish(1, repeat("chat:1", 1, "a"));
    owner.view(view(3));
    owner.publish(1, behind(1, repeat("chat:1", 2, "b")));
    owner.publish(1, behind(1, under(3, publish("chat:1", 3, "c"))));
    assert_eq!(
        owner.refusals_to(1),
        [moved(2), Refusal::StaleView, Refusal::StaleView]
    );
    for (counter, text) in [(1, "a"), (2, "b"), (3, "c")] {
        owner.publish(1, behind(1, under(3, repeat("chat:1", counter, text))));
    }
    owner.settle();
    assert_eq!(owner.disk.texts("chat:1"), ["a", "b", "c"]);
}

#[test]
fn nobody_waits_for_what_its_edge_has_given_up() {
    let mut owner = with_one_sent_back();
    owner.publish(1, under(2, publish("chat:1", 2, "b")));
    owner.settle();
    assert_eq!(owner.disk.texts("chat:1"), ["b"]);
}

#[test]
fn other_edges_and_slots_are_not_held_up() {
    let mut owner = with_one_sent_back();
    owner.publish(2, behind(1, under(2, publish("chat:1", 2, "b"))));
    owner.publish(1, behind(1, under(2, publish("chat:2", 2, "c"))));
    owner.settle();
    assert_eq!(owner.disk.texts("chat:1"), ["b"]);
    assert_eq!(owner.disk.texts("chat:2"), ["c"]);
}

#[test]
fn a_new_link_begins_without_what_was_sent_back_on_the_old_one() {
    let mut owner = with_one_sent_back();
    owner.up(1, 1);
    owner.publish(1, behind(1, under(2, publish("chat:1", 2, "b"))));
    owner.settle();
    assert_eq!(owner.disk.texts("chat:1"), ["b"]);
}

#[test]
fn what_waits_behind_a_publish_that_the_store_refuses_is_sent_back() {
    let mut owner = Owner::new();
    owner.keep(3, "chat:1", 1, "x");
    owner.publish(1, publish("chat:1", 1, "a"));
    let (ticket, _) = owner.append();
    owner.publish(1, behind(1, publish("chat:1", 2, "b")));
    owner.publish(2, publish("chat:1", 1, "c"));
    let bad = PartOutcome::Failed(StoreError::Data("bad".to_owned()));
    owner.outcome(ticket, bad);
    assert_eq!(owner.refusals_to(1), [Refusal::Busy, Refusal::StaleView]);
    owner.publish(1, repeat("chat:1", 2, "b"));
    owner.settle();
    assert_eq!(owner.disk.texts("chat:1"), ["x", "c", "b"]);
}

#[test]
fn what_waits_goes_back_when_another_has_claimed_the_slot_meanwhile() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.frames.clear();
    owner.publish(1, publish("chat:1", 2, "b"));
    let (ticket, _) = owner.append();
    owner.publish(1, behind(2, publish("chat:1", 3, "c")));
    // The other refused the second and gave the third an offset; then the slot came back.
    owner.disk.claims.insert(slot("chat:1"), (2, EPOCH));
    owner.disk.store("chat:1", 1, &["c"]);
    owner.outcome(
        ticket,
        PartOutcome::Refused(trunkline_store_core::Refused::Generation),
    );
    owner.settle();
    assert_eq!(
        owner.refusals_to(1),
        [Refusal::StaleView, Refusal::StaleView]
    );
    assert_eq!(owner.disk.texts("chat:1"), ["a", "c"], "nothing behind it");
}

#[test]
fn a_link_on_which_too_much_was_sent_back_is_closed() {
    let mut owner = Owner::with(ShardConfig::default());
    owner.view(view_without(2, &["chat:1"]));
    let most = u64::try_from(UNANSWERED_MAX).expect("it fits");
    (1..=most).for_each(|counter| owner.publish(1, behind(1, publish("chat:1", counter, "a"))));
    assert!(owner.closed.is_empty());
    owner.publish(1, behind(1, publish("chat:1", most + 1, "a")));
    assert_eq!(owner.closed.len(), 1);
}
