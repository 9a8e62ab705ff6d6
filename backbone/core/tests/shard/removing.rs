//! `history_remove`: the floor at the owner.

use std::time::Duration;

use trunkline_backbone_core::ShardConfig;
use trunkline_backbone_core::io::{PartOutcome, StoreAnswer, StoreRequest, StoreTicket};
use trunkline_shared::frame::{Floor, HistoryQuery, Refusal, RemoveHistory, ToEdge, ToNode};
use trunkline_shared::{Epoch, Offset, Publication, StreamId};
use trunkline_store_core::{FloorError, FloorRequest, Generation, Head};

use crate::support::*;

/// An owner of `chat:1`, in which three messages are.
fn with_three() -> Owner {
    let mut owner = Owner::new();
    for (counter, text) in (1..).zip(["a", "b", "c"]) {
        owner.keep(1, "chat:1", counter, text);
    }
    owner.frames.clear();
    owner
}

/// The only request to the store, which must be for a floor.
fn floor_asked(owner: &mut Owner) -> (StoreTicket, FloorRequest) {
    let (ticket, request) = owner.asked();
    let StoreRequest::RaiseFloor(raise) = request else {
        panic!("a floor is expected, not {request:?}")
    };
    (ticket, raise)
}

/// The floors by which removals of a link were answered since it was asked last.
fn removed_to(owner: &mut Owner, link: u64) -> Vec<u64> {
    let removed = |frame| {
        if let ToEdge::HistoryRemoved { floor, .. } = frame {
            Some(floor.0)
        } else {
            None
        }
    };
    owner
        .frames_to(link)
        .into_iter()
        .filter_map(removed)
        .collect()
}

/// The floors pushed on a link since it was asked last.
fn floors_to(owner: &mut Owner, link: u64) -> Vec<Floor> {
    let floor = |frame| {
        if let ToEdge::Floor(floor) = frame {
            Some(floor)
        } else {
            None
        }
    };
    owner
        .frames_to(link)
        .into_iter()
        .filter_map(floor)
        .collect()
}

/// The offsets of everything that the history holds, the head, and the floor that the answer names.
fn past(owner: &mut Owner, name: &str) -> (Vec<u64>, u64, u64) {
    let all = HistoryQuery::Forward {
        after: Offset::ZERO,
        limit: 100,
    };
    owner.history(3, name, all, 1 << 20);
    owner.settle();
    let mut answer = (Vec::<Publication>::new(), 0, 0);
    for frame in owner.frames_to(3) {
        if let ToEdge::History(piece) = frame {
            answer.0.extend(piece.publications);
            (answer.1, answer.2) = (piece.head.offset.0, piece.floor.0);
        }
    }
    (offsets(&answer.0), answer.1, answer.2)
}

#[test]
fn a_removal_is_answered_after_the_store_has_the_floor() {
    let mut owner = with_three();
    owner.remove_history(1, "chat:1");
    let (ticket, raise) = floor_asked(&mut owner);
    assert_eq!(
        (raise.floor, raise.generation),
        (Offset(3), Generation(1)),
        "everything that was acknowledged, under the claim"
    );
    assert!(owner.frames.is_empty(), "nothing is known yet");
    assert_eq!(past(&mut owner, "chat:1"), (vec![1, 2, 3], 3, 0));
    let answer = owner.disk.answer(&StoreRequest::RaiseFloor(raise));
    owner.answer(ticket, answer);
    assert_eq!(removed_to(&mut owner, 1), [3]);
    assert_eq!(past(&mut owner, "chat:1"), (vec![], 3, 3));
    assert_eq!(owner.shard.counters().histories_removed, 1);
    assert_eq!(owner.shard.gauges().ring_bytes, 0);
}

#[test]
fn the_numbering_goes_on_after_a_removal() {
    let mut owner = with_three();
    owner.remove_history(1, "chat:1");
    owner.settle();
    owner.keep(1, "chat:1", 4, "d");
    assert_eq!(owner.published_to(1), [(4, 4)]);
    assert_eq!(past(&mut owner, "chat:1"), (vec![4], 4, 3));
}

