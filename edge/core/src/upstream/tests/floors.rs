//! `history_remove` at the edge: the request, its answer, and what the ring forgets.

use super::*;
use trunkline_shared::frame::{Floor, Refusal};

/// An edge where channel `chat:1` stands at 9, and whose ring holds 6 to 9.
fn with_ring() -> Edge {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    for offset in 6..=9 {
        edge.push("chat:1", offset);
    }
    edge.forget_outputs();
    edge
}

fn remove(edge: &mut Edge) {
    let (ticket, deadline) = (edge.ticket(), edge.deadline());
    let channel = named("chat:1");
    edge.worker(
        A,
        ToUpstream::RemoveHistory {
            ticket,
            deadline,
            channel,
        },
    );
}

fn removed(request: RequestId, epoch: Epoch, floor: u64) -> ToEdge {
    ToEdge::HistoryRemoved {
        request,
        slot: slot("chat:1"),
        epoch,
        floor: Offset(floor),
    }
}

fn floor(epoch: Epoch, floor: u64) -> ToEdge {
    ToEdge::Floor(Floor {
        slot: slot("chat:1"),
        channel: named("chat:1"),
        epoch,
        floor: Offset(floor),
    })
}

/// The lowest position from which the ring answers a resume.
fn answers_from(edge: &mut Edge) -> u64 {
    let is_answered = |from: &u64| {
        edge.subscribe(B, "chat:1", Some(recover(*from)));
        !edge.take_told(B).is_empty()
    };
    let answered = (0..=9).rev().take_while(is_answered);
    answered.last().expect("its top at least")
}

#[test]
fn a_removal_is_asked_of_the_owner_and_answered() {
    let mut edge = Edge::linked();
    edge.advance(Duration::from_millis(1));
    remove(&mut edge);
    let sent = edge.take_sent();
    let [ToNode::RemoveHistory(asked)] = sent.as_slice() else {
        panic!("a removal is expected: {sent:?}")
    };
    assert_eq!(asked.channel, named("chat:1"));
    assert_eq!(asked.time_left_ms, 4000);
    edge.frame(removed(asked.request, EPOCH, 9));
    assert_eq!(edge.take_story(A), ["removed 9"]);
    assert_eq!(edge.upstream.gauges().answer_room_bytes, 0);
}

#[test]
fn the_ring_forgets_with_the_answer_to_a_removal() {
    let mut edge = with_ring();
    remove(&mut edge);
    let request = request_of(&edge.take_sent()[0]);
    assert_eq!(answers_from(&mut edge), 5);
    edge.frame(removed(request, EPOCH, 8));
    edge.take_told(A);
    assert_eq!(answers_from(&mut edge), 8);
}

#[test]
fn the_ring_forgets_with_a_pushed_floor() {
    let mut edge = with_ring();
    edge.frame(floor(EPOCH, 7));
    assert_eq!(answers_from(&mut edge), 7);
    edge.frame(floor(EPOCH, 6));
    assert_eq!(answers_from(&mut edge), 7, "floors don't fall");
    assert_eq!(edge.upstream.counters().floors, 2);
    edge.push("chat:1", 10);
    assert_eq!(
        edge.take_story(A),
        ["publication 10"],
        "the numbering goes on"
    );
}

#[test]
fn who_stands_at_the_top_of_a_removed_history_has_missed_nothing() {
    let mut edge = with_ring();
    edge.frame(floor(EPOCH, 9));
    edge.subscribe(B, "chat:1", Some(recover(9)));
    assert_eq!(edge.take_story(B), ["subscribed 9 Some([])"]);
}

#[test]
fn the_floor_of_another_numbering_says_nothing() {
    let mut edge = with_ring();
    edge.frame(floor(OTHER_EPOCH, 9));
    assert_eq!(answers_from(&mut edge), 5);
    remove(&mut edge);
    let request = request_of(&edge.take_sent()[0]);
    edge.frame(removed(request, OTHER_EPOCH, 9));
    edge.take_told(A);
    assert_eq!(answers_from(&mut edge), 5);
}

#[test]
fn a_floor_from_another_link_than_the_one_that_pushes_is_not_taken() {
    let mut edge = with_ring();
    edge.link_up(2, 2);
    edge.frame_on(LinkId(2), floor(EPOCH, 9));
    assert_eq!(answers_from(&mut edge), 5);
    assert_eq!(edge.upstream.counters().floors, 0);
}

#[test]
fn a_worker_that_lags_is_told_of_the_gap_that_a_removal_makes() {
    let mut edge = Edge::linked_with(UpstreamConfig {
        worker_queue_bytes: 1000,
        ..UpstreamConfig::default()
    });
    edge.live(A, "chat:1", 0);
    edge.busy.insert(A);
    for offset in 1..=20 {
        edge.push("chat:1", offset);
    }
    edge.frame(floor(EPOCH, 19));
    edge.forget_outputs();
    edge.unbusy();
    assert_eq!(edge.take_story(A), ["gap 19", "publication 20"]);
}

#[test]
fn a_removal_is_asked_again_of_the_next_owner_until_its_time_is_over() {
    let mut edge = Edge::linked();
    remove(&mut edge);
    let first = request_of(&edge.take_sent()[0]);
    edge.advance(Duration::from_secs(1));
    edge.link_down(1);
    edge.link_up(2, 1);
    let sent = edge.take_sent();
    let [ToNode::RemoveHistory(again)] = sent.as_slice() else {
        panic!("a removal is expected: {sent:?}")
    };
    assert_ne!(again.request, first);
    assert_eq!(again.time_left_ms, 3000);
    edge.advance(Duration::from_secs(3));
    assert_eq!(edge.take_story(A), [refused(RefusedBecause::Temporary)]);
}

#[test]
fn a_removal_that_is_refused_is_answered() {
    for (refusal, because) in [
        (Refusal::StoreAway, RefusedBecause::Temporary),
        (Refusal::Busy, RefusedBecause::Temporary),
        (Refusal::NotAvailable, RefusedBecause::NotAvailable),
    ] {
        let mut edge = Edge::linked();
        remove(&mut edge);
        let request = request_of(&edge.take_sent()[0]);
        let slot = slot("chat:1");
        edge.frame(ToEdge::Refused {
            request,
            slot,
            refusal,
        });
        assert_eq!(edge.take_story(A), [refused(because)]);
    }
}
