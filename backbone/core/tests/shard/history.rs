//! History.

use std::time::Duration;

use trunkline_backbone_core::ShardConfig;
use trunkline_backbone_core::io::StoreRequest;
use trunkline_shared::frame::{HistoryPiece, HistoryQuery, Refusal, ToEdge};
use trunkline_shared::limits::PIECE_BYTES_MAX;
use trunkline_shared::{Offset, Publication};

use crate::support::*;

const ALL: u32 = 1 << 20;

fn pieces(owner: &mut Owner) -> Vec<HistoryPiece> {
    let piece = |frame| {
        if let ToEdge::History(piece) = frame {
            Some(piece)
        } else {
            None
        }
    };
    owner.frames_to(1).into_iter().filter_map(piece).collect()
}

/// The offsets of the whole answer, and the head that it names.
fn ask(owner: &mut Owner, name: &str, query: HistoryQuery, bytes_max: u32) -> (Vec<u64>, u64) {
    owner.history(1, name, query, bytes_max);
    owner.settle();
    let pieces = pieces(owner);
    assert!(pieces.last().expect("an answer").last);
    let all: Vec<Publication> = pieces
        .iter()
        .flat_map(|piece| piece.publications.clone())
        .collect();
    (offsets(&all), pieces[0].head.offset.0)
}

fn forward(after: u64, limit: u32) -> HistoryQuery {
    HistoryQuery::Forward {
        after: Offset(after),
        limit,
    }
}

fn backward(before: Option<u64>, limit: u32) -> HistoryQuery {
    HistoryQuery::Backward {
        before: before.map(Offset),
        limit,
    }
}

fn newest(after: u64, limit: u32) -> HistoryQuery {
    HistoryQuery::Newest {
        after: Offset(after),
        limit,
    }
}

fn check_queries(owner: &mut Owner, name: &str) {
    for (query, expected) in [
        (HistoryQuery::Position, vec![]),
        (forward(0, 3), vec![1, 2, 3]),
        (forward(4, 9), vec![5, 6]),
        (forward(6, 9), vec![]),
        (forward(0, 0), vec![]),
        (backward(None, 2), vec![6, 5]),
        (backward(Some(4), 9), vec![3, 2, 1]),
        (backward(Some(1), 9), vec![]),
        (backward(Some(0), 9), vec![]),
        (backward(Some(99), 1), vec![6]),
        (newest(0, 2), vec![5, 6]),
        (newest(3, 9), vec![4, 5, 6]),
        (newest(6, 9), vec![]),
        (newest(u64::MAX, 9), vec![]),
    ] {
        assert_eq!(ask(owner, name, query, ALL), (expected, 6), "{query:?}");
    }
}

#[test]
fn every_query_is_answered_from_the_ring() {
    let mut owner = Owner::new();
    (1..=6).for_each(|n| owner.publish(2, publish("live:1", n, "a")));
    check_queries(&mut owner, "live:1");
    assert!(owner.requests.is_empty());
}

#[test]
fn every_query_is_answered_from_the_store() {
    let mut owner = Owner::new();
    owner
        .disk
        .store("chat:1", 9, &["1", "2", "3", "4", "5", "6"]);
    check_queries(&mut owner, "chat:1");
}

#[test]
fn every_query_is_answered_from_ring_and_store() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["1", "2", "3"]);
    (1..=3).for_each(|n| owner.keep(2, "chat:1", n, "a"));
    check_queries(&mut owner, "chat:1");
}

#[test]
fn the_newest_ones_need_no_store_when_the_ring_has_them() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["1", "2", "3"]);
    (1..=3).for_each(|n| owner.keep(2, "chat:1", n, "a"));
    owner.history(1, "chat:1", newest(0, 3), ALL);
    owner.history(1, "chat:1", backward(None, 3), ALL);
    owner.history(1, "chat:1", forward(3, 3), ALL);
    assert!(owner.requests.is_empty());
}

#[test]
fn size_excludes_what_is_older() {
    let mut owner = Owner::new();
    owner.disk.store("few:1", 9, &["1", "2", "3", "4", "5"]);
    assert_eq!(
        ask(&mut owner, "few:1", forward(0, 9), ALL),
        (vec![3, 4, 5], 5)
    );
    assert_eq!(
        ask(&mut owner, "few:1", backward(None, 9), ALL),
        (vec![5, 4, 3], 5)
    );
    assert_eq!(
        ask(&mut owner, "few:1", newest(0, 9), ALL),
        (vec![3, 4, 5], 5)
    );
}

#[test]
fn a_position_at_the_head_stays_good_when_everything_has_expired() {
    let mut owner = Owner::new();
    (1..=3).for_each(|n| owner.keep(2, "chat:1", n, "a"));
    (1..=3).for_each(|n| owner.publish(2, publish("live:1", n, "a")));
    let heads = ["chat:1", "live:1"].map(|name| owner.subscribed(1, name, None).head);
    owner.pass(TTL + Duration::from_secs(3600));
    for (name, head) in ["chat:1", "live:1"].into_iter().zip(heads) {
        let subscribed = owner.subscribed(3, name, head);
        assert_eq!(
            (subscribed.head, subscribed.lagging),
            (head, false),
            "{name}"
        );
        assert_eq!(head.map(|head| head.offset), Some(Offset(3)));
        assert_eq!(
            ask(&mut owner, name, newest(3, 9), ALL),
            (vec![], 3),
            "{name}"
        );
        assert_eq!(
            ask(&mut owner, name, newest(0, 9), ALL),
            (vec![], 3),
            "{name}"
        );
    }
}