#[test]
fn a_repeat_of_what_was_removed_is_still_found() {
    let mut owner = with_three();
    owner.remove_history(1, "chat:1");
    owner.settle();
    owner.frames.clear();
    owner.publish(1, repeat("chat:1", 2, "b"));
    owner.settle();
    assert_eq!(owner.published_to(1), [(2, 2)]);
    assert_eq!(owner.disk.texts("chat:1").len(), 3);
}

#[test]
fn what_is_in_flight_meanwhile_stays() {
    let mut owner = with_three();
    owner.publish(1, publish("chat:1", 4, "d"));
    let (append, part) = owner.append();
    owner.remove_history(1, "chat:1");
    let (floor, raise) = floor_asked(&mut owner);
    let outcome = owner.disk.take(&part);
    owner.outcome(append, outcome);
    let answer = owner.disk.answer(&StoreRequest::RaiseFloor(raise));
    owner.answer(floor, answer);
    assert_eq!(removed_to(&mut owner, 1), [3]);
    assert_eq!(past(&mut owner, "chat:1"), (vec![4], 4, 3));
}

#[test]
fn every_subscribed_edge_is_told_and_the_one_that_asked_before_its_answer() {
    let mut owner = with_three();
    owner.subscribed(1, "chat:1", None);
    owner.subscribed(2, "chat:1", None);
    owner.remove_history(1, "chat:1");
    owner.settle();
    let floor = Floor {
        slot: slot("chat:1"),
        channel: channel("chat:1"),
        epoch: EPOCH,
        floor: Offset(3),
    };
    assert_eq!(floors_to(&mut owner, 2), std::slice::from_ref(&floor));
    let mine = owner.frames_to(1);
    assert_eq!(mine[0], ToEdge::Floor(floor));
    assert!(matches!(mine[1], ToEdge::HistoryRemoved { .. }));
    assert!(floors_to(&mut owner, 3).is_empty());
}

#[test]
fn an_edge_whose_lane_is_full_hears_of_the_floor_when_there_is_room() {
    let mut owner = Owner::with(ShardConfig {
        lane_queue_bytes: 600,
        ..ShardConfig::default()
    });
    owner.subscribed(2, "live:1", None);
    owner.publish(1, publish("live:1", 1, "a"));
    let sent: usize = owner.frames_to(2).iter().map(ToEdge::weight).sum();
    owner.history(2, "live:1", HistoryQuery::Position, 0);
    owner.history(2, "live:1", HistoryQuery::Position, 0);
    let sent = sent + owner.frames_to(2).iter().map(ToEdge::weight).sum::<usize>();
    owner.remove_history(1, "live:1");
    assert_eq!(removed_to(&mut owner, 1), [1]);
    assert!(owner.frames_to(2).is_empty(), "there is no room");
    let lane = slot("live:1").lane(trunkline_shared::limits::LANES);
    owner.written(2, StreamId::Lane(lane), sent);
    let told = owner.frames_to(2);
    let ToEdge::Behind(behind) = &told[0] else {
        panic!("a lag is expected, not {told:?}")
    };
    assert_eq!(behind.floor, Offset(1));
}

#[test]
fn a_buffered_channel_forgets_in_memory() {
    let mut owner = Owner::new();
    for counter in 1..=3 {
        owner.publish(1, publish("live:1", counter, "a"));
    }
    owner.subscribed(2, "live:1", None);
    owner.remove_history(1, "live:1");
    assert!(owner.requests.is_empty());
    assert_eq!(removed_to(&mut owner, 1), [3]);
    assert_eq!(floors_to(&mut owner, 2).len(), 1);
    owner.publish(1, publish("live:1", 4, "b"));
    assert_eq!(past(&mut owner, "live:1"), (vec![4], 4, 3));
}

#[test]
fn an_ephemeral_channel_has_nothing_to_remove() {
    let mut owner = Owner::new();
    owner.remove_history(1, "cursors:1");
    assert_eq!(owner.refusals_to(1), [Refusal::NotAvailable]);
}

