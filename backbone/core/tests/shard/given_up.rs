//! Slots that a view gives to another: nothing new is taken, what is in flight may end, then nothing is left.

use trunkline_backbone_core::io::{PartOutcome, StoreAnswer, StoreRequest};
use trunkline_shared::frame::{
    HistoryQuery, PresenceChange, PresenceChanges, Refusal, ToEdge, ToNode,
};
use trunkline_shared::{Offset, Position};
use trunkline_store_core::Refused;

use crate::support::*;

const MOVED: Refusal = Refusal::Moved {
    version: trunkline_shared::ViewVersion {
        birth: trunkline_shared::UnixMillis(0),
        timeline: 0,
        number: 2,
    },
};

fn reset(name: &str) -> ToEdge {
    ToEdge::Reset { slot: slot(name) }
}

/// An owner with an append of two publishes in flight and a subscriber, whose slot has then been given away.
fn with_flight() -> (Owner, trunkline_backbone_core::io::StoreTicket) {
    let mut owner = Owner::new();
    owner.subscribed(2, "chat:1", None);
    owner.publish(1, publish("chat:1", 1, "a"));
    let (ticket, _) = owner.append();
    owner.publish(1, publish("chat:1", 2, "b"));
    owner.view(view_without(2, &["chat:1"]));
    (owner, ticket)
}

#[test]
fn a_slot_in_which_nothing_happens_goes_at_once() {
    let mut owner = Owner::new();
    owner.subscribed(2, "chat:1", None);
    owner.view(view_without(2, &["chat:1"]));
    assert_eq!(owner.settled, [2]);
    assert_eq!(owner.shard.gauges().slots, 4095);
    assert_eq!(owner.frames_to(2), [reset("chat:1")]);
    owner.publish(1, publish("chat:1", 1, "a"));
    owner.subscribe(1, "chat:1", None);
    owner.history(1, "chat:1", HistoryQuery::Position, 0);
    assert_eq!(owner.refusals_to(1), [MOVED, MOVED, MOVED]);
    assert!(owner.requests.is_empty());
}

#[test]
fn what_waits_is_told_where_to_go() {
    let mut owner = Owner::new();
    owner.publish(1, publish("chat:1", 1, "a"));
    owner.publish(2, repeat("chat:1", 1, "b"));
    owner.subscribe(3, "chat:1", None);
    owner.view(view_without(2, &["chat:1"]));
    for link in 1..=3 {
        assert_eq!(owner.refusals_to(link), [MOVED]);
    }
    owner.settle();
    assert!(owner.frames.is_empty(), "late answers say nothing");
    assert!(owner.disk.texts("chat:1").is_empty());
}

#[test]
fn an_append_in_flight_that_is_committed_is_delivered_and_acknowledged() {
    let (mut owner, ticket) = with_flight();
    assert_eq!(owner.refusals_to(1), [MOVED], "what waits goes at once");
    owner.publish(3, publish("chat:1", 1, "c"));
    owner.subscribe(3, "chat:1", None);
    assert_eq!(owner.refusals_to(3), [MOVED, MOVED], "nothing new");
    assert!(owner.settled.is_empty());
    owner.outcome(ticket, PartOutcome::Committed);
    assert_eq!(owner.published_to(1), [(1, 1)]);
    let frames = owner.frames_to(2);
    let [ToEdge::Push(push), last] = frames.as_slice() else {
        panic!("the push, then the end: {frames:?}")
    };
    assert_eq!(push.publication.offset, Offset(1));
    assert_eq!(*last, reset("chat:1"));
    assert_eq!(owner.settled, [2]);
    assert_eq!(owner.shard.gauges().slots, 4095);
}

#[test]
fn an_append_in_flight_that_is_not_known_to_be_committed_is_repeated_elsewhere() {
    for outcome in [
        PartOutcome::Refused(Refused::Generation),
        PartOutcome::Refused(Refused::Head),
        PartOutcome::Failed(away()),
        PartOutcome::Unknown,
    ] {
        let (mut owner, ticket) = with_flight();
        owner.frames.clear();
        owner.outcome(ticket, outcome);
        assert_eq!(owner.refusals_to(1), [MOVED]);
        assert!(owner.requests.is_empty(), "it isn't claimed again");
        assert_eq!(owner.settled, [2]);
        assert_eq!(owner.shard.gauges().waiting_bytes, 0);
    }
}

