//! The subscriber's own part: positions, what it asks for again, what it notes of being told.

use bytes::Bytes;
use trunkline_protocol::message::Error;

use super::*;

const NAME: &str = "chat:x";

fn machine() -> Machine {
    let mut machine = Machine::new(&[NAME.to_owned()]);
    machine.on_asked([(1, 0)].into_iter());
    let answer = subscribed(result(5, false, &[]), 1);
    assert_eq!(machine.on_message(answer, 0).expect("it is taken"), None);
    machine
}

fn publication(offset: u64) -> Publication {
    let message = Numbered {
        time: 1_764_000_000_000_000_000,
        number: offset * 10,
    };
    Publication {
        offset,
        data: Bytes::from(message.encode(64)),
        ..Publication::default()
    }
}

fn result(offset: u64, recovered: bool, offsets: &[u64]) -> SubscribeResult {
    SubscribeResult {
        offset,
        recovered,
        epoch: "e".to_owned(),
        publications: offsets.iter().copied().map(publication).collect(),
        ..SubscribeResult::default()
    }
}

fn subscribed(result: SubscribeResult, id: u32) -> ServerMessage {
    ServerMessage::Reply(Reply {
        id,
        body: ReplyBody::Subscribe(result),
    })
}

fn push(push: Push) -> ServerMessage {
    ServerMessage::Push {
        channel: NAME.to_owned(),
        push,
    }
}

fn unsubscribe(code: u32) -> ServerMessage {
    push(Push::Unsubscribe(Unsubscribe {
        code,
        reason: "a reason".to_owned(),
    }))
}

/// Lets the subscriber be told 2500 after two messages, subscribe again, and be answered with `result`.
fn after_2500(result: SubscribeResult) -> Machine {
    let mut machine = machine();
    for offset in [6, 7] {
        let message = push(Push::Publication(publication(offset)));
        machine.on_message(message, 0).expect("it is taken");
    }
    let again = machine
        .on_message(unsubscribe(2500), 0)
        .expect("it is taken");
    assert_eq!(again, Some(0));
    let Request::Subscribe(request) = machine.request(0) else {
        panic!("not a subscribe");
    };
    let from = (request.recover, request.offset, &*request.epoch);
    assert_eq!(from, (true, 7, "e"), "from its own position");
    machine.on_asked([(2, 0)].into_iter());
    machine
        .on_message(subscribed(result, 2), 0)
        .expect("it is taken");
    machine
}

fn numbers(machine: &Machine) -> Vec<u64> {
    machine.log(0).got.iter().map(|got| got.number).collect()
}

#[test]
fn a_2500_that_is_recovered_is_no_gap() {
    let machine = after_2500(result(7, true, &[8, 9]));
    assert_eq!(numbers(&machine), [60, 70, 80, 90]);
    assert_eq!(machine.log(0).times_told(), 0);
}

#[test]
fn a_2500_that_is_not_recovered_is_told_at_its_place() {
    let mut machine = after_2500(result(20, false, &[]));
    let next = push(Push::Publication(publication(21)));
    machine.on_message(next, 0).expect("it is taken");
    assert_eq!(numbers(&machine), [60, 70, 210]);
    let told = [0, 1, 2, 3].map(|place| machine.log(0).is_told(place));
    assert_eq!(told, [false, false, true, false]);
}

#[test]
fn a_2500_without_an_answer_is_told_at_the_end() {
    let mut machine = machine();
    machine
        .on_message(unsubscribe(2500), 0)
        .expect("it is taken");
    assert!(machine.log(0).is_told(0));
}

#[test]
fn any_other_end_of_a_subscription_is_an_error() {
    assert!(machine().on_message(unsubscribe(2501), 0).is_err());
}

#[test]
fn a_temporary_error_is_asked_again_but_not_forever() {
    let mut machine = machine();
    let mut refuse = |temporary| {
        machine.on_asked([(2, 0)].into_iter());
        let error = Error {
            code: 100,
            message: "internal server error".to_owned(),
            temporary,
        };
        let body = ReplyBody::Error(error);
        machine.on_message(ServerMessage::Reply(Reply { id: 2, body }), 0)
    };
    assert_eq!(refuse(true).expect("it is asked again"), Some(0));
    assert!(refuse(false).is_err());
    assert!((0..REFUSALS_MAX).any(|_| refuse(true).is_err()));
}
