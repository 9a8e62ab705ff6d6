//! Resumes that the edge's own ring answers, and those that it leaves to the owner.

use super::*;
use trunkline_shared::frame::{Behind, HistoryPiece, Pulled};

/// An edge where channel `chat:1` stands at 9, and whose ring holds 6 to 9.
fn with_ring() -> Edge {
    with_ring_of(UpstreamConfig::default())
}

fn with_ring_of(config: UpstreamConfig) -> Edge {
    let mut edge = Edge::linked_with(config);
    edge.live(A, "chat:1", 5);
    for offset in 6..=9 {
        edge.push("chat:1", offset);
    }
    edge.forget_outputs();
    edge
}

/// Checks that a resume is answered at once, with no frame to the owner.
#[track_caller]
fn answered(edge: &mut Edge, recover: Recover, story: &str) {
    edge.sent.clear();
    edge.subscribe(B, "chat:1", Some(recover));
    assert_eq!(edge.take_story(B), [story]);
    assert_eq!(kinds(&edge.take_sent()), Vec::<&str>::new());
}

/// Checks that a resume is asked of the owner.
#[track_caller]
fn asked(edge: &mut Edge, recover: Recover) {
    edge.sent.clear();
    edge.subscribe(B, "chat:1", Some(recover));
    assert_eq!(edge.take_story(B), Vec::<String>::new());
    assert_eq!(kinds(&edge.take_sent()), ["history"]);
}

/// The pull that was sent, with its link.
fn take_pull(edge: &mut Edge) -> (LinkId, RequestId) {
    let sent: Vec<_> = edge.sent.drain(..).collect();
    let pull = sent.iter().find(|(_, _, frame)| kind(frame) == "pull");
    let (link, _, frame) = pull.expect("a pull was sent");
    (*link, request_of(frame))
}

/// Answers a pull up to the head.
fn answer_pull(
    edge: &mut Edge,
    (link, request): (LinkId, RequestId),
    head: u64,
    floor: u64,
    offsets: impl IntoIterator<Item = u64>,
) {
    let (slot, publications) = (slot("chat:1"), publications(offsets));
    edge.frame_on(
        link,
        ToEdge::Pulled(Pulled {
            request,
            slot,
            head: at(head),
            floor: Offset(floor),
            publications,
            reached_head: true,
        }),
    );
}

/// The owner says that the edge is behind; returns the pull that follows.
fn behind(edge: &mut Edge, head: u64, floor: u64) -> (LinkId, RequestId) {
    let (slot, channel) = (slot("chat:1"), named("chat:1"));
    edge.frame(ToEdge::Behind(Behind {
        slot,
        channel,
        head: at(head),
        floor: Offset(floor),
    }));
    take_pull(edge)
}

/// A new link comes up, on which the channel stands at `head`; returns the pull that follows.
fn relinked(edge: &mut Edge, head: u64) -> (LinkId, RequestId) {
    edge.link_up(2, 1);
    let known = edge.answer_subscribe(LinkId(2), Some(at(head)), true);
    assert_eq!(known, Some(at(9)), "it goes on where the ring ends");
    take_pull(edge)
}

#[test]
fn what_the_ring_holds_is_answered_without_a_trip() {
    let mut edge = with_ring();
    answered(&mut edge, recover(7), "subscribed 9 Some([8, 9])");
    answered(&mut edge, recover(5), "subscribed 9 Some([6, 7, 8, 9])");
    answered(&mut edge, recover(9), "subscribed 9 Some([])");
    edge.push("chat:1", 10);
    assert_eq!(edge.take_story(B), ["publication 10"]);
    let counters = edge.upstream.counters();
    assert_eq!(
        (counters.resumes_at_edge, counters.resumes_at_owner),
        (3, 0)
    );
}

