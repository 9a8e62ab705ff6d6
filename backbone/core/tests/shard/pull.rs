//! Pulls.

use std::time::Duration;

use trunkline_backbone_core::ShardConfig;
use trunkline_backbone_core::io::StoreRequest;
use trunkline_shared::frame::{Pulled, Refusal, ToEdge};
use trunkline_shared::limits::PIECE_BYTES_MAX;
use trunkline_shared::{Epoch, Offset, Publication};

use crate::support::*;

fn pulled(owner: &mut Owner, link: u64) -> Pulled {
    let answer = |frame| {
        if let ToEdge::Pulled(pulled) = frame {
            Some(pulled)
        } else {
            None
        }
    };
    owner
        .frames_to(link)
        .into_iter()
        .find_map(answer)
        .expect("the pull is answered")
}

fn numbered(count: usize) -> Vec<String> {
    (1..=count).map(|n| n.to_string()).collect()
}

#[test]
fn what_the_ring_has_is_not_read_from_the_store() {
    let mut owner = Owner::new();
    owner.subscribed(2, "chat:1", None);
    (1..=4).for_each(|n| owner.keep(1, "chat:1", n, "a"));
    owner.pull(2, "chat:1", EPOCH, 1);
    assert!(owner.requests.is_empty());
    let answer = pulled(&mut owner, 2);
    assert_eq!(
        (offsets(&answer.publications), answer.reached_head),
        (vec![2, 3, 4], true)
    );
}

#[test]
fn what_the_ring_has_not_is_read_and_joined_with_it() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["a", "b", "c"]);
    owner.subscribed(2, "chat:1", at(1));
    owner.pull(2, "chat:1", EPOCH, 1);
    let (ticket, request) = owner.asked();
    let StoreRequest::Range(range) = &request else {
        panic!("a range, not {request:?}")
    };
    assert_eq!(
        (range.from, range.to, range.descending),
        (Offset(2), Offset(3), false)
    );
    let answer = owner.disk.answer(&request);
    owner.keep(1, "chat:1", 1, "d");
    assert!(owner.pushes_to(2).is_empty());
    owner.answer(ticket, answer);
    let answer = pulled(&mut owner, 2);
    assert_eq!(
        (offsets(&answer.publications), answer.reached_head),
        (vec![2, 3, 4], true)
    );
    assert_eq!(answer.head, at(4).expect("a position"));
    owner.keep(1, "chat:1", 2, "e");
    assert_eq!(owner.pushes_to(2), [(5, "e".to_owned())]);
}

#[test]
fn a_pull_comes_in_pieces_and_only_the_last_ends_the_lag() {
    let mut owner = Owner::new();
    let texts = vec!["x".repeat(20_000); 10];
    owner.disk.store(
        "chat:1",
        9,
        &texts.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    owner.subscribed(2, "chat:1", at(0));
    let mut after = 0;
    let mut pieces = Vec::new();
    loop {
        owner.pull(2, "chat:1", EPOCH, after);
        owner.settle();
        let answer = pulled(&mut owner, 2);
        assert!(
            answer
                .publications
                .iter()
                .map(Publication::weight)
                .sum::<usize>()
                <= PIECE_BYTES_MAX
        );
        after = answer.publications.last().expect("progress").offset.0;
        pieces.push(offsets(&answer.publications));
        if answer.reached_head {
            break;
        }
    }
    assert_eq!(
        pieces,
        [vec![1, 2, 3], vec![4, 5, 6], vec![7, 8, 9], vec![10]]
    );
}

#[test]
fn a_publication_larger_than_a_piece_comes_alone() {
    let mut owner = Owner::new();
    let big = "x".repeat(PIECE_BYTES_MAX);
    let epoch = owner
        .subscribed(2, "live:1", None)
        .head
        .expect("a head")
        .epoch;
    owner.publish(1, publish("live:1", 1, &big));
    owner.publish(1, publish("live:1", 2, "small"));
    owner.pull(2, "live:1", epoch, 0);
    let answer = pulled(&mut owner, 2);
    assert_eq!(
        (offsets(&answer.publications), answer.reached_head),
        (vec![1], false)
    );
}

#[test]
fn what_size_excludes_is_not_given() {
    let mut owner = Owner::new();
    let texts = numbered(6);
    owner.disk.store(
        "few:1",
        9,
        &texts.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    owner.subscribed(2, "few:1", at(1));
    owner.pull(2, "few:1", EPOCH, 1);
    owner.settle();
    let answer = pulled(&mut owner, 2);
    assert_eq!(
        (offsets(&answer.publications), answer.reached_head),
        (vec![4, 5, 6], true)
    );
}

#[test]
fn what_is_below_the_floor_is_not_given() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["a", "b", "c"]);
    owner.disk.floors.insert(channel("chat:1"), 2);
    owner.subscribed(2, "chat:1", at(0));
    owner.pull(2, "chat:1", EPOCH, 0);
    owner.settle();
    let answer = pulled(&mut owner, 2);
    assert_eq!(
        (offsets(&answer.publications), answer.floor),
        (vec![3], Offset(2))
    );
}

