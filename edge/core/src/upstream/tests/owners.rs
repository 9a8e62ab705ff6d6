//! Several owners: slots that move between them with everything that is said and awaited in them.

use super::presence::client;
use super::*;
use trunkline_shared::frame::{Publish, Refusal};

const FIRST: LinkId = LinkId(1);
const SECOND: LinkId = LinkId(2);

/// An edge with links to nodes 1 and 2, which have both shown the first view, in which node 1 owns everything.
fn with_two() -> Edge {
    let mut edge = Edge::linked();
    edge.link_up(2, 2);
    for link in [FIRST, SECOND] {
        edge.frame_on(link, ToEdge::View(view(1, &[1, 2])));
    }
    edge.forget_outputs();
    edge
}

fn publishes(edge: &mut Edge) -> Vec<(u64, Publish)> {
    let publish = |(link, _, frame): (LinkId, StreamId, ToNode)| {
        if let ToNode::Publish(publish) = frame {
            Some((link.0, publish))
        } else {
            None
        }
    };
    edge.sent.drain(..).filter_map(publish).collect()
}

fn refuse(edge: &mut Edge, link: LinkId, request: RequestId, refusal: Refusal) {
    let slot = slot("chat:1");
    edge.frame_on(
        link,
        ToEdge::Refused {
            request,
            slot,
            refusal,
        },
    );
}

fn moved(number: u64) -> Refusal {
    let version = version(number);
    Refusal::Moved { version }
}

#[test]
fn what_has_no_answer_is_repeated_in_order_to_the_new_owner_before_anything_new() {
    let mut edge = with_two();
    for data in ["1", "2", "3"] {
        edge.publish(A, "chat:1", data);
    }
    let sent = publishes(&mut edge);
    let ids: Vec<RequestId> = sent.iter().map(|(_, publish)| publish.request).collect();
    edge.frame_on(SECOND, ToEdge::View(view(2, &[2, 1])));
    edge.publish(A, "chat:1", "4");
    let again = publishes(&mut edge);
    let shortly = |(link, publish): &(u64, Publish)| (*link, publish.request, publish.repeat);
    let again: Vec<_> = again.iter().map(shortly).collect();
    assert_eq!(again.len(), 4);
    assert_eq!(
        again[..3],
        [0, 1, 2].map(|place: usize| (2, ids[place], true))
    );
    assert!(!again[3].2, "the new one is sent for the first time");
}

#[test]
fn an_answer_of_the_old_owner_counts_its_refusal_does_not() {
    let mut edge = with_two();
    edge.publish(A, "chat:1", "1");
    edge.publish(A, "chat:1", "2");
    let ids: Vec<RequestId> = publishes(&mut edge)
        .iter()
        .map(|(_, p)| p.request)
        .collect();
    edge.frame_on(SECOND, ToEdge::View(view(2, &[2, 1])));
    edge.forget_outputs();
    let slot = slot("chat:1");
    edge.frame_on(
        FIRST,
        ToEdge::Published {
            request: ids[0],
            slot,
            position: at(6),
        },
    );
    refuse(&mut edge, FIRST, ids[1], moved(2));
    refuse(&mut edge, FIRST, ids[1], Refusal::Busy);
    assert_eq!(edge.take_story(A), ["published Some(6)"]);
    assert!(
        edge.take_sent().is_empty(),
        "nothing is on hold, nothing goes again"
    );
}

#[test]
fn a_push_of_the_old_owner_is_dropped_from_the_new_view_on() {
    let mut edge = with_two();
    edge.live(A, "chat:1", 5);
    edge.frame_on(SECOND, ToEdge::View(view(2, &[2, 1])));
    edge.push_on(FIRST, "chat:1", EPOCH, 6);
    edge.answer_subscribe(SECOND, Some(at(6)), true);
    edge.push_on(FIRST, "chat:1", EPOCH, 6);
    edge.push_on(FIRST, "chat:1", OTHER_EPOCH, 1);
    edge.frame_on(
        FIRST,
        ToEdge::Reset {
            slot: slot("chat:1"),
        },
    );
    assert!(edge.take_story(A).is_empty());
    assert_eq!(edge.upstream.counters().pushes_foreign, 3);
    assert_eq!(
        edge.take_kinds(),
        [(2, "subscribe"), (1, "show view"), (2, "pull")]
    );
}

