//! Channels whose head the store has let go: they go on after their slot's mark, and whoever stood before it is told.

use trunkline_backbone_core::ShardConfig;
use trunkline_backbone_core::io::{PartOutcome, StoreRequest};
use trunkline_shared::Offset;
use trunkline_shared::frame::{HistoryQuery, Pulled, ToEdge};

use crate::support::*;

/// An owner that holds `chat:1` at 1, with edge 2 subscribed; the store has let its head go, and another one at 7.
fn with_head_gone() -> Owner {
    let mut owner = Owner::new();
    owner.subscribed(2, "chat:1", None);
    owner.keep(1, "chat:1", 1, "a");
    owner.disk.forget("chat:1");
    owner.disk.raise_mark("chat:1", 7);
    owner.frames.clear();
    owner
}

fn pulled(owner: &mut Owner, after: u64) -> Pulled {
    owner.pull(2, "chat:1", EPOCH, after);
    owner.settle();
    let frames = owner.frames_to(2);
    let [ToEdge::Pulled(pulled)] = &frames[..] else {
        panic!("an answer is expected, not {frames:?}")
    };
    pulled.clone()
}

#[test]
fn a_channel_begins_after_its_slots_mark() {
    let mut owner = Owner::new();
    owner.disk.raise_mark("chat:1", 7);
    let subscribed = owner.subscribed(2, "chat:1", None);
    assert_eq!((subscribed.head, subscribed.floor), (at(7), Offset(7)));
    owner.keep(1, "chat:1", 1, "a");
    assert_eq!(owner.published_to(1), [(1, 8)]);
    assert_eq!(owner.pushes_to(2), [(8, "a".to_owned())]);
}

#[test]
fn an_owner_that_holds_a_head_which_has_gone_goes_on_after_the_mark() {
    let mut owner = with_head_gone();
    owner.publish(1, publish("chat:1", 2, "b"));
    assert!(matches!(owner.serve(), StoreRequest::Append(_)));
    assert!(
        matches!(owner.serve(), StoreRequest::Claim(_)),
        "it was refused"
    );
    owner.settle();
    assert_eq!(owner.published_to(1), [(2, 8)]);
    assert_eq!(owner.disk.texts("chat:1"), ["b"]);
    assert_eq!(owner.shard.counters().epochs_begun, 0, "nothing was lost");
}

#[test]
fn subscribers_before_the_mark_are_pushed_nothing_and_told_of_it() {
    let mut owner = with_head_gone();
    owner.keep(1, "chat:1", 2, "b");
    let frames = owner.frames_to(2);
    let [ToEdge::Behind(behind)] = &frames[..] else {
        panic!("a behind is expected, not {frames:?}")
    };
    assert_eq!(behind.floor, Offset(7));
    let pulled = pulled(&mut owner, 1);
    assert_eq!(
        (pulled.floor, offsets(&pulled.publications)),
        (Offset(7), vec![8])
    );
    assert!(pulled.reached_head);
    owner.keep(1, "chat:1", 3, "c");
    assert_eq!(owner.pushes_to(2), [(9, "c".to_owned())]);
}

#[test]
fn a_head_that_has_gone_at_the_mark_itself_leaves_everybody_where_he_was() {
    let mut owner = Owner::new();
    owner.subscribed(2, "chat:1", None);
    owner.keep(1, "chat:1", 1, "a");
    owner.disk.forget("chat:1");
    owner.frames.clear();
    owner.keep(1, "chat:1", 2, "b");
    assert_eq!(owner.published_to(1), [(2, 2)]);
    assert_eq!(owner.pushes_to(2), [(2, "b".to_owned())]);
    assert_eq!(owner.shard.counters().appends_refused, 0);
}

#[test]
fn a_position_before_the_mark_is_no_loss_and_hears_of_the_gap() {
    let mut owner = Owner::new();
    owner.disk.raise_mark("chat:1", 7);
    let subscribed = owner.subscribed(2, "chat:1", at(3));
    assert_eq!((subscribed.head, subscribed.lagging), (at(7), true));
    let pulled = pulled(&mut owner, 3);
    assert_eq!(pulled.head, at(7).expect("a position"));
    assert!(pulled.publications.is_empty() && pulled.reached_head);
    assert_eq!(owner.shard.counters().epochs_begun, 0);
}

#[test]
fn a_position_at_the_mark_has_missed_nothing() {
    let mut owner = Owner::new();
    owner.disk.raise_mark("chat:1", 7);
    let subscribed = owner.subscribed(2, "chat:1", at(7));
    assert_eq!((subscribed.head, subscribed.lagging), (at(7), false));
}

#[test]
fn a_position_above_the_mark_is_a_loss() {
    let mut owner = Owner::new();
    owner.disk.raise_mark("chat:1", 7);
    let subscribed = owner.subscribed(2, "chat:1", at(8));
    let epoch = subscribed.head.map(|head| head.epoch);
    assert_ne!(epoch, Some(EPOCH));
    assert_eq!(owner.shard.counters().epochs_begun, 1);
}

#[test]
fn an_unknown_append_is_not_taken_for_kept_because_a_mark_stands_where_it_would() {
    let mut owner = Owner::new();
    owner.subscribed(2, "chat:1", None);
    owner.publish(1, publish("chat:1", 1, "a"));
    owner.publish(1, publish("chat:1", 2, "b"));
    let (ticket, part) = owner.append();
    let last = part.channels[0]
        .messages
        .last()
        .map(|last| last.publication.offset);
    owner.disk.raise_mark("chat:1", last.unwrap_or_default().0);
    owner.outcome(ticket, PartOutcome::Unknown);
    owner.settle();
    assert_eq!(owner.disk.texts("chat:1"), ["a", "b"], "nobody had them");
    assert_eq!(owner.published_to(1), [(1, 2), (2, 3)]);
    assert_eq!(owner.shard.counters().unknown_kept, 0);
}

#[test]
fn a_history_below_the_mark_is_empty_and_removing_it_does_no_harm() {
    let mut owner = Owner::new();
    owner.disk.raise_mark("chat:1", 7);
    let query = HistoryQuery::Forward {
        after: Offset(0),
        limit: 10,
    };
    owner.history(1, "chat:1", query, 1 << 20);
    owner.settle();
    let frames = owner.frames_to(1);
    let [ToEdge::History(history)] = &frames[..] else {
        panic!("a history is expected, not {frames:?}")
    };
    assert!(history.publications.is_empty());
    owner.remove_history(1, "chat:1");
    owner.settle();
    owner.keep(1, "chat:1", 1, "a");
    assert_eq!(owner.disk.head(&channel("chat:1")).offset, Offset(8));
}

#[test]
fn a_channel_that_left_memory_is_read_again_at_the_mark() {
    let mut owner = Owner::with(ShardConfig {
        channels_max: 1,
        ..ShardConfig::default()
    });
    owner.keep(1, "chat:1", 1, "a");
    owner.disk.forget("chat:1");
    owner.disk.raise_mark("chat:1", 7);
    owner.keep(1, "chat:2", 2, "b");
    owner.keep(1, "chat:1", 3, "c");
    assert_eq!(owner.disk.head(&channel("chat:1")).offset, Offset(8));
    assert_eq!(owner.shard.counters().appends_refused, 0);
}
