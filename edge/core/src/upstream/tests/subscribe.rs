//! Subscribing: merged over workers, asked once, said again.

use super::*;
use trunkline_shared::frame::Refusal;

fn refuse(edge: &mut Edge, channel: &str, refusal: Refusal) {
    let request = request_of(&edge.sent.last().expect("something was sent").2);
    edge.frame(ToEdge::Refused {
        request,
        slot: slot(channel),
        refusal,
    });
}

#[test]
fn a_first_subscribe_is_asked_of_the_owner_and_answered_with_its_head() {
    let mut edge = Edge::linked();
    edge.subscribe(A, "chat:1", None);
    assert!(edge.take_told(A).is_empty());
    assert_eq!(edge.answer_subscribe(LINK, Some(at(5)), false), None);
    assert_eq!(edge.take_story(A), ["subscribed 5 None"]);
}

#[test]
fn what_names_a_slot_travels_on_its_lane() {
    let mut edge = Edge::linked();
    edge.subscribe(A, "chat:1", None);
    edge.publish(A, "chat:1", "1");
    let streams: BTreeSet<StreamId> = edge.sent.iter().map(|(_, stream, _)| *stream).collect();
    assert_eq!(streams, BTreeSet::from([StreamId::of(slot("chat:1"))]));
}

#[test]
fn subscribers_that_wait_share_one_subscribe() {
    let mut edge = Edge::linked();
    edge.subscribe(A, "chat:1", None);
    edge.subscribe(B, "chat:1", None);
    assert_eq!(edge.sent.len(), 1);
    edge.answer_subscribe(LINK, Some(at(5)), false);
    assert_eq!(edge.take_story(A), ["subscribed 5 None"]);
    assert_eq!(edge.take_story(B), ["subscribed 5 None"]);
}

#[test]
fn a_live_channel_is_answered_at_once_with_its_top() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.push("chat:1", 6);
    edge.subscribe(B, "chat:1", None);
    assert!(edge.take_sent().is_empty());
    assert_eq!(edge.take_story(B), ["subscribed 6 None"]);
}

#[test]
fn an_ephemeral_channel_has_no_position() {
    let mut edge = Edge::linked();
    edge.subscribe(A, "cursors:1", None);
    edge.answer_subscribe(LINK, None, false);
    edge.push_ephemeral("cursors:1");
    assert_eq!(edge.take_story(A), ["subscribed - None", "publication 0"]);
}

#[test]
fn an_unknown_namespace_is_named() {
    let mut edge = Edge::linked();
    edge.subscribe(A, "nope:1", None);
    assert_eq!(
        edge.take_story(A),
        [refused(RefusedBecause::UnknownChannel)]
    );
}

#[test]
fn each_refusal_of_an_owner_has_its_name() {
    let named = [
        (Refusal::Busy, RefusedBecause::Temporary),
        (Refusal::StoreAway, RefusedBecause::Temporary),
        (Refusal::WrongSlot, RefusedBecause::Temporary),
        (Refusal::UnknownChannel, RefusedBecause::UnknownChannel),
        (Refusal::NotAvailable, RefusedBecause::NotAvailable),
    ];
    for (refusal, because) in named {
        let mut edge = Edge::linked();
        edge.subscribe(A, "chat:1", None);
        refuse(&mut edge, "chat:1", refusal);
        assert_eq!(edge.take_story(A), [refused(because)]);
        assert_eq!(
            edge.upstream.gauges().channels,
            0,
            "nobody wants it and no owner knows it"
        );
    }
}

#[test]
fn a_subscribe_without_an_answer_is_refused_at_its_deadline() {
    let mut edge = Edge::linked();
    edge.subscribe(A, "chat:1", None);
    edge.advance(Duration::from_millis(3_999));
    assert!(edge.take_told(A).is_empty());
    edge.advance(Duration::from_millis(1));
    assert_eq!(edge.take_story(A), [refused(RefusedBecause::Temporary)]);
}

