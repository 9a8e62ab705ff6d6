//! Publishes: kept until answered, repeated in order, bounded.

use super::*;
use trunkline_shared::frame::{Publish, Refusal};

fn publishes(edge: &mut Edge) -> Vec<Publish> {
    let publish = |frame: ToNode| {
        if let ToNode::Publish(publish) = frame {
            Some(publish)
        } else {
            None
        }
    };
    edge.take_sent().into_iter().filter_map(publish).collect()
}

fn published(edge: &mut Edge, link: LinkId, request: RequestId, offset: u64) {
    edge.frame_on(
        link,
        ToEdge::Published {
            request,
            slot: slot("chat:1"),
            position: at(offset),
        },
    );
}

fn refuse(edge: &mut Edge, request: RequestId, refusal: Refusal) {
    edge.frame(ToEdge::Refused {
        request,
        slot: slot("chat:1"),
        refusal,
    });
}

fn with_lane(lane_queue_bytes: usize) -> Edge {
    Edge::linked_with(UpstreamConfig {
        lane_queue_bytes,
        ..UpstreamConfig::default()
    })
}

#[test]
fn a_publish_is_sent_at_once_and_answered_with_its_position() {
    let mut edge = Edge::linked();
    edge.publish(A, "chat:1", "1");
    let sent = publishes(&mut edge);
    let first = &sent[0];
    assert!(sent.len() == 1 && !first.repeat);
    assert_eq!(
        (first.view, first.time_left_ms, first.oldest_unanswered),
        (version(1), 4_000, first.request)
    );
    published(&mut edge, LINK, first.request, 3);
    assert_eq!(edge.take_story(A), ["published Some(3)"]);
    assert_eq!(edge.upstream.gauges().unanswered, 0);
}

#[test]
fn an_answer_that_comes_twice_is_given_once() {
    let mut edge = Edge::linked();
    edge.publish(A, "chat:1", "1");
    let request = publishes(&mut edge)[0].request;
    published(&mut edge, LINK, request, 3);
    published(&mut edge, LINK, request, 3);
    assert_eq!(edge.take_told(A).len(), 1);
}

#[test]
fn each_publish_names_the_oldest_unanswered_of_its_slot() {
    let mut edge = Edge::linked();
    edge.publish(A, "chat:1", "1");
    edge.publish(A, "chat:1", "2");
    let sent = publishes(&mut edge);
    assert_eq!(sent[1].oldest_unanswered, sent[0].request);
    published(&mut edge, LINK, sent[0].request, 1);
    edge.publish(A, "chat:1", "3");
    assert_eq!(publishes(&mut edge)[0].oldest_unanswered, sent[1].request);
}

#[test]
fn on_a_new_link_all_are_repeated_in_order_and_marked_if_sent_before() {
    let mut edge = Edge::linked();
    edge.publish(A, "chat:1", "1");
    edge.publish(A, "chat:1", "2");
    let first = publishes(&mut edge);
    edge.link_down(1);
    edge.publish(B, "chat:1", "3");
    edge.link_up(2, 1);
    let again = publishes(&mut edge);
    assert_eq!(
        again
            .iter()
            .map(|publish| publish.repeat)
            .collect::<Vec<_>>(),
        [true, true, false]
    );
    assert_eq!(
        (again[0].request, again[1].request),
        (first[0].request, first[1].request)
    );
    assert!(again[2].request > again[1].request);
    edge.publish(A, "chat:1", "4");
    assert_eq!(edge.take_kinds(), [(2, "publish")], "new ones come behind");
}

#[test]
fn resubscribes_and_repeats_go_before_the_rest() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 0);
    edge.worker(
        A,
        ToUpstream::Joined {
            channel: named("chat:1"),
            client: presence::client("c1"),
        },
    );
    edge.publish(A, "chat:1", "1");
    edge.link_down(1);
    let (ticket, deadline) = (edge.ticket(), edge.deadline());
    edge.worker(
        A,
        ToUpstream::Presence {
            ticket,
            deadline,
            channel: named("chat:1"),
        },
    );
    edge.forget_outputs();
    edge.link_up(2, 1);
    assert_eq!(
        kinds(&edge.take_sent()),
        ["subscribe", "repeat", "presence", "snapshot"]
    );
}

#[test]
fn a_repeat_carries_less_time() {
    let mut edge = Edge::linked();
    edge.publish(A, "chat:1", "1");
    edge.link_down(1);
    edge.advance(Duration::from_secs(3));
    edge.forget_outputs();
    edge.link_up(2, 1);
    assert_eq!(publishes(&mut edge)[0].time_left_ms, 1_000);
}

