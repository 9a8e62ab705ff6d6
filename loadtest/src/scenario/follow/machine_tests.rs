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
    let at_once = Again {
        channel: 0,
        after: Duration::ZERO,
    };
    assert_eq!(again, Some(at_once));
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

/// What a refused subscribe gives at that moment.
fn refuse(machine: &mut Machine, temporary: bool, now: Duration) -> Result<Option<Again>> {
    machine.on_asked([(2, 0)].into_iter());
    let error = Error {
        code: 100,
        message: "internal server error".to_owned(),
        temporary,
    };
    let reply = Reply {
        id: 2,
        body: ReplyBody::Error(error),
    };
    let now = u64::try_from(now.as_nanos()).expect("it is small");
    machine.on_message(ServerMessage::Reply(reply), now)
}

fn pause(machine: &mut Machine, now: Duration) -> Duration {
    let again = refuse(machine, true, now).expect("it is temporary");
    again.expect("it is asked for again").after
}

#[test]
fn after_temporary_errors_a_channel_is_asked_for_later_and_later() {
    let mut machine = machine();
    let pauses = [200, 400, 800, 1600, 2000, 2000].map(Duration::from_millis);
    for expected in pauses {
        assert_eq!(pause(&mut machine, Duration::ZERO), expected);
    }
    machine.on_asked([(2, 0)].into_iter());
    let answer = subscribed(result(5, true, &[]), 2);
    machine.on_message(answer, 0).expect("it is taken");
    assert_eq!(pause(&mut machine, Duration::ZERO), AGAIN_AFTER, "anew");
}

#[test]
fn temporary_errors_are_borne_for_a_time_and_others_not_at_all() {
    let mut machine = machine();
    let begin = Duration::from_secs(7);
    assert_eq!(pause(&mut machine, begin), AGAIN_AFTER);
    pause(&mut machine, begin + REFUSED_MAX - AGAIN_AFTER);
    assert!(refuse(&mut machine, true, begin + REFUSED_MAX).is_err());
    assert!(refuse(&mut self::machine(), false, begin).is_err());
}