#[test]
fn an_owner_that_begins_where_everything_has_expired_goes_on_in_the_epoch() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["1", "2", "3"]);
    owner.pass(TTL + Duration::from_secs(3600));
    let subscribed = owner.subscribed(1, "chat:1", at(3));
    assert_eq!((subscribed.head, subscribed.lagging), (at(3), false));
    assert_eq!(ask(&mut owner, "chat:1", newest(3, 9), ALL), (vec![], 3));
    owner.keep(2, "chat:1", 1, "4");
    assert_eq!(ask(&mut owner, "chat:1", newest(3, 9), ALL), (vec![4], 4));
}

#[test]
fn the_floor_excludes_what_is_below_it() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["1", "2", "3"]);
    owner.disk.floors.insert(channel("chat:1"), 2);
    assert_eq!(ask(&mut owner, "chat:1", forward(0, 9), ALL), (vec![3], 3));
}

#[test]
fn bytes_cut_the_end_of_what_was_asked() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["1", "2", "3"]);
    (1..=3).for_each(|n| owner.publish(2, publish("live:1", n, "a")));
    for name in ["live:1", "chat:1"] {
        assert_eq!(
            ask(&mut owner, name, forward(0, 9), 300).0,
            [1, 2],
            "{name}"
        );
        assert_eq!(
            ask(&mut owner, name, backward(None, 9), 300).0,
            [3, 2],
            "{name}"
        );
        assert_eq!(
            ask(&mut owner, name, newest(0, 9), 300).0,
            [2, 3],
            "{name}: the newest are kept"
        );
        assert_eq!(ask(&mut owner, name, forward(0, 9), 10).0, [0; 0], "{name}");
    }
}

#[test]
fn a_long_answer_comes_in_pieces_of_one_step_and_one_head() {
    let mut owner = Owner::new();
    (1..=10).for_each(|n| owner.publish(2, publish("live:1", n, &"x".repeat(20_000))));
    owner.history(1, "live:1", forward(0, 100), ALL);
    let pieces = pieces(&mut owner);
    let lengths: Vec<_> = pieces
        .iter()
        .map(|piece| piece.publications.len())
        .collect();
    assert_eq!(lengths, [3, 3, 3, 1]);
    let lasts: Vec<_> = pieces.iter().map(|piece| piece.last).collect();
    assert_eq!(lasts, [false, false, false, true]);
    assert!(pieces.iter().all(|piece| piece.head == pieces[0].head));
    let weight = |piece: &HistoryPiece| {
        piece
            .publications
            .iter()
            .map(Publication::weight)
            .sum::<usize>()
    };
    assert!(pieces.iter().all(|piece| weight(piece) <= PIECE_BYTES_MAX));
}

#[test]
fn the_newest_cover_what_came_during_the_read() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["1", "2", "3"]);
    owner.subscribed(1, "chat:1", None);
    owner.history(1, "chat:1", newest(0, 4), ALL);
    let (ticket, request) = owner.asked();
    let answer = owner.disk.answer(&request);
    owner.keep(2, "chat:1", 1, "4");
    owner.keep(2, "chat:1", 2, "5");
    owner.frames.clear();
    owner.answer(ticket, answer);
    let pieces = pieces(&mut owner);
    assert_eq!(
        (offsets(&pieces[0].publications), pieces[0].head.offset),
        (vec![2, 3, 4, 5], Offset(5))
    );
}

#[test]
fn a_hole_during_the_read_is_read_again_once() {
    let mut owner = Owner::with(ShardConfig {
        ring_bytes_max: 1,
        ..ShardConfig::default()
    });
    owner.disk.store("chat:1", 9, &["1", "2"]);
    owner.history(1, "chat:1", newest(0, 9), ALL);
    owner.serve();
    let mut counter = 0;
    for _ in 0..2 {
        let (ticket, request) = owner.asked();
        assert!(matches!(request, StoreRequest::Range(_)));
        let answer = owner.disk.answer(&request);
        for _ in 0..2 {
            counter += 1;
            owner.keep(2, "chat:1", counter, "x");
        }
        owner.answer(ticket, answer);
    }
    let pieces = pieces(&mut owner);
    let complete = (offsets(&pieces[0].publications), pieces[0].head.offset);
    assert_eq!(
        complete,
        (vec![1, 2, 3, 4], Offset(4)),
        "complete up to the head that it names"
    );
}

#[test]
fn forward_and_backward_name_the_head_up_to_which_they_were_read() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["1", "2"]);
    owner.history(1, "chat:1", forward(0, 9), ALL);
    owner.serve();
    let (ticket, request) = owner.asked();
    let answer = owner.disk.answer(&request);
    owner.keep(2, "chat:1", 1, "3");
    owner.answer(ticket, answer);
    let pieces = pieces(&mut owner);
    assert_eq!(
        (offsets(&pieces[0].publications), pieces[0].head.offset),
        (vec![1, 2], Offset(2))
    );
}

#[test]
fn a_store_that_is_away_leaves_what_the_ring_has() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["1"]);
    owner.keep(2, "chat:1", 1, "2");
    owner.history(1, "chat:1", newest(1, 9), ALL);
    assert_eq!(pieces(&mut owner).len(), 1);
    owner.history(1, "chat:1", newest(0, 9), ALL);
    owner.unplug();
    assert_eq!(owner.refusals_to(1), [Refusal::StoreAway]);
}
