//! New epochs.

use trunkline_backbone_core::io::{PartOutcome, StoreRequest};
use trunkline_shared::frame::ToEdge;
use trunkline_shared::{Epoch, Offset, Position};
use trunkline_store_core::Refused;

use crate::support::*;

const NEXT: Epoch = Epoch::new(78);

#[test]
fn a_position_above_the_head_begins_a_new_epoch() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["a", "b"]);
    owner.subscribed(2, "chat:1", at(2));
    owner.subscribe(1, "chat:1", at(5));
    owner.publish(3, publish("chat:1", 1, "c"));
    let (ticket, request) = owner.asked();
    assert!(
        matches!(&request, StoreRequest::Claim(claim) if claim.slots == [(slot("chat:1"), true)])
    );
    let answer = owner.disk.answer(&request);
    owner.answer(ticket, answer);
    owner.settle();
    assert_eq!(
        owner.frames_to(2),
        [ToEdge::Reset {
            slot: slot("chat:1")
        }]
    );
    let frames = owner.frames_to(1);
    let Some(ToEdge::Subscribed(subscribed)) = frames.first() else {
        panic!("an answer, not {frames:?}")
    };
    assert_eq!(
        subscribed.head,
        Some(Position {
            epoch: NEXT,
            offset: Offset(2)
        })
    );
    assert!(!subscribed.lagging);
    assert_eq!(
        owner.published_to(3),
        [(1, 3)],
        "numbered after the store's head"
    );
}

#[test]
fn a_new_epoch_resets_every_edge_of_the_slot() {
    let mut owner = Owner::new();
    owner.subscribed(2, "pair:x:a", None);
    owner.subscribed(3, "pair:x:b", None);
    owner.subscribe(1, "pair:x:c", at(5));
    owner.settle();
    let reset = ToEdge::Reset {
        slot: slot("pair:x:a"),
    };
    assert_eq!(owner.frames_to(2), std::slice::from_ref(&reset));
    assert_eq!(owner.frames_to(3), [reset]);
    owner.keep(1, "pair:x:a", 1, "a");
    assert!(
        owner.pushes_to(2).is_empty(),
        "it isn't subscribed any more"
    );
    let again = owner.subscribed(2, "pair:x:a", at(0));
    assert_eq!(
        again.head,
        Some(Position {
            epoch: NEXT,
            offset: Offset(1)
        })
    );
}

#[test]
fn a_head_below_what_was_acknowledged_begins_a_new_epoch() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.keep(1, "chat:1", 2, "b");
    owner.publish(1, publish("chat:1", 3, "c"));
    let (ticket, _) = owner.append();
    owner.disk.logs.clear();
    owner.frames.clear();
    owner.outcome(ticket, PartOutcome::Unknown);
    owner.settle();
    let frames = owner.frames_to(1);
    let position = Position {
        epoch: NEXT,
        offset: Offset(1),
    };
    let published =
        |frame: &ToEdge| matches!(frame, ToEdge::Published { position: p, .. } if *p == position);
    assert!(frames.iter().any(published), "{frames:?}");
}

#[test]
fn a_new_epoch_asked_for_during_a_claim_is_asked_for_again() {
    let mut owner = Owner::new();
    owner.subscribed(2, "chat:1", None);
    owner.publish(1, publish("chat:1", 1, "a"));
    let (ticket, _) = owner.append();
    owner.outcome(ticket, PartOutcome::Refused(Refused::Generation));
    owner.subscribe(3, "chat:1", at(9));
    owner.settle();
    assert_eq!(owner.shard.counters().epochs_begun, 1);
    assert_eq!(owner.shard.gauges().claiming, 0);
    let frames = owner.frames_to(3);
    let answered = |frame: &ToEdge| matches!(frame, ToEdge::Subscribed(s) if s.head.is_some_and(|h| h.epoch == NEXT));
    assert!(frames.iter().any(answered), "{frames:?}");
}
