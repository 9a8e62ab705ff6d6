//! Publishes that skip history: given to who is there at most once, beside a numbering that they don't touch.

use trunkline_shared::StreamId;
use trunkline_shared::frame::{Publish, ToEdge, ToNode};

use crate::support::*;

/// Publishes without history; no answer comes to any link.
fn pass(owner: &mut Owner, link: u64, publish: Publish) {
    owner.say(link, ToNode::PublishUnkept(publish));
}

#[test]
fn what_skips_history_is_pushed_at_once_without_a_place_and_an_answer() {
    for name in ["chat:1", "live:1", "cursors:1"] {
        let mut owner = Owner::new();
        owner.subscribed(2, name, None);
        pass(&mut owner, 1, publish(name, 1, "a"));
        let (link, stream, frame) = owner.frames.pop_front().expect("a push");
        assert_eq!((link, stream), (2, StreamId::Ephemeral), "{name}");
        let ToEdge::Push(push) = frame else {
            panic!("a push, not {frame:?}")
        };
        assert_eq!((push.epoch, push.publication.offset.0), (None, 0));
        assert_eq!(push.publication.time, owner.now.unix);
        assert!(owner.frames.is_empty() && owner.requests.is_empty());
    }
}

#[test]
fn the_numbering_goes_on_as_if_it_had_not_been() {
    for name in ["chat:1", "live:1"] {
        let mut owner = Owner::new();
        owner.subscribed(2, name, None);
        owner.publish(1, publish(name, 1, "a"));
        owner.settle();
        pass(&mut owner, 1, publish(name, 2, "between"));
        owner.publish(1, publish(name, 3, "b"));
        owner.settle();
        let pushed = [(1, "a"), (0, "between"), (2, "b")];
        let pushed = pushed.map(|(offset, text)| (offset, text.to_owned()));
        assert_eq!(owner.pushes_to(2), pushed, "{name}");
    }
}

#[test]
fn it_waits_for_no_append_and_no_store() {
    let mut owner = Owner::new();
    owner.subscribed(2, "chat:1", None);
    owner.publish(1, publish("chat:1", 1, "a"));
    let _unanswered = owner.append();
    pass(&mut owner, 1, publish("chat:1", 2, "b"));
    assert_eq!(owner.pushes_to(2), [(0, "b".to_owned())]);
}

#[test]
fn what_is_not_the_owners_is_dropped_and_counted() {
    let mut owner = Owner::new();
    let elsewhere = Publish {
        slot: slot("chat:1"),
        ..publish("cursors:1", 1, "a")
    };
    let unknown = Publish {
        channel: channel("nosuch:1"),
        ..publish("chat:1", 2, "b")
    };
    pass(&mut owner, 1, elsewhere);
    pass(&mut owner, 1, unknown);
    assert!(owner.frames.is_empty());
    assert_eq!(owner.shard.counters().ephemeral_refused, 2);
}

#[test]
fn a_key_is_taken_once_among_those_that_skip_history() {
    for name in ["chat:1", "live:1", "cursors:1"] {
        let mut owner = Owner::new();
        owner.subscribed(2, name, None);
        pass(&mut owner, 1, keyed(name, 1, "a", "k"));
        pass(&mut owner, 1, keyed(name, 2, "again", "k"));
        pass(&mut owner, 1, keyed(name, 3, "b", "other"));
        let pushed = [(0, "a".to_owned()), (0, "b".to_owned())];
        assert_eq!(owner.pushes_to(2), pushed, "{name}");
        assert_eq!(owner.shard.counters().keys_found, 1);
    }
}

#[test]
fn the_key_of_one_that_is_kept_still_names_it_after_one_that_skips_history() {
    for name in ["chat:1", "live:1"] {
        let mut owner = Owner::new();
        owner.subscribed(2, name, None);
        pass(&mut owner, 1, keyed(name, 1, "before", "k"));
        owner.publish(1, keyed(name, 2, "kept", "k"));
        owner.settle();
        pass(&mut owner, 1, keyed(name, 3, "after", "k"));
        owner.publish(1, keyed(name, 4, "again", "k"));
        owner.settle();
        assert_eq!(owner.published_to(1), [(2, 1), (4, 1)], "{name}");
        let pushed = [(0, "before".to_owned()), (1, "kept".to_owned())];
        assert_eq!(owner.pushes_to(2), pushed, "{name}");
    }
}