#[test]
fn without_a_link_a_subscribe_waits_for_one() {
    let mut edge = Edge::linked();
    edge.link_down(1);
    edge.subscribe(A, "chat:1", None);
    assert!(edge.take_sent().is_empty());
    edge.link_up(2, 1);
    edge.answer_subscribe(LinkId(2), Some(at(3)), false);
    assert_eq!(edge.take_story(A), ["subscribed 3 None"]);
}

#[test]
fn what_comes_before_rules_waits_for_them() {
    let mut edge = Edge::new(UpstreamConfig::default());
    edge.link_up(1, 1);
    edge.frame(ToEdge::View(view(1, &[1])));
    edge.subscribe(A, "chat:1", None);
    edge.publish(A, "chat:2", "1");
    edge.subscribe(B, "nope:1", None);
    assert!(edge.take_sent().is_empty());
    edge.frame(ToEdge::Rules(rules_json(1)));
    assert_eq!(kinds(&edge.take_sent()), ["subscribe", "publish"]);
    assert_eq!(
        edge.take_story(B),
        [
            "rules 1".to_owned(),
            refused(RefusedBecause::UnknownChannel)
        ]
    );
}

#[test]
fn what_waits_for_rules_too_long_is_refused_as_temporary() {
    let mut edge = Edge::new(UpstreamConfig::default());
    edge.subscribe(A, "chat:1", None);
    edge.publish(A, "nope:2", "1");
    edge.advance(Duration::from_secs(4));
    assert_eq!(
        edge.take_story(A),
        vec![refused(RefusedBecause::Temporary); 2]
    );
}

#[test]
fn a_moved_slot_is_asked_again_when_its_view_has_come() {
    let mut edge = Edge::linked();
    edge.link_up(2, 2);
    edge.subscribe(A, "chat:1", None);
    refuse(
        &mut edge,
        "chat:1",
        Refusal::Moved {
            version: version(2),
        },
    );
    edge.take_sent();
    edge.advance(Duration::from_secs(1));
    assert!(edge.take_sent().is_empty(), "the view hasn't come");
    edge.frame(ToEdge::View(view(2, &[2, 1])));
    edge.answer_subscribe(LinkId(2), Some(at(1)), false);
    assert_eq!(edge.take_kinds(), [(2, "subscribe")]);
    assert_eq!(edge.take_story(A), ["subscribed 1 None"]);
}

#[test]
fn an_owner_that_has_not_claimed_yet_is_asked_again_after_a_while() {
    let mut edge = Edge::linked();
    edge.subscribe(A, "chat:1", None);
    refuse(
        &mut edge,
        "chat:1",
        Refusal::Moved {
            version: version(1),
        },
    );
    edge.take_sent();
    edge.advance(Duration::from_millis(199));
    assert!(edge.take_sent().is_empty());
    edge.advance(Duration::from_millis(1));
    assert_eq!(kinds(&edge.take_sent()), ["subscribe"]);
}

#[test]
fn a_resubscribe_that_is_refused_is_said_again_while_somebody_wants_it() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.frame(ToEdge::Reset {
        slot: slot("chat:1"),
    });
    refuse(&mut edge, "chat:1", Refusal::StoreAway);
    edge.take_sent();
    edge.advance(Duration::from_millis(500));
    assert_eq!(kinds(&edge.take_sent()), ["subscribe"]);
    assert!(edge.take_told(A).is_empty());
}

#[test]
fn a_new_link_is_told_every_position_and_clients_are_told_nothing() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.push("chat:1", 6);
    edge.link_down(1);
    edge.forget_outputs();
    edge.link_up(2, 1);
    assert_eq!(
        edge.answer_subscribe(LinkId(2), Some(at(6)), false),
        Some(at(6))
    );
    edge.push_on(LinkId(2), "chat:1", EPOCH, 7);
    assert_eq!(edge.take_story(A), ["publication 7"]);
}