#[test]
fn a_publish_whose_time_is_over_is_refused_and_not_repeated() {
    let mut edge = Edge::linked();
    edge.publish(A, "chat:1", "1");
    edge.link_down(1);
    edge.advance(Duration::from_secs(4));
    assert_eq!(edge.take_story(A), [refused(RefusedBecause::Temporary)]);
    edge.forget_outputs();
    edge.link_up(2, 1);
    assert!(edge.take_sent().is_empty());
}

#[test]
fn under_a_stale_view_it_is_sent_again_marked() {
    let mut edge = Edge::linked();
    edge.publish(A, "chat:1", "1");
    let request = publishes(&mut edge)[0].request;
    refuse(&mut edge, request, Refusal::StaleView);
    let again = publishes(&mut edge);
    assert_eq!((again[0].request, again[0].repeat), (request, true));
    assert!(edge.take_told(A).is_empty());
}

#[test]
fn nothing_is_sent_again_in_a_slot_before_what_was_sent_behind_it_is_answered() {
    let mut edge = Edge::linked();
    for data in ["1", "2", "3"] {
        edge.publish(A, "chat:1", data);
    }
    let requests: Vec<_> = publishes(&mut edge).iter().map(|one| one.request).collect();
    refuse(&mut edge, requests[0], Refusal::StaleView);
    refuse(&mut edge, requests[1], Refusal::StaleView);
    edge.publish(A, "chat:1", "4");
    assert!(publishes(&mut edge).is_empty(), "the third is under way");
    refuse(&mut edge, requests[2], Refusal::StaleView);
    let again = publishes(&mut edge);
    let sent: Vec<_> = again.iter().map(|one| (one.request, one.repeat)).collect();
    assert_eq!(
        sent[..3],
        requests.iter().map(|one| (*one, true)).collect::<Vec<_>>()
    );
    assert!(!sent[3].1 && sent.len() == 4, "{sent:?}");
}

#[test]
fn a_moved_publish_waits_for_the_view_and_goes_to_the_new_owner_marked() {
    let mut edge = Edge::linked();
    edge.link_up(2, 2);
    edge.publish(A, "chat:1", "1");
    let request = publishes(&mut edge)[0].request;
    refuse(
        &mut edge,
        request,
        Refusal::Moved {
            version: version(2),
        },
    );
    edge.publish(A, "chat:1", "2");
    assert!(edge.take_sent().is_empty(), "the slot is on hold");
    edge.frame(ToEdge::View(view(2, &[2, 1])));
    assert_eq!(edge.take_kinds(), [(2, "repeat"), (2, "publish")]);
}

#[test]
fn a_refusal_of_the_old_owner_does_not_end_what_the_new_one_has() {
    let mut edge = Edge::linked();
    edge.link_up(2, 2);
    edge.publish(A, "chat:1", "1");
    let request = publishes(&mut edge)[0].request;
    edge.frame_on(LinkId(2), ToEdge::View(view(2, &[2, 1])));
    refuse(&mut edge, request, Refusal::Busy);
    assert!(edge.take_told(A).is_empty());
    published(&mut edge, LinkId(2), request, 1);
    assert_eq!(edge.take_story(A), ["published Some(1)"]);
}

#[test]
fn refusals_are_named() {
    let named = [
        (Refusal::Busy, RefusedBecause::Temporary),
        (Refusal::StoreAway, RefusedBecause::Temporary),
        (Refusal::WrongSlot, RefusedBecause::Temporary),
        (Refusal::UnknownChannel, RefusedBecause::UnknownChannel),
        (Refusal::NotAvailable, RefusedBecause::NotAvailable),
    ];
    for (refusal, because) in named {
        let mut edge = Edge::linked();
        edge.publish(A, "chat:1", "1");
        let request = publishes(&mut edge)[0].request;
        refuse(&mut edge, request, refusal);
        assert_eq!(edge.take_story(A), [refused(because)]);
    }
}

#[test]
fn beyond_the_table_a_publish_is_refused_at_once() {
    let few = UpstreamConfig {
        unanswered_max: 1,
        ..UpstreamConfig::default()
    };
    let light = UpstreamConfig {
        unanswered_bytes_max: 200,
        ..UpstreamConfig::default()
    };
    for config in [few, light] {
        let mut edge = Edge::linked_with(config);
        edge.publish(A, "chat:1", "1");
        edge.publish(B, "chat:1", "2");
        assert_eq!(edge.take_story(B), [refused(RefusedBecause::Temporary)]);
        assert!(edge.take_told(A).is_empty());
        assert_eq!(edge.upstream.counters().publishes_refused_full, 1);
    }
}