#[test]
fn a_storm_of_resumes_inside_the_ring_sends_no_frame() {
    let mut edge = with_ring();
    for round in 0..5000 {
        edge.subscribe(B, "chat:1", Some(recover(5 + round % 5)));
    }
    assert_eq!(edge.take_told(B).len(), 5000);
    assert!(edge.take_sent().is_empty());
    assert_eq!(edge.upstream.counters().resumes_at_edge, 5000);
}

#[test]
fn a_channel_that_lingers_answers_from_its_ring() {
    let mut edge = with_ring();
    edge.unsubscribe(A, "chat:1");
    edge.push("chat:1", 10);
    answered(&mut edge, recover(8), "subscribed 10 Some([9, 10])");
}

#[test]
fn what_the_ring_does_not_hold_is_asked() {
    asked(&mut with_ring(), recover(4));
}

#[test]
fn what_is_above_the_ring_is_asked() {
    asked(&mut with_ring(), recover(10));
}

#[test]
fn another_epoch_is_not_answered_from_the_ring() {
    let mut edge = with_ring();
    let other = Recover {
        epoch: Some(OTHER_EPOCH),
        ..recover(7)
    };
    answered(&mut edge, other, "subscribed 9 None");
    edge.link_down(1);
    edge.subscribe(B, "chat:1", Some(other));
    assert!(
        edge.take_told(B).is_empty(),
        "the owner may be in it by now"
    );
}

#[test]
fn more_than_may_be_missed_is_refused_without_a_trip() {
    let mut edge = with_ring();
    let few = |after| Recover {
        limit: 3,
        ..recover(after)
    };
    answered(&mut edge, few(6), "subscribed 9 Some([7, 8, 9])");
    answered(&mut edge, few(5), "subscribed 9 None");
    answered(&mut edge, few(1), "subscribed 9 None");
}

#[test]
fn what_is_larger_than_an_answer_may_be_is_asked() {
    let one = publication(1, "1").weight();
    let bytes = u32::try_from(2 * one).expect("small");
    let mut edge = with_ring_of(UpstreamConfig {
        recovery_bytes_max: bytes,
        ..UpstreamConfig::default()
    });
    answered(&mut edge, recover(7), "subscribed 9 Some([8, 9])");
    asked(&mut edge, recover(6));
}

/// Gives the edge rules in which `chat` keeps so much.
fn keep(edge: &mut Edge, size: u32, ttl: Duration) {
    let chat = Namespace {
        name: "chat".to_owned(),
        class: Some(Class::Durable),
        history_size: size,
        history_ttl: ttl,
        ..Namespace::default()
    };
    let rules = Rules::new(2, vec![chat]).expect("good rules");
    let json = serde_json::to_vec(&rules).expect("rules are JSON");
    edge.frame(ToEdge::Rules(Payload::new(Bytes::from(json))));
    edge.forget_outputs();
}

#[test]
fn what_is_beyond_the_history_size_is_asked() {
    let mut edge = with_ring();
    keep(&mut edge, 3, Duration::from_secs(3600));
    answered(&mut edge, recover(6), "subscribed 9 Some([7, 8, 9])");
    asked(&mut edge, recover(5));
}

/// An edge with three publications of a second each, the last one just come, that are kept for ten seconds.
fn with_dated(wall: u64) -> Edge {
    let mut edge = Edge::linked();
    keep(&mut edge, 100, Duration::from_secs(10));
    edge.live(A, "chat:1", 0);
    for offset in 1..=3 {
        let publication = Publication {
            time: UnixMillis(100_000 + offset * 1000),
            ..publication(offset, "1")
        };
        edge.frame(ToEdge::Push(Push {
            slot: slot("chat:1"),
            channel: named("chat:1"),
            epoch: Some(EPOCH),
            publication,
        }));
        edge.advance(Duration::from_secs(u64::from(offset < 3)));
    }
    edge.now.unix = UnixMillis(wall);
    edge.forget_outputs();
    edge
}