#[test]
fn only_the_channels_of_slots_that_moved_are_said_again() {
    let mut edge = with_two();
    edge.live(A, "chat:1", 5);
    edge.live(A, "chat:2", 5);
    edge.frame_on(SECOND, ToEdge::View(view_with(2, [2, 1], &["chat:1"])));
    assert_eq!(edge.take_kinds(), [(2, "subscribe"), (1, "show view")]);
    edge.push_on(FIRST, "chat:2", EPOCH, 6);
    assert_eq!(edge.take_story(A), ["publication 6"]);
}

#[test]
fn views_of_two_links_give_the_same_in_any_order() {
    for order in [[2, 3], [3, 2]] {
        let mut edge = with_two();
        for number in order {
            let owner = if number == 3 { [2, 1] } else { [1, 2] };
            let link = LinkId(number - 1);
            edge.frame_on(link, ToEdge::View(view(number, &owner)));
        }
        edge.forget_outputs();
        edge.publish(A, "chat:1", "1");
        assert_eq!(edge.take_kinds(), [(2, "publish")], "{order:?}");
    }
}

#[test]
fn a_new_owner_that_has_not_shown_the_view_is_told_nothing_until_it_does() {
    let mut edge = with_two();
    edge.live(A, "chat:1", 5);
    let (channel, client) = (named("chat:1"), client("c"));
    edge.worker(A, ToUpstream::Joined { channel, client });
    edge.publish(A, "chat:1", "1");
    edge.forget_outputs();
    edge.frame_on(FIRST, ToEdge::View(view(2, &[2, 1])));
    assert_eq!(edge.take_kinds(), [(2, "show view")]);
    edge.frame_on(SECOND, ToEdge::View(view(2, &[2, 1])));
    assert_eq!(
        edge.take_kinds(),
        [(2, "subscribe"), (2, "repeat"), (2, "snapshot")]
    );
}

#[test]
fn a_new_owner_that_never_shows_the_view_is_asked_after_a_while() {
    let mut edge = with_two();
    edge.live(A, "chat:1", 5);
    edge.frame_on(FIRST, ToEdge::View(view(2, &[2, 1])));
    edge.forget_outputs();
    edge.advance(Duration::from_millis(4999));
    assert!(edge.take_sent().is_empty());
    edge.advance(Duration::from_millis(1));
    assert_eq!(edge.take_kinds(), [(2, "subscribe")]);
}

#[test]
fn presence_told_to_an_owner_before_it_showed_an_older_view_is_told_again_when_it_shows_ours() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.frame(ToEdge::View(view(2, &[2, 1])));
    let (channel, client) = (named("chat:1"), client("c"));
    edge.worker(A, ToUpstream::Joined { channel, client });
    edge.forget_outputs();
    edge.link_up(2, 2);
    assert_eq!(edge.take_kinds(), [(2, "subscribe"), (2, "snapshot")]);
    edge.frame_on(SECOND, ToEdge::View(view(1, &[1, 2])));
    assert_eq!(edge.take_kinds(), [(2, "show view")]);
    edge.frame_on(SECOND, ToEdge::View(view(2, &[2, 1])));
    assert_eq!(edge.take_kinds(), [(2, "snapshot")]);
}

/// An edge whose publish has gone to node 2, which it has just linked and which hasn't said which view it has.
fn asked_of_one_without_a_view() -> (Edge, RequestId) {
    let mut edge = Edge::linked();
    edge.frame(ToEdge::View(view(2, &[2, 1])));
    edge.link_up(2, 2);
    edge.publish(A, "chat:1", "1");
    let request = publishes(&mut edge)[0].1.request;
    (edge, request)
}

#[test]
fn who_was_refused_by_an_owner_with_an_older_view_goes_on_when_it_shows_ours() {
    let (mut edge, request) = asked_of_one_without_a_view();
    refuse(&mut edge, SECOND, request, moved(1));
    edge.frame_on(SECOND, ToEdge::View(view(1, &[1, 2])));
    edge.advance(Duration::from_millis(199));
    assert_eq!(edge.take_kinds(), [(2, "show view")]);
    edge.frame_on(SECOND, ToEdge::View(view(2, &[2, 1])));
    assert_eq!(edge.take_kinds(), [(2, "repeat")]);
}

