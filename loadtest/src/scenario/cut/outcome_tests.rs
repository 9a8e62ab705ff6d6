//! The proof can fail: each promise is broken once.

use super::*;
use crate::scenario::feed::Outcome as Answer;
use crate::scenario::follow::Got;

/// The cut is from 3 to 6; message N is due at N, and comes at N or right after the healing.
const MOMENTS: Moments = Moments { cut: 3, healed: 6 };

fn witness(region: &str, numbers: &[u64], came: impl Fn(u64) -> u64) -> Witness {
    let mut log = Log::default();
    for number in numbers {
        log.on_message(Got {
            number: *number,
            offset: *number,
            due: *number,
            came: came(*number),
        });
    }
    Witness {
        region: region.to_owned(),
        name: format!("{region} #1"),
        rtt: Duration::ZERO,
        logs: vec![log],
        ends: Vec::new(),
    }
}

fn held_up(number: u64) -> u64 {
    match number {
        3..6 => 6 + number,
        _ => number,
    }
}

/// A run in which all went well.
fn outcome() -> Outcome {
    let sent = |number| Sent {
        number,
        channel: 0,
        outcome: Answer::Acked,
    };
    let all = [1, 2, 3, 4, 5, 6, 7];
    Outcome {
        witnesses: vec![
            witness("eu", &all, |number| number),
            witness("ap", &all, held_up),
        ],
        sent: all.map(sent).into(),
        publishers: vec![Duration::ZERO],
        moments: MOMENTS,
        cut: Some("ap".to_owned()),
        beyond_history: false,
    }
}

fn fails(outcome: &Outcome, with: &str) {
    let error = outcome.prove(1).expect_err("it is broken").to_string();
    assert!(error.contains(with), "{error}");
}

#[test]
fn what_is_whole_is_passed() {
    let missed = outcome().prove(1).expect("all is well");
    assert_eq!(missed, [0, 0]);
    let mut report = Report::new("cut");
    outcome().add_to(&mut report, &missed);
    let of = |name: &str| report.figure(name).expect("it is there").median();
    assert!((of("cut, ap, caught up after") - 5e-9).abs() < 1e-12);
    assert!((of("cut, acknowledged") - 7.0).abs() < f64::EPSILON);
}

#[test]
fn a_lost_message_fails_it() {
    let mut outcome = outcome();
    for witness in &mut outcome.witnesses {
        witness.logs[0].got.retain(|got| got.number != 4);
    }
    fails(&outcome, "message 4 was acknowledged");
}

#[test]
fn a_doubled_message_fails_it() {
    let mut outcome = outcome();
    let got = &mut outcome.witnesses[1].logs[0].got;
    got.insert(4, got[3]);
    fails(&outcome, "ap #1 got message 4 more than once");
}

#[test]
fn swapped_messages_fail_it() {
    let mut outcome = outcome();
    outcome.witnesses[1].logs[0].got.swap(3, 4);
    fails(&outcome, "ap #1 got message 4 after 5");
}

#[test]
fn a_silent_gap_fails_it_beyond_the_history_too() {
    for beyond_history in [false, true] {
        let mut outcome = outcome();
        outcome.beyond_history = beyond_history;
        outcome.witnesses[1].logs[0].got.drain(2..5);
        fails(&outcome, "ap #1 missed 3 messages in silence");
    }
}

#[test]
fn a_gap_that_is_told_passes_only_beyond_the_history() {
    let all = outcome().witnesses.remove(1).logs.remove(0).got;
    let mut log = Log::default();
    all[..2].iter().for_each(|got| log.on_message(*got));
    log.on_unrecovered();
    all[5..].iter().for_each(|got| log.on_message(*got));
    let mut outcome = outcome();
    outcome.witnesses[1].logs[0] = log;
    fails(&outcome, "ap #1 was told of a gap");
    outcome.beyond_history = true;
    assert_eq!(outcome.prove(1).expect("it was told"), [0, 3]);
}

#[test]
fn a_run_beyond_the_history_that_misses_nothing_proves_nothing() {
    let mut outcome = outcome();
    outcome.beyond_history = true;
    fails(&outcome, "missed nothing");
}

#[test]
fn a_closed_connection_fails_it() {
    let mut outcome = outcome();
    outcome.witnesses[1]
        .ends
        .push("closed: 3008 slow".to_owned());
    fails(&outcome, "1 connections ended: ap #1: closed: 3008 slow");
}

#[test]
fn a_cut_that_lets_messages_through_fails_it() {
    let mut outcome = outcome();
    outcome.witnesses[1] = witness("ap", &[1, 2, 3, 4, 5, 6, 7], |number| number);
    fails(&outcome, "3 messages came through the cut");
}