#[test]
fn a_new_publish_that_finds_its_lane_full_is_refused_at_once() {
    let mut edge = with_lane(400);
    edge.stuck.insert(LINK);
    edge.publish(A, "chat:1", "1");
    edge.publish(B, "chat:1", "2");
    assert_eq!(kinds(&edge.take_sent()), ["publish"]);
    assert_eq!(edge.take_story(B), [refused(RefusedBecause::Temporary)]);
}

#[test]
fn a_full_lane_leaves_the_other_lanes_alone() {
    let (first, same, other) = channels_of_lanes();
    let mut edge = with_lane(400);
    edge.stuck.insert(LINK);
    edge.publish(A, &first, "1");
    edge.publish(A, &other, "1");
    edge.publish(B, &same, "1");
    assert!(edge.take_told(A).is_empty());
    assert_eq!(edge.take_story(B), [refused(RefusedBecause::Temporary)]);
}

#[test]
fn repeats_beyond_the_lane_go_on_as_room_comes_and_new_ones_stay_behind() {
    let mut edge = with_lane(700);
    for data in ["1", "2", "3"] {
        edge.publish(A, "chat:1", data);
    }
    let ids: Vec<RequestId> = publishes(&mut edge)
        .iter()
        .map(|publish| publish.request)
        .collect();
    edge.link_down(1);
    edge.stuck.insert(LinkId(2));
    edge.link_up(2, 1);
    assert_eq!(edge.sent.len(), 2);
    edge.publish(B, "chat:1", "4");
    assert!(edge.take_told(B).is_empty(), "it waits behind the repeats");
    edge.unstick();
    let sent = publishes(&mut edge);
    assert_eq!(
        sent.iter()
            .map(|publish| publish.request)
            .take(3)
            .collect::<Vec<_>>(),
        ids
    );
    assert_eq!(
        sent.iter()
            .map(|publish| publish.repeat)
            .collect::<Vec<_>>(),
        [true, true, true, false]
    );
}

#[test]
fn an_ephemeral_publish_is_answered_at_hand_over_and_forgotten() {
    let mut edge = Edge::linked();
    edge.publish(A, "cursors:1", "1");
    assert_eq!(edge.take_story(A), ["published None"]);
    let (_, stream, frame) = edge.sent.pop().expect("it was sent");
    assert_eq!((stream, kind(&frame)), (StreamId::Ephemeral, "publish"));
    assert_eq!(edge.upstream.gauges().unanswered, 0);
    edge.link_down(1);
    edge.link_up(2, 1);
    assert!(edge.take_sent().is_empty(), "at most once");
}

#[test]
fn an_ephemeral_publish_without_a_link_or_room_is_dropped_and_answered() {
    let mut edge = Edge::linked_with(UpstreamConfig {
        ephemeral_queue_bytes: 300,
        ..UpstreamConfig::default()
    });
    edge.stuck.insert(LINK);
    edge.publish(A, "cursors:1", "1");
    edge.publish(A, "cursors:1", "2");
    edge.link_down(1);
    edge.publish(A, "cursors:1", "3");
    assert_eq!(edge.take_story(A), vec!["published None"; 3]);
    assert_eq!(kinds(&edge.take_sent()), ["publish"]);
    assert_eq!(edge.upstream.counters().ephemeral_dropped, 2);
}

#[test]
fn a_publish_that_skips_history_goes_as_an_ephemeral_one_whatever_its_class() {
    for (channel, kind_sent) in [
        ("chat:1", "publish unkept"),
        ("live:1", "publish unkept"),
        ("cursors:1", "publish"),
    ] {
        let mut edge = Edge::linked();
        edge.publish_and(A, channel, "1", true);
        assert_eq!(edge.take_story(A), ["published None"]);
        let (_, stream, frame) = edge.sent.pop().expect("it was sent");
        assert_eq!((stream, kind(&frame)), (StreamId::Ephemeral, kind_sent));
        assert_eq!(edge.upstream.gauges().unanswered, 0);
        edge.link_down(1);
        edge.link_up(2, 1);
        assert!(edge.take_sent().is_empty(), "at most once");
    }
}

#[test]
fn ids_are_never_used_twice() {
    let mut edge = Edge::linked();
    edge.publish(A, "chat:1", "1");
    edge.publish(A, "cursors:1", "1");
    edge.subscribe(A, "chat:1", Some(recover(1)));
    let ids: BTreeSet<RequestId> = edge.take_sent().iter().map(request_of).collect();
    assert_eq!(ids.len(), 4);
}