#[test]
fn the_floor_comes_with_the_head_to_the_next_owner() {
    let mut owner = with_three();
    owner.remove_history(1, "chat:1");
    owner.settle();
    let mut next = Owner::new();
    next.disk = owner.disk;
    let subscribed = next.subscribed(1, "chat:1", at(3));
    assert_eq!((subscribed.head, subscribed.floor), (at(3), Offset(3)));
    assert_eq!(past(&mut next, "chat:1"), (vec![], 3, 3));
}

#[test]
fn a_pull_from_below_the_floor_gets_what_lies_above_it() {
    let mut owner = with_three();
    owner.remove_history(1, "chat:1");
    owner.settle();
    owner.keep(1, "chat:1", 4, "d");
    owner.subscribed(2, "chat:1", at(1));
    owner.pull(2, "chat:1", EPOCH, 1);
    owner.settle();
    let frames = owner.frames_to(2);
    let Some(ToEdge::Pulled(pulled)) = frames.last() else {
        panic!("a pull is answered: {frames:?}")
    };
    assert_eq!(offsets(&pulled.publications), [4]);
    assert_eq!((pulled.floor, pulled.reached_head), (Offset(3), true));
}

#[test]
fn a_read_that_a_removal_overtakes_brings_nothing_removed() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["a", "b", "c"]);
    let newest = HistoryQuery::Newest {
        after: Offset(1),
        limit: 10,
    };
    owner.subscribed(1, "chat:1", None);
    owner.frames.clear();
    owner.history(1, "chat:1", newest, 1 << 20);
    let (read, range) = owner.asked();
    let old = owner.disk.answer(&range);
    owner.remove_history(2, "chat:1");
    owner.settle();
    assert_eq!(removed_to(&mut owner, 2), [3]);
    owner.frames.clear();
    owner.answer(read, old);
    owner.settle();
    let frames = owner.frames_to(1);
    let [ToEdge::History(piece)] = frames.as_slice() else {
        panic!("one piece is expected: {frames:?}")
    };
    assert!(piece.publications.is_empty());
    assert_eq!(piece.floor, Offset(3));
}

#[test]
fn heads_that_were_read_before_do_not_lower_the_floor() {
    let mut owner = with_three();
    owner.remove_history(1, "chat:1");
    let (ticket, raise) = floor_asked(&mut owner);
    // An append of which nobody knows makes the owner read the head again.
    owner.publish(1, publish("chat:1", 4, "d"));
    let (append, _) = owner.append();
    owner.outcome(append, PartOutcome::Unknown);
    owner.serve();
    let (heads, request) = owner.asked();
    let old = owner.disk.answer(&request);
    let answer = owner.disk.answer(&StoreRequest::RaiseFloor(raise));
    owner.answer(ticket, answer);
    owner.answer(heads, old);
    owner.settle();
    assert_eq!(past(&mut owner, "chat:1"), (vec![4], 4, 3));
}

#[test]
fn a_store_that_is_away_refuses_a_removal_at_once_and_what_is_there_stays() {
    let mut owner = with_three();
    owner.remove_history(1, "chat:1");
    owner.unplug();
    assert_eq!(owner.refusals_to(1), [Refusal::StoreAway]);
    owner.pass(Duration::from_secs(1));
    assert_eq!(past(&mut owner, "chat:1"), (vec![1, 2, 3], 3, 0));
    assert_eq!(owner.shard.gauges().requests, 0);
}

#[test]
fn a_removal_that_the_store_kept_without_telling_is_known_by_the_head() {
    let mut owner = with_three();
    owner.subscribed(2, "chat:1", None);
    owner.remove_history(1, "chat:1");
    let (ticket, raise) = floor_asked(&mut owner);
    owner.disk.answer(&StoreRequest::RaiseFloor(raise));
    let unknown = Err(FloorError::Store(away()));
    owner.answer(ticket, StoreAnswer::FloorRaised(unknown));
    assert_eq!(owner.refusals_to(1), [Refusal::StoreAway]);
    owner.settle();
    assert_eq!(floors_to(&mut owner, 2).len(), 1);
    assert_eq!(past(&mut owner, "chat:1"), (vec![], 3, 3));
    owner.remove_history(1, "chat:1");
    owner.settle();
    assert_eq!(removed_to(&mut owner, 1), [3], "again does no harm");
}

