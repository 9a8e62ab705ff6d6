//! Repeats of durable publishes.

use trunkline_backbone_core::io::{PartOutcome, StoreAnswer, StoreRequest};
use trunkline_shared::Offset;
use trunkline_shared::frame::Refusal;
use trunkline_store_core::AllFound;

use crate::support::*;

#[test]
fn a_repeat_is_stored_once() {
    let mut owner = Owner::new();
    owner.subscribed(2, "chat:1", None);
    owner.keep(1, "chat:1", 1, "a");
    owner.frames.clear();
    owner.publish(1, repeat("chat:1", 1, "a"));
    owner.settle();
    assert_eq!(owner.published_to(1), [(1, 1)]);
    assert_eq!(owner.disk.texts("chat:1"), ["a"]);
    assert!(owner.pushes_to(2).is_empty(), "it isn't delivered again");
}

#[test]
fn a_repeat_that_was_never_taken_is_taken() {
    let mut owner = Owner::new();
    owner.publish(1, repeat("chat:1", 1, "a"));
    owner.settle();
    assert_eq!(owner.disk.texts("chat:1"), ["a"]);
    assert_eq!(owner.published_to(1), [(1, 1)]);
}

#[test]
fn a_first_sending_is_not_looked_up() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.publish(1, publish("chat:1", 2, "b"));
    owner.append();
}

#[test]
fn what_comes_behind_a_repeat_waits_for_its_look_up() {
    let mut owner = Owner::new();
    owner.keep(1, "pair:x:a", 1, "a");
    owner.keep(2, "pair:x:b", 1, "b");
    owner.publish(1, repeat("pair:x:a", 2, "c"));
    owner.publish(2, publish("pair:x:b", 2, "d"));
    let (ticket, request) = owner.asked();
    let StoreRequest::Find(find) = request else {
        panic!("a look-up is expected, not {request:?}")
    };
    assert_eq!(find.ids, [(slot("pair:x:a"), id(1, 2))]);
    owner.answer(ticket, StoreAnswer::Found(Ok(AllFound::default())));
    let (_, part) = owner.append();
    let channels: Vec<_> = part
        .channels
        .iter()
        .map(|append| append.channel.as_str())
        .collect();
    assert_eq!(
        channels,
        ["pair:x:a", "pair:x:b"],
        "in the order of arrival"
    );
}

#[test]
fn many_repeats_are_looked_up_in_one_query() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    (2..=6).for_each(|counter| owner.publish(1, repeat("chat:1", counter, "b")));
    owner.publish(1, repeat("chat:2", 7, "c"));
    owner
        .requests
        .retain(|(_, request)| matches!(request, StoreRequest::Find(_)));
    owner.serve();
    owner
        .requests
        .retain(|(_, request)| matches!(request, StoreRequest::Find(_)));
    let (_, request) = owner.asked();
    assert!(
        matches!(request, StoreRequest::Find(find) if find.ids.len() == 5),
        "what queued up goes in the next"
    );
}

#[test]
fn a_repeat_of_what_is_in_flight_is_answered_along_with_it() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.publish(1, publish("chat:1", 2, "b"));
    let (ticket, _) = owner.append();
    owner.down(1);
    owner.up(1, 11);
    owner.publish(11, repeat("chat:1", 2, "b"));
    assert!(owner.requests.is_empty(), "it isn't looked up");
    owner.outcome(ticket, PartOutcome::Committed);
    assert_eq!(owner.published_to(11), [(2, 2)]);
    assert!(owner.requests.is_empty());
}

#[test]
fn a_repeat_of_what_waits_is_answered_along_with_it() {
    let mut owner = Owner::new();
    owner.publish(1, publish("chat:1", 1, "a"));
    owner.publish(1, repeat("chat:1", 1, "a"));
    owner.settle();
    assert_eq!(owner.published_to(1), [(1, 1)]);
    assert_eq!(owner.disk.texts("chat:1"), ["a"]);
}

#[test]
fn a_look_up_that_the_store_cannot_do_is_refused_and_what_came_behind_it_is_sent_again() {
    let mut owner = Owner::new();
    owner.keep(1, "chat:1", 1, "a");
    owner.frames.clear();
    owner.publish(1, repeat("chat:1", 2, "b"));
    owner.publish(1, publish("chat:1", 3, "c"));
    let (ticket, _) = owner.asked();
    owner.answer(ticket, StoreAnswer::Found(Err(away())));
    assert_eq!(
        owner.refusals_to(1),
        [Refusal::StoreAway, Refusal::StaleView]
    );
    owner.publish(1, repeat("chat:1", 3, "c"));
    owner.settle();
    assert_eq!(owner.published_to(1), [(3, 2)], "without the other");
}

#[test]
fn repeats_and_new_ones_keep_their_order() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 1, &["a", "b"]);
    (1..=4).for_each(|counter| {
        owner.publish(
            1,
            repeat(
                "chat:1",
                counter,
                ["a", "b", "c", "d"][counter as usize - 1],
            ),
        )
    });
    owner.publish(1, publish("chat:1", 5, "e"));
    owner.settle();
    assert_eq!(owner.disk.texts("chat:1"), ["a", "b", "c", "d", "e"]);
    assert_eq!(owner.published_to(1).len(), 5);
}

#[test]
fn a_buffered_publish_behind_a_look_up_waits_too() {
    let mut owner = Owner::new();
    let buffered = buffered_in_slot_of("pair:x:a");
    owner.keep(1, "pair:x:a", 1, "a");
    owner.frames.clear();
    owner.publish(1, repeat("pair:x:a", 2, "b"));
    owner.publish(1, publish(&buffered, 3, "c"));
    assert!(owner.frames.is_empty());
    let (ticket, _) = owner.asked();
    owner.answer(ticket, StoreAnswer::Found(Ok(AllFound::default())));
    assert_eq!(owner.published_to(1), [(3, 1)], "it needs no store");
    let (_, part) = owner.append();
    assert_eq!(part.channels[0].follows, Offset(1));
}

fn buffered_in_slot_of(name: &str) -> String {
    (0..)
        .map(|n| format!("live:{n}"))
        .find(|candidate| slot(candidate) == slot(name))
        .expect("there are 4096 slots")
}
