//! Pushes, lags, pulls, gaps, epochs and position checks.

use super::*;
use trunkline_shared::frame::{Behind, ChannelHead, Pulled, Refusal};

fn behind(edge: &mut Edge, head: u64) {
    let (slot, channel) = (slot("chat:1"), named("chat:1"));
    edge.frame(ToEdge::Behind(Behind {
        slot,
        channel,
        head: at(head),
        floor: Offset::ZERO,
    }));
}

fn pulled(
    request: RequestId,
    head: Position,
    offsets: impl IntoIterator<Item = u64>,
    reached_head: bool,
) -> ToEdge {
    let (slot, floor, publications) = (slot("chat:1"), Offset::ZERO, publications(offsets));
    ToEdge::Pulled(Pulled {
        request,
        slot,
        head,
        floor,
        publications,
        reached_head,
    })
}

/// Answers the pull that was sent last; returns the position that it named.
fn answer_pull(
    edge: &mut Edge,
    head: Position,
    offsets: impl IntoIterator<Item = u64>,
    reached_head: bool,
) -> Position {
    let last = edge.sent.iter().rev().find_map(|(link, _, frame)| {
        if let ToNode::Pull(pull) = frame {
            Some((*link, pull.clone()))
        } else {
            None
        }
    });
    let (link, pull) = last.expect("a pull was sent");
    edge.frame_on(link, pulled(pull.request, head, offsets, reached_head));
    pull.after
}

/// Waits for a position check and answers it.
fn check(edge: &mut Edge, head: Option<Position>) {
    while edge.sent.is_empty() {
        edge.advance(Duration::from_secs(1));
    }
    let sent = edge.take_sent();
    assert_eq!(kinds(&sent), ["check"]);
    let heads = vec![ChannelHead {
        channel: named("chat:1"),
        head,
    }];
    edge.frame(ToEdge::Positions {
        request: request_of(&sent[0]),
        slot: slot("chat:1"),
        heads,
    });
    assert_eq!(edge.upstream.counters().answers_unknown, 0);
}

#[test]
fn pushes_are_given_in_order_and_once() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    for offset in [6, 6, 5, 7] {
        edge.push("chat:1", offset);
    }
    assert_eq!(edge.take_story(A), ["publication 6", "publication 7"]);
    assert_eq!(edge.upstream.counters().pushes_old, 2);
}

#[test]
fn a_push_of_another_link_is_dropped() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.link_up(2, 2);
    edge.push_on(LinkId(2), "chat:1", EPOCH, 6);
    assert!(edge.take_told(A).is_empty());
    assert_eq!(edge.upstream.counters().pushes_foreign, 1);
}

#[test]
fn a_hole_is_pulled_and_nothing_beyond_it_given() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.push("chat:1", 7);
    edge.push("chat:1", 8);
    assert!(edge.take_told(A).is_empty());
    assert_eq!(edge.sent.len(), 1);
    assert_eq!(answer_pull(&mut edge, at(8), 6..=8, true), at(5));
    assert_eq!(
        edge.take_story(A),
        ["publication 6", "publication 7", "publication 8"]
    );
}

#[test]
fn a_channel_that_is_behind_is_pulled_once_until_it_has_the_head() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    behind(&mut edge, 9);
    behind(&mut edge, 9);
    assert_eq!(edge.upstream.counters().pulls, 1);
    assert_eq!(answer_pull(&mut edge, at(9), 6..=7, false), at(5));
    assert_eq!(answer_pull(&mut edge, at(9), 8..=9, true), at(7));
    edge.push("chat:1", 10);
    let expected: Vec<String> = (6..=10)
        .map(|offset| format!("publication {offset}"))
        .collect();
    assert_eq!(edge.take_story(A), expected);
}

#[test]
fn what_is_not_kept_any_more_is_told_as_a_gap() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    behind(&mut edge, 9);
    answer_pull(&mut edge, at(9), 8..=9, true);
    assert_eq!(
        edge.take_story(A),
        ["gap 7", "publication 8", "publication 9"]
    );
}

#[test]
fn when_nothing_is_kept_the_gap_reaches_the_head() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    behind(&mut edge, 9);
    answer_pull(&mut edge, at(9), [], true);
    edge.push("chat:1", 10);
    assert_eq!(edge.take_story(A), ["gap 9", "publication 10"]);
}