#[test]
fn what_was_lost_in_an_unknown_append_is_repeated_elsewhere() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.publish(1, publish("chat:1", 2, "b"));
    let (ticket, _) = owner.append();
    owner.outcome(ticket, PartOutcome::Unknown);
    owner.frames.clear();
    owner.view(view_without(2, &["chat:1"]));
    assert_eq!(owner.refusals_to(1), [MOVED]);
    assert_eq!(owner.settled, [2]);
    owner.settle();
    assert_eq!(
        owner.shard.gauges().slots,
        4095,
        "the late claim gives nothing"
    );
}

#[test]
fn a_slot_given_back_while_its_append_is_in_flight_is_claimed_anew_after_it() {
    let (mut owner, ticket) = with_flight();
    owner.view(view(3));
    owner.frames.clear();
    owner.publish(1, under(3, publish("chat:1", 3, "c")));
    owner.subscribe(3, "chat:1", None);
    owner.publish(1, under(3, repeat("chat:1", 2, "b")));
    assert!(owner.requests.is_empty(), "the append ends first");
    assert!(owner.settled.is_empty());
    owner.disk.store("chat:1", 1, &["a"]);
    owner.outcome(ticket, PartOutcome::Committed);
    assert_eq!(owner.frames_to(2).last(), Some(&reset("chat:1")));
    assert!(matches!(owner.serve(), StoreRequest::Claim(claim) if claim.view == version(3)));
    owner.settle();
    assert_eq!(owner.published_to(1), [(1, 1), (3, 2), (2, 3)]);
    assert_eq!(owner.disk.texts("chat:1"), ["a", "c", "b"]);
    assert_eq!(owner.settled, [3]);
    let answered = |frame: &ToEdge| matches!(frame, ToEdge::Subscribed(_));
    assert!(owner.frames_to(3).iter().any(answered));
}

#[test]
fn a_look_up_asked_before_a_slot_left_says_nothing_after_it_came_back() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 1, &["a"]);
    owner.publish(1, repeat("chat:1", 1, "a"));
    let find = loop {
        let (ticket, request) = owner.requests.pop_front().expect("a look-up");
        let answer = owner.disk.answer(&request);
        if let StoreRequest::Find(_) = request {
            break (ticket, answer);
        }
        owner.answer(ticket, answer);
    };
    owner.view(view_without(2, &["chat:1"]));
    owner.view(view(3));
    let claim = owner.requests.pop_front().expect("a claim");
    owner.publish(1, under(3, repeat("chat:1", 1, "a")));
    owner.frames.clear();
    owner.answer(find.0, find.1);
    assert!(owner.frames.is_empty(), "the numbering isn't known yet");
    owner.requests.push_back(claim);
    owner.settle();
    let position = at(1).expect("a position");
    let frames = owner.frames_to(1);
    let answered =
        |frame: &ToEdge| matches!(frame, ToEdge::Published { position: p, .. } if *p == position);
    assert!(frames.iter().any(answered), "{frames:?}");
}

#[test]
fn a_read_that_ends_after_its_slot_left_is_told_where_to_go() {
    let mut owner = Owner::new();
    owner.disk.store("few:1", 9, &["a", "b", "c"]);
    owner.subscribed(2, "few:1", None);
    owner.pull(2, "few:1", EPOCH, 0);
    let (range, request) = owner.asked();
    assert!(matches!(request, StoreRequest::Range(_)));
    owner.view(view_without(2, &["few:1"]));
    owner.frames.clear();
    let answer = owner.disk.answer(&request);
    owner.answer(range, answer);
    assert_eq!(owner.refusals_to(2), [MOVED]);
    assert_eq!(owner.shard.gauges().requests, 0);
}