#[test]
fn what_is_expired_by_the_owners_clock_is_asked_though_ours_is_behind() {
    let mut edge = with_dated(50_000);
    edge.advance(Duration::from_secs(8));
    answered(&mut edge, recover(0), "subscribed 3 Some([1, 2, 3])");
    edge.advance(Duration::from_secs(1));
    answered(&mut edge, recover(1), "subscribed 3 Some([2, 3])");
    asked(&mut edge, recover(0));
}

#[test]
fn a_clock_that_is_ahead_makes_the_owner_be_asked() {
    let mut edge = with_dated(112_500);
    answered(&mut edge, recover(2), "subscribed 3 Some([3])");
    asked(&mut edge, recover(1));
}

#[test]
fn at_the_top_nothing_can_be_expired() {
    let mut edge = with_dated(900_000);
    answered(&mut edge, recover(3), "subscribed 3 Some([])");
}

/// An edge without a ring; the owner answers a resume with nothing, and names the head.
#[track_caller]
fn nothing_is_kept(after: u64, head: u64, story: &str) {
    let mut edge = Edge::linked();
    edge.subscribe(B, "chat:1", Some(recover(after)));
    let question = edge
        .sent
        .iter()
        .find(|(.., frame)| kind(frame) == "history");
    let request = request_of(&question.expect("a history was asked").2);
    edge.answer_subscribe(LINK, Some(at(head)), false);
    edge.frame(ToEdge::History(HistoryPiece {
        request,
        slot: slot("chat:1"),
        head: at(head),
        floor: Offset::ZERO,
        publications: Vec::new(),
        last: true,
    }));
    assert_eq!(edge.take_story(B), [story]);
}

#[test]
fn at_the_head_nothing_is_missed_though_nothing_is_kept() {
    nothing_is_kept(9, 9, "subscribed 9 Some([])");
}

#[test]
fn below_the_head_what_is_not_kept_is_missed() {
    nothing_is_kept(8, 9, "subscribed 9 None");
}

#[test]
fn without_a_link_the_ring_still_answers_and_the_rest_follows() {
    let mut edge = with_ring();
    edge.link_down(1);
    edge.forget_outputs();
    answered(&mut edge, recover(7), "subscribed 9 Some([8, 9])");
    edge.subscribe(B, "chat:1", Some(recover(4)));
    edge.subscribe(B, "chat:1", None);
    assert!(edge.take_told(B).is_empty(), "these only the owner knows");
    edge.link_up(2, 1);
    assert_eq!(edge.take_kinds(), [(2, "subscribe"), (2, "history")]);
}

#[test]
fn what_came_while_the_link_was_away_is_pulled_behind_a_resume() {
    let mut edge = with_ring();
    edge.link_down(1);
    answered(&mut edge, recover(7), "subscribed 9 Some([8, 9])");
    let pull = relinked(&mut edge, 11);
    answer_pull(&mut edge, pull, 11, 0, 10..=11);
    assert_eq!(edge.take_story(B), ["publication 10", "publication 11"]);
}

#[test]
fn an_epoch_that_ended_while_the_link_was_away_is_told_behind_a_resume() {
    let mut edge = with_ring();
    edge.link_down(1);
    answered(&mut edge, recover(7), "subscribed 9 Some([8, 9])");
    edge.link_up(2, 1);
    edge.answer_subscribe(LinkId(2), Some(other_at(2)), false);
    assert_eq!(edge.take_story(B), ["epoch changed 2"]);
    let after_it = Recover {
        epoch: Some(OTHER_EPOCH),
        ..recover(2)
    };
    answered(&mut edge, after_it, "subscribed 2 Some([])");
    answered(&mut edge, recover(7), "subscribed 2 None");
}

#[test]
fn without_a_link_a_resume_that_names_no_epoch_waits() {
    let mut edge = with_ring();
    let any = Recover {
        epoch: None,
        ..recover(7)
    };
    answered(&mut edge, any, "subscribed 9 Some([8, 9])");
    edge.link_down(1);
    edge.subscribe(B, "chat:1", Some(any));
    assert!(edge.take_told(B).is_empty());
}