#[test]
fn who_was_refused_by_an_owner_that_shows_nothing_asks_again_after_a_while() {
    let (mut edge, request) = asked_of_one_without_a_view();
    refuse(&mut edge, SECOND, request, moved(1));
    edge.advance(Duration::from_millis(200));
    assert_eq!(edge.take_kinds(), [(2, "repeat")]);
}

#[test]
fn who_was_refused_by_an_owner_that_has_shown_ours_since_goes_on_at_once() {
    let (mut edge, request) = asked_of_one_without_a_view();
    edge.frame_on(SECOND, ToEdge::View(view(2, &[2, 1])));
    edge.forget_outputs();
    refuse(&mut edge, SECOND, request, moved(1));
    edge.advance(Duration::ZERO);
    assert_eq!(edge.take_kinds(), [(2, "repeat")]);
}

#[test]
fn who_was_refused_under_our_own_view_waits_before_it_asks_again() {
    let (mut edge, request) = asked_of_one_without_a_view();
    edge.frame_on(SECOND, ToEdge::View(view(2, &[2, 1])));
    edge.forget_outputs();
    refuse(&mut edge, SECOND, request, moved(2));
    edge.advance(Duration::from_millis(199));
    assert!(edge.take_sent().is_empty());
    edge.advance(Duration::from_millis(1));
    assert_eq!(edge.take_kinds(), [(2, "repeat")]);
}

#[test]
fn who_was_refused_for_a_later_view_goes_to_the_owner_that_it_names() {
    let mut edge = with_two();
    edge.publish(A, "chat:1", "1");
    let request = publishes(&mut edge)[0].1.request;
    refuse(&mut edge, FIRST, request, moved(3));
    edge.publish(A, "chat:1", "2");
    edge.frame_on(FIRST, ToEdge::View(view(2, &[1, 2])));
    assert!(publishes(&mut edge).is_empty(), "not by an earlier one");
    edge.frame_on(SECOND, ToEdge::View(view(3, &[2, 1])));
    let sent = publishes(&mut edge);
    let shortly: Vec<_> = sent.iter().map(|(link, p)| (*link, p.repeat)).collect();
    assert_eq!(shortly, [(2, true), (2, false)]);
}

#[test]
fn the_channels_of_a_node_that_died_are_said_again_in_batches() {
    let config = UpstreamConfig {
        resubscribe_batch: 2,
        ..UpstreamConfig::default()
    };
    let mut edge = Edge::linked_with(config);
    edge.link_up(2, 2);
    for number in 0..5 {
        edge.live(A, &format!("chat:{number}"), 5);
    }
    edge.link_down(1);
    assert!(
        edge.take_sent().is_empty(),
        "nobody is there who could answer"
    );
    edge.frame_on(SECOND, ToEdge::View(view(2, &[2])));
    assert_eq!(edge.take_kinds(), [(2, "subscribe"); 2]);
}

#[test]
fn a_slot_that_moves_there_and_back_is_heard_from_its_last_owner_only() {
    let mut edge = with_two();
    edge.live(A, "chat:1", 5);
    edge.frame_on(SECOND, ToEdge::View(view(2, &[2, 1])));
    let late = edge.take_sent();
    edge.frame_on(FIRST, ToEdge::View(view(3, &[1, 2])));
    edge.frame_on(
        SECOND,
        ToEdge::Subscribed(Subscribed {
            request: request_of(late.iter().find(|f| kind(f) == "subscribe").expect("one")),
            slot: slot("chat:1"),
            head: Some(other_at(0)),
            floor: Offset::ZERO,
            lagging: false,
        }),
    );
    edge.push_on(SECOND, "chat:1", OTHER_EPOCH, 1);
    edge.answer_subscribe(FIRST, Some(at(5)), false);
    edge.push_on(FIRST, "chat:1", EPOCH, 6);
    assert_eq!(edge.take_story(A), ["publication 6"]);
}