#[test]
fn a_fenced_removal_is_done_under_the_next_claim() {
    let mut owner = with_three();
    owner.remove_history(1, "chat:1");
    let (ticket, _) = floor_asked(&mut owner);
    owner.answer(
        ticket,
        StoreAnswer::FloorRaised(Err(FloorError::Generation)),
    );
    assert!(owner.frames.is_empty(), "it isn't refused for it");
    let claim = owner.serve();
    assert!(matches!(claim, StoreRequest::Claim(_)), "{claim:?}");
    let heads = owner.serve();
    assert!(matches!(heads, StoreRequest::Heads(_)), "{heads:?}");
    let (ticket, raise) = floor_asked(&mut owner);
    assert_eq!(raise.generation, Generation(2));
    let head = Head {
        offset: Offset(3),
        floor: Offset(3),
    };
    owner.answer(ticket, StoreAnswer::FloorRaised(Ok(head)));
    assert_eq!(removed_to(&mut owner, 1), [3]);
}

#[test]
fn a_fenced_removal_goes_at_once_where_the_claim_was_made_meanwhile() {
    let mut owner = with_three();
    owner.remove_history(1, "chat:1");
    let (ticket, _) = floor_asked(&mut owner);
    owner.view(view_born(2, 1));
    owner.settle();
    owner.answer(
        ticket,
        StoreAnswer::FloorRaised(Err(FloorError::Generation)),
    );
    let (_, raise) = floor_asked(&mut owner);
    assert_eq!(raise.generation, Generation(2));
}

#[test]
fn a_removal_whose_time_is_over_removes_nothing() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["a"]);
    owner.remove_history(1, "chat:1");
    let (heads, request) = owner.asked();
    owner.pass(Duration::from_secs(4));
    let answer = owner.disk.answer(&request);
    owner.answer(heads, answer);
    assert_eq!(owner.refusals_to(1), [Refusal::Busy]);
    assert!(owner.requests.is_empty(), "the store isn't asked");
    let remove = RemoveHistory {
        request: owner.request(),
        slot: slot("live:1"),
        channel: channel("live:1"),
        time_left_ms: 0,
    };
    owner.say(1, ToNode::RemoveHistory(remove));
    assert_eq!(owner.refusals_to(1), [Refusal::Busy]);
}

#[test]
fn removals_that_wait_for_the_store_are_bounded() {
    let mut owner = Owner::with(ShardConfig {
        requests_max: 2,
        ..ShardConfig::default()
    });
    owner.keep(1, "chat:1", 1, "a");
    for _ in 0..3 {
        owner.remove_history(1, "chat:1");
    }
    assert_eq!(owner.refusals_to(1), [Refusal::Busy]);
    assert_eq!(owner.requests.len(), 2);
    owner.settle();
    assert_eq!(owner.shard.gauges().requests, 0);
}

#[test]
fn a_removal_of_a_slot_that_was_given_up_hears_who_owns_it() {
    let mut owner = with_three();
    owner.remove_history(1, "chat:1");
    let (ticket, _) = floor_asked(&mut owner);
    owner.view(view_without(2, &["chat:1"]));
    owner.frames.clear();
    owner.answer(
        ticket,
        StoreAnswer::FloorRaised(Err(FloorError::Generation)),
    );
    assert!(matches!(
        owner.refusals_to(1).as_slice(),
        [Refusal::Moved { .. }]
    ));
    assert_eq!(owner.shard.gauges().requests, 0);
}

#[test]
fn a_buffered_epoch_of_its_own_is_named_by_the_answer() {
    let mut owner = Owner::new();
    let head = owner.subscribed(1, "live:1", None).head;
    owner.remove_history(2, "live:1");
    let frames = owner.frames_to(2);
    let [ToEdge::HistoryRemoved { epoch, floor, .. }] = frames.as_slice() else {
        panic!("one answer is expected: {frames:?}")
    };
    assert_eq!(head.map(|head| head.epoch), Some(*epoch));
    assert_ne!(*epoch, Epoch::new(0));
    assert_eq!(*floor, Offset::ZERO);
}
