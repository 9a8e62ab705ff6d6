//! Requests of workers to owners, and the room of their answers.

use super::*;
use trunkline_shared::frame::{HistoryPiece, HistoryQuery, PresencePiece, Refusal};

const ALL: HistoryQuery = HistoryQuery::Forward {
    after: Offset::ZERO,
    limit: 100,
};

fn history(edge: &mut Edge, channel: &str) {
    let (ticket, deadline) = (edge.ticket(), edge.deadline());
    let channel = named(channel);
    edge.worker(
        A,
        ToUpstream::History {
            ticket,
            deadline,
            channel,
            query: ALL,
            bytes_max: 1000,
        },
    );
}

fn piece(request: RequestId, offsets: impl IntoIterator<Item = u64>, last: bool) -> ToEdge {
    let (slot, publications) = (slot("chat:1"), publications(offsets));
    ToEdge::History(HistoryPiece {
        request,
        slot,
        head: at(9),
        floor: Offset::ZERO,
        publications,
        last,
    })
}

#[test]
fn history_is_collected_until_its_last_piece() {
    let mut edge = Edge::linked();
    history(&mut edge, "chat:1");
    let request = request_of(&edge.take_sent()[0]);
    edge.frame(piece(request, [7, 8], false));
    assert!(edge.take_told(A).is_empty());
    edge.frame(piece(request, [9], true));
    assert_eq!(edge.take_story(A), ["history 9 [7, 8, 9]"]);
    assert_eq!(edge.upstream.gauges().answer_room_bytes, 0);
}

#[test]
fn presence_and_its_numbers_are_answered() {
    let mut edge = Edge::linked();
    let (channel, slot) = (named("chat:1"), slot("chat:1"));
    let (ticket, deadline) = (edge.ticket(), edge.deadline());
    edge.worker(
        A,
        ToUpstream::Presence {
            ticket,
            deadline,
            channel: channel.clone(),
        },
    );
    let ticket = edge.ticket();
    edge.worker(
        A,
        ToUpstream::PresenceStats {
            ticket,
            deadline,
            channel,
        },
    );
    let sent = edge.take_sent();
    assert_eq!(kinds(&sent), ["presence", "presence stats"]);
    let request = request_of(&sent[0]);
    for last in [false, true] {
        let clients = vec![presence::client("c1")];
        edge.frame(ToEdge::Presence(PresencePiece {
            request,
            slot,
            clients,
            last,
        }));
    }
    edge.frame(ToEdge::PresenceStats {
        request: request_of(&sent[1]),
        slot,
        clients: 2,
        users: 1,
    });
    assert_eq!(edge.take_story(A), ["presence 2", "stats 2 1"]);
}

#[test]
fn any_linked_node_is_asked_for_the_edges() {
    let mut edge = Edge::linked();
    let (ticket, deadline) = (edge.ticket(), edge.deadline());
    edge.worker(A, ToUpstream::Info { ticket, deadline });
    let (_, stream, frame) = edge.sent.pop().expect("it was sent");
    assert_eq!(stream, StreamId::Control);
    edge.frame(ToEdge::Info {
        request: request_of(&frame),
        edges: Vec::new(),
    });
    assert_eq!(edge.take_story(A), ["info 0"]);
}

#[test]
fn a_request_of_a_lost_link_is_asked_again_under_a_new_id() {
    let mut edge = Edge::linked();
    history(&mut edge, "chat:1");
    let old = request_of(&edge.take_sent()[0]);
    edge.frame(piece(old, [7], false));
    edge.link_down(1);
    edge.link_up(2, 1);
    let new = request_of(&edge.take_sent()[0]);
    assert_ne!(new, old);
    edge.frame_on(LinkId(2), piece(old, [1, 2, 3], true));
    assert!(
        edge.take_told(A).is_empty(),
        "an old request's answer says nothing"
    );
    edge.frame_on(LinkId(2), piece(new, [7, 8, 9], true));
    assert_eq!(edge.take_story(A), ["history 9 [7, 8, 9]"]);
}