#[test]
fn resubscribes_are_paced() {
    let mut edge = Edge::linked_with(UpstreamConfig {
        resubscribe_batch: 2,
        ..UpstreamConfig::default()
    });
    for channel in ["chat:1", "chat:2", "chat:3", "chat:4", "chat:5"] {
        edge.live(A, channel, 0);
    }
    edge.link_down(1);
    edge.link_up(2, 1);
    let first: Vec<ToNode> = edge.take_sent();
    assert_eq!(first.len(), 2);
    for subscribe in &first {
        let (request, slot) = (
            request_of(subscribe),
            subscribe.slot().expect("it names one"),
        );
        let head = Some(at(0));
        let floor = Offset::ZERO;
        edge.frame_on(
            LinkId(2),
            ToEdge::Subscribed(Subscribed {
                request,
                slot,
                head,
                floor,
                lagging: false,
            }),
        );
    }
    assert_eq!(edge.take_sent().len(), 2);
}

#[test]
fn a_reset_slot_is_subscribed_again_from_the_top() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.frame(ToEdge::Reset {
        slot: slot("chat:1"),
    });
    assert_eq!(edge.answer_subscribe(LINK, Some(at(5)), false), Some(at(5)));
    assert!(edge.take_told(A).is_empty());
}

#[test]
fn an_answer_of_the_old_link_does_not_make_a_channel_live() {
    let mut edge = Edge::linked();
    edge.subscribe(A, "chat:1", None);
    let request = request_of(&edge.take_sent()[0]);
    edge.link_down(1);
    edge.link_up(2, 1);
    let (slot, head, floor) = (slot("chat:1"), Some(at(1)), Offset::ZERO);
    edge.frame_on(
        LinkId(2),
        ToEdge::Subscribed(Subscribed {
            request,
            slot,
            head,
            floor,
            lagging: false,
        }),
    );
    assert!(edge.take_told(A).is_empty());
    edge.answer_subscribe(LinkId(2), Some(at(9)), false);
    assert_eq!(edge.take_story(A), ["subscribed 9 None"]);
}

#[test]
fn a_subscribe_that_nobody_answers_is_said_again_under_a_new_id() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.frame(ToEdge::Reset {
        slot: slot("chat:1"),
    });
    let first = request_of(&edge.take_sent()[0]);
    edge.advance(Duration::from_secs(5));
    let again = edge.take_sent();
    assert_eq!(kinds(&again), ["subscribe"]);
    assert_ne!(request_of(&again[0]), first);
}

#[test]
fn new_rules_reach_every_worker_and_older_ones_do_not() {
    let mut edge = Edge::linked();
    edge.frame(ToEdge::Rules(rules_json(3)));
    edge.frame(ToEdge::Rules(rules_json(2)));
    edge.frame(ToEdge::Rules(rules_json(3)));
    assert_eq!(edge.take_story(A), ["rules 3"]);
    assert_eq!(edge.take_story(B), ["rules 3"]);
    edge.input(Input::WorkerAdded(WorkerId(2)));
    assert_eq!(edge.take_story(WorkerId(2)), ["rules 3"]);
}

#[test]
fn too_many_subscribers_that_wait_are_refused_at_once() {
    let mut edge = Edge::linked_with(UpstreamConfig {
        waiting_max: 1,
        ..UpstreamConfig::default()
    });
    edge.subscribe(A, "chat:1", None);
    edge.subscribe(B, "chat:1", None);
    assert_eq!(edge.take_story(B), [refused(RefusedBecause::Temporary)]);
}

#[test]
fn an_unsubscribe_ends_a_subscribe_that_waits() {
    let mut edge = Edge::linked();
    edge.subscribe(A, "chat:1", None);
    edge.unsubscribe(A, "chat:1");
    assert_eq!(edge.take_story(A), [refused(RefusedBecause::Temporary)]);
    assert_eq!(kinds(&edge.take_sent()), ["subscribe", "unsubscribe"]);
}