#[test]
fn when_all_is_expired_the_answer_is_empty_and_reaches_the_head() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["a", "b", "c"]);
    owner.subscribed(2, "chat:1", at(0));
    owner.pass(Duration::from_secs(61));
    owner.pull(2, "chat:1", EPOCH, 0);
    owner.settle();
    let answer = pulled(&mut owner, 2);
    assert_eq!(
        (
            answer.publications.len(),
            answer.reached_head,
            answer.head.offset
        ),
        (0, true, Offset(3))
    );
}

#[test]
fn a_pull_of_another_epoch_begins_at_the_head() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["a", "b", "c"]);
    owner.subscribed(2, "chat:1", at(1));
    owner.pull(2, "chat:1", Epoch::new(1), 1);
    let answer = pulled(&mut owner, 2);
    assert_eq!(
        (answer.publications.len(), answer.reached_head, answer.head),
        (0, true, at(3).expect("a position"))
    );
    owner.keep(1, "chat:1", 1, "d");
    assert_eq!(owner.pushes_to(2).len(), 1, "the lag is over");
}

#[test]
fn a_pull_without_a_subscription_is_refused() {
    let mut owner = Owner::new();
    owner.subscribed(1, "live:1", None);
    owner.pull(2, "live:1", EPOCH, 0);
    owner.pull(2, "live:2", EPOCH, 0);
    assert_eq!(owner.refusals_to(2), [Refusal::Busy, Refusal::Busy]);
}

#[test]
fn a_pull_that_the_store_cannot_answer_leaves_the_lag() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["a", "b"]);
    owner.subscribed(2, "chat:1", at(1));
    owner.pull(2, "chat:1", EPOCH, 1);
    owner.unplug();
    assert_eq!(owner.refusals_to(2), [Refusal::StoreAway]);
    owner.keep(1, "chat:1", 1, "c");
    assert!(owner.pushes_to(2).is_empty());
}

#[test]
fn the_answer_of_an_old_link_is_not_sent_on_a_new_one() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["a", "b"]);
    owner.subscribed(2, "chat:1", at(1));
    owner.pull(2, "chat:1", EPOCH, 1);
    owner.down(2);
    owner.up(2, 12);
    owner.subscribed(12, "chat:1", at(1));
    owner.settle();
    assert!(owner.frames.is_empty());
    owner.keep(1, "chat:1", 1, "c");
    assert!(owner.pushes_to(12).is_empty(), "its lag goes on");
}

#[test]
fn a_hole_between_store_and_ring_leads_to_another_pull() {
    let mut owner = Owner::with(ShardConfig {
        ring_bytes_max: 300,
        ..ShardConfig::default()
    });
    owner.disk.store("chat:1", 9, &["a", "b"]);
    owner.subscribed(2, "chat:1", at(1));
    owner.pull(2, "chat:1", EPOCH, 1);
    let (ticket, request) = owner.asked();
    let answer = owner.disk.answer(&request);
    (1..=5).for_each(|n| owner.keep(1, "chat:1", n, "c"));
    owner.answer(ticket, answer);
    let answer = pulled(&mut owner, 2);
    assert_eq!(
        (offsets(&answer.publications), answer.reached_head),
        (vec![2], false)
    );
    owner.pull(2, "chat:1", EPOCH, 2);
    owner.settle();
    assert!(pulled(&mut owner, 2).reached_head);
}