#[test]
fn a_request_whose_time_is_over_is_refused_and_its_late_answer_ignored() {
    let mut edge = Edge::linked();
    history(&mut edge, "chat:1");
    let request = request_of(&edge.take_sent()[0]);
    edge.advance(Duration::from_secs(4));
    assert_eq!(edge.take_story(A), [refused(RefusedBecause::Temporary)]);
    assert!(
        edge.upstream.gauges().answer_room_bytes > 0,
        "its answer may still come"
    );
    edge.frame(piece(request, [9], true));
    assert!(edge.take_told(A).is_empty());
    assert_eq!(edge.upstream.gauges().answer_room_bytes, 0);
}

#[test]
fn a_request_waits_for_the_room_of_its_answer() {
    let mut edge = Edge::linked_with(UpstreamConfig {
        answer_room_bytes: 100_000,
        ..UpstreamConfig::default()
    });
    for _ in 0..3 {
        history(&mut edge, "chat:1");
    }
    for _ in 0..3 {
        let sent = edge.take_sent();
        assert_eq!(sent.len(), 1);
        edge.frame(piece(request_of(&sent[0]), [9], true));
    }
    assert_eq!(edge.take_told(A).len(), 3);
}

#[test]
fn a_request_waits_for_room_on_its_lane() {
    let mut edge = Edge::linked_with(UpstreamConfig {
        lane_queue_bytes: 200,
        ..UpstreamConfig::default()
    });
    edge.stuck.insert(LINK);
    history(&mut edge, "chat:1");
    history(&mut edge, "chat:1");
    assert_eq!(edge.sent.len(), 1);
    edge.unstick();
    assert_eq!(edge.sent.len(), 2);
}

#[test]
fn a_moved_request_is_asked_again_of_the_new_owner() {
    let mut edge = Edge::linked();
    edge.link_up(2, 2);
    history(&mut edge, "chat:1");
    let request = request_of(&edge.take_sent()[0]);
    let refusal = Refusal::Moved {
        version: version(2),
    };
    edge.frame(ToEdge::Refused {
        request,
        slot: slot("chat:1"),
        refusal,
    });
    assert!(edge.take_sent().is_empty());
    edge.frame(ToEdge::View(view(2, &[2, 1])));
    assert_eq!(edge.take_kinds(), [(2, "history")]);
}

#[test]
fn refusals_of_requests_are_named() {
    let named = [
        (Refusal::StoreAway, RefusedBecause::Temporary),
        (Refusal::Busy, RefusedBecause::Temporary),
        (Refusal::UnknownChannel, RefusedBecause::UnknownChannel),
        (Refusal::NotAvailable, RefusedBecause::NotAvailable),
    ];
    for (refusal, because) in named {
        let mut edge = Edge::linked();
        history(&mut edge, "chat:1");
        let request = request_of(&edge.take_sent()[0]);
        edge.frame(ToEdge::Refused {
            request,
            slot: slot("chat:1"),
            refusal,
        });
        assert_eq!(edge.take_story(A), [refused(because)]);
    }
}

#[test]
fn beyond_the_table_a_request_is_refused_at_once() {
    let mut edge = Edge::linked_with(UpstreamConfig {
        waiting_max: 1,
        ..UpstreamConfig::default()
    });
    history(&mut edge, "chat:1");
    history(&mut edge, "chat:2");
    assert_eq!(edge.take_story(A), [refused(RefusedBecause::Temporary)]);
}

#[test]
fn a_worker_that_was_never_added_is_not_heard() {
    let mut edge = Edge::linked();
    edge.publish(WorkerId(9), "chat:1", "1");
    edge.subscribe(WorkerId(9), "chat:1", None);
    assert!(edge.take_sent().is_empty());
}

#[test]
fn one_seed_gives_one_run() {
    let run = || {
        let mut edge = Edge::linked();
        edge.live(A, "chat:1", 5);
        edge.advance(Duration::from_secs(120));
        format!("{:?}", edge.sent)
    };
    assert_eq!(run(), run());
}