#[test]
fn a_channel_that_is_behind_answers_up_to_its_top_and_pulls_the_rest() {
    let mut edge = with_ring();
    let pull = behind(&mut edge, 12, 0);
    answered(&mut edge, recover(7), "subscribed 9 Some([8, 9])");
    answer_pull(&mut edge, pull, 12, 0, 10..=12);
    assert_eq!(
        edge.take_story(B),
        ["publication 10", "publication 11", "publication 12"]
    );
}

#[test]
fn a_jump_over_what_is_lost_is_told_behind_a_resume() {
    let mut edge = with_ring();
    let pull = behind(&mut edge, 12, 0);
    answered(&mut edge, recover(7), "subscribed 9 Some([8, 9])");
    answer_pull(&mut edge, pull, 12, 0, 12..=12);
    assert_eq!(edge.take_story(B), ["gap 11", "publication 12"]);
    asked(&mut edge, recover(9));
}

#[test]
fn a_floor_in_behind_makes_the_ring_forget() {
    let mut edge = with_ring();
    behind(&mut edge, 9, 7);
    answered(&mut edge, recover(7), "subscribed 9 Some([8, 9])");
    asked(&mut edge, recover(6));
}

#[test]
fn a_floor_in_a_pull_makes_the_ring_forget() {
    let mut edge = with_ring();
    let pull = behind(&mut edge, 10, 0);
    answer_pull(&mut edge, pull, 10, 8, [10]);
    answered(&mut edge, recover(8), "subscribed 10 Some([9, 10])");
    asked(&mut edge, recover(7));
}

#[test]
fn a_floor_in_the_answer_to_a_recovery_makes_the_ring_forget() {
    let mut edge = with_ring();
    edge.subscribe(B, "chat:1", Some(recover(4)));
    let request = request_of(&edge.take_sent()[0]);
    edge.frame(ToEdge::History(HistoryPiece {
        request,
        slot: slot("chat:1"),
        head: at(9),
        floor: Offset(8),
        publications: publications([9]),
        last: true,
    }));
    assert_eq!(edge.take_story(B), ["subscribed 9 None"]);
    answered(&mut edge, recover(8), "subscribed 9 Some([9])");
    asked(&mut edge, recover(7));
}

#[test]
fn a_floor_in_the_answer_to_a_subscribe_makes_the_ring_forget() {
    let mut edge = with_ring();
    edge.link_down(1);
    edge.link_up(2, 1);
    let request = request_of(&edge.take_sent()[0]);
    edge.frame_on(
        LinkId(2),
        ToEdge::Subscribed(Subscribed {
            request,
            slot: slot("chat:1"),
            head: Some(at(9)),
            floor: Offset(9),
            lagging: false,
        }),
    );
    answered(&mut edge, recover(9), "subscribed 9 Some([])");
    asked(&mut edge, recover(8));
}

#[test]
fn the_coldest_ring_is_emptied_first() {
    let one = publication(1, "1").weight();
    let mut edge = Edge::linked_with(UpstreamConfig {
        rings_bytes_max: 3 * one,
        ..UpstreamConfig::default()
    });
    for channel in ["chat:1", "chat:2", "chat:3"] {
        edge.live(A, channel, 5);
        edge.push(channel, 6);
        edge.advance(Duration::from_secs(2));
    }
    // A resume keeps the ring of the first warm: the second one is the coldest now.
    answered(&mut edge, recover(5), "subscribed 6 Some([6])");
    edge.push("chat:3", 7);
    edge.forget_outputs();
    answered(&mut edge, recover(5), "subscribed 6 Some([6])");
    edge.subscribe(B, "chat:2", Some(recover(5)));
    assert_eq!(kinds(&edge.take_sent()), ["history"]);
    let gauges = edge.upstream.gauges();
    assert_eq!((gauges.rings, gauges.rings_bytes), (2, 3 * one));
    assert_eq!(edge.upstream.counters().rings_evicted, 1);
}
