//! Recovery: asked of the owner once, judged for each subscriber.

use super::*;
use trunkline_shared::frame::{HistoryPiece, HistoryQuery, Refusal};

/// Answers the history request that was sent last.
fn answer_history(edge: &mut Edge, head: Position, offsets: impl IntoIterator<Item = u64>) {
    let last = edge.sent.iter().rev().find_map(|(link, _, frame)| {
        if let ToNode::History(history) = frame {
            Some((*link, history.clone()))
        } else {
            None
        }
    });
    let (link, history) = last.expect("history was asked");
    answer(edge, link, history.request, head, offsets, true);
}

fn answer(
    edge: &mut Edge,
    link: LinkId,
    request: RequestId,
    head: Position,
    offsets: impl IntoIterator<Item = u64>,
    last: bool,
) {
    let (slot, floor, publications) = (slot("chat:1"), Offset::ZERO, publications(offsets));
    edge.frame_on(
        link,
        ToEdge::History(HistoryPiece {
            request,
            slot,
            head,
            floor,
            publications,
            last,
        }),
    );
}

#[test]
fn a_recovery_is_asked_right_behind_the_subscribe() {
    let mut edge = Edge::linked();
    edge.subscribe(A, "chat:1", Some(recover(3)));
    let sent: Vec<&'static str> = edge.sent.iter().map(|(_, _, frame)| kind(frame)).collect();
    assert_eq!(sent, ["subscribe", "history"]);
    edge.answer_subscribe(LINK, Some(at(5)), false);
    assert!(edge.take_told(A).is_empty());
    answer_history(&mut edge, at(5), 4..=5);
    assert_eq!(edge.take_story(A), ["subscribed 5 Some([4, 5])"]);
}

#[test]
fn a_history_that_comes_before_the_channel_is_live_is_kept() {
    let mut edge = Edge::linked();
    edge.subscribe(A, "chat:1", Some(recover(3)));
    answer_history(&mut edge, at(5), 4..=5);
    assert!(edge.take_told(A).is_empty());
    edge.answer_subscribe(LINK, Some(at(5)), false);
    assert_eq!(edge.take_story(A), ["subscribed 5 Some([4, 5])"]);
}

#[test]
fn at_the_top_nothing_is_asked() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.subscribe(B, "chat:1", Some(recover(5)));
    assert!(edge.take_sent().is_empty());
    assert_eq!(edge.take_story(B), ["subscribed 5 Some([])"]);
}

#[test]
fn another_epoch_is_not_recovered() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.subscribe(
        B,
        "chat:1",
        Some(Recover {
            epoch: Some(OTHER_EPOCH),
            ..recover(5)
        }),
    );
    assert_eq!(edge.take_story(B), ["subscribed 5 None"]);
    assert!(edge.take_sent().is_empty());
}

#[test]
fn any_epoch_is_recovered_when_none_is_named() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.subscribe(
        B,
        "chat:1",
        Some(Recover {
            epoch: None,
            ..recover(5)
        }),
    );
    assert_eq!(edge.take_story(B), ["subscribed 5 Some([])"]);
}

#[test]
fn one_question_serves_all_that_wait_and_each_is_judged_by_itself() {
    let mut edge = Edge::linked();
    let with = |after, limit| {
        Some(Recover {
            limit,
            ..recover(after)
        })
    };
    edge.subscribe(A, "chat:1", with(7, 10));
    edge.subscribe(A, "chat:1", with(2, 10));
    edge.subscribe(B, "chat:1", with(4, 20));
    edge.answer_subscribe(LINK, Some(at(9)), false);
    // The first was asked behind the subscribe; the others came later and are asked for together.
    answer_history(&mut edge, at(9), 8..=9);
    answer_history(&mut edge, at(9), 5..=9);
    let query = |(_, _, frame): &(LinkId, StreamId, ToNode)| {
        if let ToNode::History(history) = frame {
            Some(history.query)
        } else {
            None
        }
    };
    let asked: Vec<HistoryQuery> = edge.sent.iter().filter_map(query).collect();
    let newest = |after, limit| HistoryQuery::Newest {
        after: Offset(after),
        limit,
    };
    assert_eq!(asked, [newest(7, 10), newest(2, 20)]);
    assert_eq!(
        edge.take_story(A),
        ["subscribed 9 Some([8, 9])", "subscribed 9 None"]
    );
    assert_eq!(edge.take_story(B), ["subscribed 9 Some([5, 6, 7, 8, 9])"]);
}