#[test]
fn a_head_read_before_a_slot_left_is_not_taken_after_it_came_back() {
    let mut owner = Owner::new();
    owner.subscribe(2, "chat:1", None);
    let (late, request) = owner.asked();
    let stale = owner.disk.answer(&request);
    owner.view(view_without(2, &["chat:1"]));
    owner.disk.store("chat:1", 9, &["a", "b"]);
    owner.view(view(3));
    owner.subscribe(2, "chat:1", None);
    owner.serve();
    owner.answer(late, stale);
    owner.settle();
    let frames = owner.frames_to(2);
    let head = frames.iter().find_map(|frame| {
        if let ToEdge::Subscribed(answer) = frame {
            answer.head
        } else {
            None
        }
    });
    assert_eq!(head, at(2));
}

#[test]
fn a_buffered_channel_that_was_away_has_another_epoch() {
    let mut owner = Owner::new();
    let before = owner.subscribed(2, "live:1", None).head.expect("a head");
    owner.publish(1, publish("live:1", 1, "a"));
    owner.view(view_without(2, &["live:1"]));
    owner.view(view(3));
    owner.settle();
    owner.frames.clear();
    let at = Position {
        offset: Offset(1),
        ..before
    };
    let again = owner
        .subscribed(2, "live:1", Some(at))
        .head
        .expect("a head");
    assert_ne!(again.epoch, before.epoch);
    assert_eq!(again.offset, Offset::ZERO);
}

#[test]
fn nothing_of_a_slot_stays() {
    let names = ["chat:1", "live:1", "room:1", "cursors:1", "few:1"];
    let mut owner = Owner::new();
    for name in names {
        owner.subscribe(2, name, None);
    }
    owner.settle();
    owner.keep(1, "chat:1", 1, "a");
    owner.publish(1, keyed("live:1", 2, "b", "key"));
    owner.publish(1, keyed("cursors:1", 3, "c", "key"));
    owner.publish(1, keyed("chat:1", 4, "d", "key"));
    owner.publish(1, keyed("chat:1", 5, "e", "key"));
    owner.subscribe(3, "few:2", None);
    owner.say(
        1,
        ToNode::PresenceChanges(PresenceChanges {
            slot: slot("room:1"),
            changes: vec![PresenceChange {
                channel: channel("room:1"),
                client: client("ann-1"),
                joined: true,
            }],
        }),
    );
    let before = owner.shard.gauges();
    assert!(before.presence == 1 && before.keys == 2 && before.publish_ids == 1);
    owner.view(view_without(
        2,
        &["chat:1", "live:1", "room:1", "cursors:1", "few:1", "few:2"],
    ));
    let after = owner.shard.gauges();
    assert_eq!(
        (
            after.channels,
            after.subscriptions,
            after.presence,
            after.keys,
            after.key_bytes
        ),
        (0, 0, 0, 0, 0)
    );
    assert_eq!(
        (
            after.publish_ids,
            after.ring_bytes,
            after.waiting_bytes,
            after.requests
        ),
        (0, 0, 0, 0)
    );
    assert_eq!(after.idle_channels, 0);
    owner.settle();
    assert_eq!(owner.shard.gauges().channels, 0, "nor after late answers");
}

#[test]
fn presence_begins_anew_where_a_slot_came_back() {
    let mut owner = Owner::new();
    let joined = PresenceChanges {
        slot: slot("room:1"),
        changes: vec![PresenceChange {
            channel: channel("room:1"),
            client: client("ann-1"),
            joined: true,
        }],
    };
    owner.say(1, ToNode::PresenceChanges(joined));
    owner.view(view_without(2, &["room:1"]));
    owner.view(view(3));
    assert_eq!(owner.shard.gauges().presence, 0);
}

#[test]
fn a_view_without_the_node_takes_everything() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.publish(1, publish("chat:1", 2, "b"));
    let (ticket, _) = owner.append();
    owner.view(view_where(version(2), |_| true));
    assert_eq!(owner.shard.gauges().slots, 1, "one append is in flight");
    owner.frames.clear();
    owner.answer(ticket, StoreAnswer::Appended(PartOutcome::Committed));
    assert_eq!(owner.published_to(1), [(2, 2)]);
    assert_eq!(owner.shard.gauges().slots, 0);
    assert_eq!(owner.settled, [2]);
}
