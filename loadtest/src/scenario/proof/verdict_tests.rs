//! The proof can fail: each promise is broken once, in each account that could show it.

use tokio::time::Instant;

use super::*;
use crate::scenario::follow::Got;
use crate::scenario::proof::book::NUMBERS;

/// Messages 1 to 4 of one publisher are acknowledged, 5 was cut off.
fn sent() -> Vec<Sent> {
    let now = Instant::now();
    let one = |number| Sent {
        number,
        channel: 0,
        at: now,
        over: Some(now),
        fate: if number == 5 {
            Fate::CutOff
        } else {
            Fate::Acked
        },
    };
    (1..=5).map(one).collect()
}

/// Messages with their offsets; 0 stands for being told of a gap.
fn log(entries: &[(u64, u64)]) -> Log {
    let mut log = Log::default();
    for (number, offset) in entries {
        match number {
            0 => log.on_unrecovered(),
            number => log.on_message(Got {
                number: *number,
                offset: *offset,
                due: 0,
                came: 0,
            }),
        }
    }
    log
}

/// Messages at the offsets 1, 2, 3 and so on.
fn in_line(numbers: &[u64]) -> Log {
    let entries: Vec<_> = numbers.iter().copied().zip(1..).collect();
    log(&entries)
}

fn judged(sent: &[Sent], stored: Log, seen: Log) -> Verdict {
    let witness = Witness {
        name: "edge-1".to_owned(),
        logs: vec![seen],
        ends: Vec::new(),
    };
    judge(Evidence {
        sent,
        stored: &[stored],
        witnesses: &[witness],
    })
}

#[track_caller]
fn check(stored: Log, seen: Log, kinds: &[Kind]) {
    let verdict = judged(&sent(), stored, seen);
    let mut found: Vec<_> = verdict.broken.iter().map(Broken::kind).collect();
    found.sort();
    found.dedup();
    assert_eq!(found, kinds, "{:?}", verdict.broken);
}

const WHOLE: [u64; 4] = [1, 2, 3, 4];

#[test]
fn what_is_whole_is_passed_with_or_without_what_was_not_answered() {
    check(in_line(&WHOLE), in_line(&WHOLE), &[]);
    let more = [1, 2, 3, 4, 5];
    check(in_line(&more), in_line(&more), &[]);
}

#[test]
fn an_acknowledged_message_that_the_store_has_not_is_found() {
    check(in_line(&[1, 2, 4]), in_line(&[1, 2, 4]), &[Kind::Lost]);
}

#[test]
fn a_message_that_was_delivered_and_not_kept_is_found() {
    let seen = in_line(&[1, 2, 3, 4, 5]);
    check(in_line(&WHOLE), seen, &[Kind::Lost]);
}

#[test]
fn a_message_that_is_stored_twice_is_found() {
    let twice = [1, 2, 2, 3, 4];
    let verdict = judged(&sent(), in_line(&twice), in_line(&twice));
    assert!(verdict.count(Kind::Doubled) > 0, "{verdict:?}");
}

#[test]
fn a_message_that_is_delivered_twice_is_found() {
    let seen = log(&[(1, 1), (2, 2), (2, 2), (3, 3), (4, 4)]);
    let verdict = judged(&sent(), in_line(&WHOLE), seen);
    assert!(verdict.count(Kind::Doubled) > 0, "{verdict:?}");
}

#[test]
fn a_subscriber_with_another_order_than_the_stores_is_found() {
    let seen = log(&[(1, 1), (3, 3), (2, 2), (4, 4)]);
    let verdict = judged(&sent(), in_line(&WHOLE), seen);
    assert!(verdict.count(Kind::Reordered) > 0, "{verdict:?}");
}

#[test]
fn a_message_with_two_offsets_is_found() {
    let seen = log(&[(1, 1), (2, 2), (4, 3), (3, 4)]);
    let verdict = judged(&sent(), in_line(&WHOLE), seen);
    assert!(verdict.count(Kind::Reordered) > 0, "{verdict:?}");
}

#[test]
fn a_publishers_broken_order_is_found() {
    let swapped = [1, 3, 2, 4];
    check(in_line(&swapped), in_line(&swapped), &[Kind::Reordered]);
}

#[test]
fn what_was_cut_off_may_come_behind_what_was_sent_later() {
    let cut_off = [1, 5, 2, 3, 4];
    check(in_line(&cut_off), in_line(&cut_off), &[]);
}

#[test]
fn two_publishers_may_come_in_any_order() {
    let mut sent = sent();
    sent[0].number += NUMBERS;
    let order = [2, NUMBERS + 1, 3, 4];
    let verdict = judged(&sent, in_line(&order), in_line(&order));
    assert_eq!(verdict, Verdict::default());
}

#[test]
fn a_silent_gap_is_found_wherever_it_is() {
    for seen in [
        log(&[(3, 3), (4, 4)]),
        log(&[(1, 1), (4, 4)]),
        log(&[(1, 1), (2, 2)]),
        log(&[]),
    ] {
        check(in_line(&WHOLE), seen, &[Kind::SilentGap]);
    }
}

#[test]
fn a_gap_that_is_told_is_counted() {
    let seen = log(&[(1, 1), (0, 0), (4, 4)]);
    let verdict = judged(&sent(), in_line(&WHOLE), seen);
    assert_eq!(verdict.broken, []);
    assert_eq!(verdict.missed_and_told, 2);
}

#[test]
fn a_hole_in_the_stores_offsets_is_found() {
    let holed = || log(&[(1, 1), (2, 2), (3, 4), (4, 5)]);
    check(holed(), holed(), &[Kind::SilentGap]);
}

#[test]
fn a_message_of_nobody_is_found() {
    let more = [1, 2, 3, 4, 9];
    check(in_line(&more), in_line(&more), &[Kind::Other]);
}

#[test]
fn an_answer_that_is_late_missing_or_final_is_found() {
    let spoil = |change: fn(&mut Sent)| {
        let mut sent = sent();
        change(&mut sent[2]);
        judged(&sent, in_line(&WHOLE), in_line(&WHOLE)).broken
    };
    let late = spoil(|one| one.over = Some(one.at + ANSWER_WITHIN * 2));
    assert!(
        matches!(&*late, [Broken::Late { number: 3, .. }]),
        "{late:?}"
    );
    let open = spoil(|one| (one.fate, one.over) = (Fate::Open, None));
    assert!(
        matches!(&*open, [Broken::Late { took: None, .. }]),
        "{open:?}"
    );
    let last = spoil(|one| one.fate = Fate::RefusedForGood);
    assert_eq!(last, [Broken::RefusedForGood { number: 3 }]);
}