#[test]
fn what_is_trimmed_is_not_recovered() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 9);
    edge.subscribe(B, "chat:1", Some(recover(3)));
    answer_history(&mut edge, at(9), 6..=9);
    assert_eq!(edge.take_story(B), ["subscribed 9 None"]);
}

#[test]
fn a_position_above_the_head_is_not_recovered() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 9);
    edge.subscribe(B, "chat:1", Some(recover(12)));
    answer_history(&mut edge, at(9), []);
    assert_eq!(edge.take_story(B), ["subscribed 9 None"]);
}

#[test]
fn a_client_ahead_of_its_edge_is_recovered_by_the_owners_head() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 9);
    edge.subscribe(B, "chat:1", Some(recover(11)));
    answer_history(&mut edge, at(11), []);
    assert_eq!(edge.take_story(B), ["subscribed 11 Some([])"]);
    edge.push("chat:1", 10);
    assert_eq!(
        edge.take_story(B),
        ["publication 10"],
        "the worker drops it for this session"
    );
}

#[test]
fn a_history_below_the_top_is_extended_from_the_ring() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.subscribe(B, "chat:1", Some(recover(3)));
    edge.push("chat:1", 6);
    edge.push("chat:1", 7);
    answer_history(&mut edge, at(5), 4..=5);
    assert_eq!(edge.take_story(B), ["subscribed 7 Some([4, 5, 6, 7])"]);
}

#[test]
fn a_history_that_does_not_meet_the_ring_is_not_recovered() {
    let mut edge = Edge::linked_with(UpstreamConfig {
        ring_publications_max: 1,
        ..UpstreamConfig::default()
    });
    edge.live(A, "chat:1", 5);
    edge.subscribe(B, "chat:1", Some(recover(3)));
    edge.push("chat:1", 6);
    edge.push("chat:1", 7);
    answer_history(&mut edge, at(5), 4..=5);
    assert_eq!(edge.take_story(B), ["subscribed 7 None"]);
}

#[test]
fn a_history_of_another_epoch_lets_the_channel_be_asked_anew() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.subscribe(B, "chat:1", Some(recover(3)));
    answer_history(&mut edge, other_at(1), 1..=1);
    edge.answer_subscribe(LINK, Some(other_at(1)), false);
    assert_eq!(edge.take_story(A), ["epoch changed 1"]);
    assert_eq!(edge.take_story(B), ["subscribed 1 None"]);
}

#[test]
fn pieces_of_a_history_are_joined() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.subscribe(B, "chat:1", Some(recover(3)));
    let request = request_of(&edge.sent[0].2);
    answer(&mut edge, LINK, request, at(5), [4], false);
    assert!(edge.take_told(B).is_empty());
    answer(&mut edge, LINK, request, at(5), [5], true);
    assert_eq!(edge.take_story(B), ["subscribed 5 Some([4, 5])"]);
}

#[test]
fn a_refused_recovery_refuses_its_subscriber_only() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.subscribe(B, "chat:1", Some(recover(3)));
    let request = request_of(&edge.sent[0].2);
    edge.frame(ToEdge::Refused {
        request,
        slot: slot("chat:1"),
        refusal: Refusal::StoreAway,
    });
    assert_eq!(edge.take_story(B), [refused(RefusedBecause::Temporary)]);
    edge.push("chat:1", 6);
    assert_eq!(edge.take_story(A), ["publication 6"]);
    assert!(edge.take_told(B).is_empty());
}

#[test]
fn a_recovery_in_flight_is_asked_again_on_the_next_link() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.subscribe(B, "chat:1", Some(recover(3)));
    let old = request_of(&edge.sent[0].2);
    edge.link_down(1);
    edge.forget_outputs();
    edge.link_up(2, 1);
    edge.answer_subscribe(LinkId(2), Some(at(5)), false);
    answer(&mut edge, LinkId(2), old, at(5), [5], true);
    assert!(
        edge.take_told(B).is_empty(),
        "an old request's answer says nothing"
    );
    answer_history(&mut edge, at(5), 4..=5);
    assert_eq!(edge.take_kinds(), [(2, "subscribe"), (2, "history")]);
    assert_eq!(edge.take_story(B), ["subscribed 5 Some([4, 5])"]);
}