#[test]
fn a_pull_that_finds_another_epoch_begins_anew() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    behind(&mut edge, 9);
    answer_pull(&mut edge, other_at(2), [], true);
    edge.push_on(LINK, "chat:1", OTHER_EPOCH, 3);
    assert_eq!(edge.take_story(A), ["epoch changed 2", "publication 3"]);
}

#[test]
fn a_push_of_another_epoch_lets_the_channel_be_asked_anew() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.push_on(LINK, "chat:1", OTHER_EPOCH, 1);
    assert!(edge.take_told(A).is_empty());
    assert_eq!(
        edge.answer_subscribe(LINK, Some(other_at(1)), false),
        Some(at(5))
    );
    assert_eq!(edge.take_story(A), ["epoch changed 1"]);
}

#[test]
fn a_head_below_what_the_edge_has_is_an_epoch_change() {
    let mut edge = Edge::linked();
    edge.live(A, "live:1", 5);
    edge.link_down(1);
    edge.link_up(2, 1);
    edge.answer_subscribe(LinkId(2), Some(at(3)), false);
    assert_eq!(edge.take_story(A), ["epoch changed 3"]);
}

#[test]
fn a_resubscribe_below_the_head_is_pulled() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.link_down(1);
    edge.link_up(2, 1);
    edge.answer_subscribe(LinkId(2), Some(at(7)), true);
    assert!(edge.take_told(A).is_empty());
    answer_pull(&mut edge, at(7), 6..=7, true);
    assert_eq!(edge.take_story(A), ["publication 6", "publication 7"]);
}

#[test]
fn an_answer_to_a_pull_of_the_old_link_is_ignored() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    behind(&mut edge, 9);
    let stale = request_of(&edge.take_sent()[0]);
    edge.link_down(1);
    edge.link_up(2, 1);
    edge.answer_subscribe(LinkId(2), Some(at(9)), true);
    edge.frame_on(LinkId(2), pulled(stale, at(9), 8..=9, true));
    assert!(edge.take_told(A).is_empty());
    assert_eq!(answer_pull(&mut edge, at(9), 6..=9, true), at(5));
    assert_eq!(edge.take_told(A).len(), 4);
}

#[test]
fn a_refused_pull_is_asked_again_later() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    behind(&mut edge, 9);
    let request = request_of(&edge.take_sent()[0]);
    edge.frame(ToEdge::Refused {
        request,
        slot: slot("chat:1"),
        refusal: Refusal::StoreAway,
    });
    assert!(edge.take_sent().is_empty());
    edge.advance(Duration::from_millis(400));
    assert_eq!(kinds(&edge.take_sent()), ["pull"]);
}

#[test]
fn a_pull_that_nobody_answers_is_asked_again() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    behind(&mut edge, 9);
    edge.advance(Duration::from_secs(5));
    assert_eq!(edge.upstream.counters().pulls, 2);
    assert_eq!(edge.upstream.counters().asked_again, 1);
}

#[test]
fn pulls_without_progress_are_not_repeated_at_once() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    behind(&mut edge, 9);
    answer_pull(&mut edge, at(9), [], false);
    assert_eq!(edge.upstream.counters().pulls, 1);
    edge.advance(Duration::from_millis(400));
    assert_eq!(edge.upstream.counters().pulls, 2);
}

#[test]
fn a_check_finds_what_was_lost_without_a_trace() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    check(&mut edge, Some(at(6)));
    assert_eq!(answer_pull(&mut edge, at(6), [6], true), at(5));
    assert_eq!(edge.take_story(A), ["publication 6"]);
}

#[test]
fn a_check_finds_a_forgotten_subscription_and_another_epoch() {
    for head in [None, Some(other_at(5))] {
        let mut edge = Edge::linked();
        edge.live(A, "chat:1", 5);
        check(&mut edge, head);
        assert_eq!(kinds(&edge.take_sent()), ["subscribe"]);
    }
}

#[test]
fn a_check_that_agrees_changes_nothing() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    check(&mut edge, Some(at(5)));
    assert!(edge.take_sent().is_empty());
    assert_eq!(edge.upstream.counters().positions_healed, 0);
}
