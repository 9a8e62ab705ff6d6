//! The proof by payload: what each subscriber of a channel got, beside what was sent and what the others got. Offsets,
//! epochs and counters of the mesh prove nothing here.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::scenario::follow::Log;

/// What a subscriber got in the channel that is checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Followed<'a> {
    /// Who it is, for messages.
    pub(crate) who: &'a str,
    pub(crate) log: &'a Log,
}

/// What was sent into the channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent {
    /// Everything, acknowledged or not.
    pub(crate) all: BTreeSet<u64>,
    pub(crate) acked: BTreeSet<u64>,
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Fault {
    /// Acknowledged, and nobody got it.
    #[error("message {number} was acknowledged and {who} never got it, told of nothing")]
    Lost { who: String, number: u64 },
    /// The same message again.
    #[error("{who} got message {number} more than once")]
    Doubled { who: String, number: u64 },
    /// Two subscribers got messages in different orders.
    #[error("{who} got message {number} after {before}, {other} before it")]
    Reordered {
        who: String,
        other: String,
        number: u64,
        before: u64,
    },
    /// Messages are missing at a place where nothing was told.
    #[error("{who} missed {count} messages in silence, the first is {number}")]
    SilentGap {
        who: String,
        number: u64,
        count: usize,
    },
    /// Nobody sent it.
    #[error("{who} got message {number}, which nobody sent")]
    Foreign { who: String, number: u64 },
    /// Nobody followed without being told of a gap.
    #[error("every subscriber was told of a gap: there is no order to compare with")]
    NoOrder,
}

/// Finds what is wrong in a channel; counts what each subscriber missed and was told of, in the order given.
///
/// The order is that of a subscriber who wasn't told of any gap.
pub(crate) fn check(sent: &Sent, followed: &[Followed<'_>]) -> (Vec<Fault>, Vec<usize>) {
    let whole = followed.iter().rev();
    let whole = whole.filter(|one| one.log.times_told() == 0);
    match whole.max_by_key(|one| one.log.got.len()) {
        Some(model) => check_beside(model, sent, followed),
        None => {
            let mut faults = foreign_and_doubled(sent, followed);
            faults.push(Fault::NoOrder);
            (faults, Vec::new())
        }
    }
}

/// As [`check`], with an order that is known to be whole: what a store holds, or what one of `followed` got.
pub(crate) fn check_beside(
    model: &Followed<'_>,
    sent: &Sent,
    followed: &[Followed<'_>],
) -> (Vec<Fault>, Vec<usize>) {
    let mut faults = foreign_and_doubled(sent, followed);
    faults.extend(lost(sent, model));
    let mut missed = Vec::new();
    for one in followed {
        let gaps = Gaps::between(one, model);
        faults.extend(gaps.faults);
        missed.push(gaps.told);
    }
    (faults, missed)
}

fn foreign_and_doubled(sent: &Sent, followed: &[Followed<'_>]) -> Vec<Fault> {
    let of_one = |one| doubled_or_foreign(sent, one);
    followed.iter().flat_map(of_one).collect()
}

fn numbers(log: &Log) -> impl Iterator<Item = u64> {
    log.got.iter().map(|got| got.number)
}

fn doubled_or_foreign(sent: &Sent, one: &Followed<'_>) -> Vec<Fault> {
    let (mut seen, who) = (BTreeSet::new(), one.who.to_owned());
    let fault = |number| {
        let who = who.clone();
        if !seen.insert(number) {
            Some(Fault::Doubled { who, number })
        } else if !sent.all.contains(&number) {
            Some(Fault::Foreign { who, number })
        } else {
            None
        }
    };
    numbers(one.log).filter_map(fault).collect()
}

fn lost(sent: &Sent, model: &Followed<'_>) -> Vec<Fault> {
    let got: BTreeSet<u64> = numbers(model.log).collect();
    let lost = sent.acked.difference(&got);
    lost.map(|number| Fault::Lost {
        who: model.who.to_owned(),
        number: *number,
    })
    .collect()
}

/// How one subscriber's messages differ from another's.
struct Gaps {
    faults: Vec<Fault>,
    /// Messages missed at places that were told.
    told: usize,
}

impl Gaps {
    /// Walks both side by side; the model is whole.
    fn between(one: &Followed<'_>, model: &Followed<'_>) -> Self {
        let order: Vec<u64> = numbers(model.log).collect();
        let places: BTreeMap<u64, usize> = order.iter().copied().zip(0..).collect();
        let mut gaps = Self {
            faults: Vec::new(),
            told: 0,
        };
        let mut next = 0;
        for (index, number) in numbers(one.log).enumerate() {
            match places.get(&number) {
                // What isn't acknowledged may have come to one and not to the other: the other missed it in silence.
                None => gaps.faults.push(silent(model, number, 1)),
                Some(place) if *place < next => gaps.faults.push(Fault::Reordered {
                    who: one.who.to_owned(),
                    other: model.who.to_owned(),
                    number,
                    before: order[next - 1],
                }),
                Some(place) => {
                    gaps.hole(one, index, &order[next..*place]);
                    next = place + 1;
                }
            }
        }
        gaps.hole(one, one.log.got.len(), &order[next..]);
        gaps
    }

    /// Messages that are missing before the one at `index`.
    fn hole(&mut self, one: &Followed<'_>, index: usize, missing: &[u64]) {
        let Some(first) = missing.first() else { return };
        if one.log.is_told(index) {
            self.told += missing.len();
        } else {
            self.faults.push(silent(one, *first, missing.len()));
        }
    }
}

fn silent(one: &Followed<'_>, number: u64, count: usize) -> Fault {
    Fault::SilentGap {
        who: one.who.to_owned(),
        number,
        count,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::follow::Got;

    /// A subscriber that got these messages; 0 stands for being told of a gap.
    fn log(numbers: &[u64]) -> Log {
        let mut log = Log::default();
        for number in numbers {
            match number {
                0 => log.on_unrecovered(),
                number => log.on_message(Got {
                    number: *number,
                    offset: 0,
                    due: 0,
                    came: 0,
                }),
            }
        }
        log
    }

    /// What is found when 1 to 5 were sent, all but 5 acknowledged, and two subscribers got these messages.
    fn found(first: &[u64], second: &[u64]) -> (Vec<Fault>, Vec<usize>) {
        let sent = Sent {
            all: (1..=5).collect(),
            acked: (1..=4).collect(),
        };
        let (first, second) = (log(first), log(second));
        let one = Followed {
            who: "one",
            log: &first,
        };
        let two = Followed {
            who: "two",
            log: &second,
        };
        check(&sent, &[one, two])
    }

    #[test]
    fn what_is_whole_is_passed() {
        let all = [1, 2, 3, 4, 5];
        assert_eq!(found(&all, &all), (vec![], vec![0, 0]));
        let acked = [2, 1, 3, 4];
        assert_eq!(found(&acked, &acked), (vec![], vec![0, 0]), "any one order");
    }

    #[test]
    fn a_message_that_nobody_got_is_found() {
        let (faults, _) = found(&[1, 2, 4], &[1, 2, 4]);
        assert!(
            matches!(&*faults, [Fault::Lost { number: 3, .. }]),
            "{faults:?}"
        );
    }

    #[test]
    fn a_doubled_message_is_found() {
        let (faults, _) = found(&[1, 2, 3, 4], &[1, 2, 2, 3, 4]);
        let who = "two".to_owned();
        assert!(
            faults.contains(&Fault::Doubled { who, number: 2 }),
            "{faults:?}"
        );
    }

    #[test]
    fn swapped_messages_are_found() {
        let (faults, _) = found(&[1, 2, 3, 4], &[1, 3, 2, 4]);
        let is_order = |fault: &Fault| matches!(fault, Fault::Reordered { .. });
        assert!(faults.iter().any(is_order), "{faults:?}");
    }

    #[test]
    fn a_silent_gap_is_found_wherever_it_is() {
        for got in [&[3, 4][..], &[1, 4], &[1, 2], &[]] {
            let (faults, missed) = found(&[1, 2, 3, 4], got);
            assert!(
                matches!(&*faults, [Fault::SilentGap { count, .. }] if *count == 4 - got.len()),
                "{faults:?}"
            );
            assert_eq!(missed, [0, 0]);
        }
    }

    #[test]
    fn a_gap_that_is_told_is_counted() {
        for got in [&[0, 3, 4][..], &[1, 0, 4], &[1, 2, 0]] {
            assert_eq!(found(&[1, 2, 3, 4], got), (vec![], vec![0, 2]), "{got:?}");
        }
    }

    #[test]
    fn a_gap_that_is_told_elsewhere_is_silent() {
        let (faults, _) = found(&[1, 2, 3, 4], &[1, 0, 2, 4]);
        assert!(
            matches!(&*faults, [Fault::SilentGap { number: 3, .. }]),
            "{faults:?}"
        );
    }

    #[test]
    fn a_message_of_nobody_is_found() {
        let (faults, _) = found(&[1, 2, 3, 4, 9], &[1, 2, 3, 4]);
        let who = "one".to_owned();
        assert!(
            faults.contains(&Fault::Foreign { who, number: 9 }),
            "{faults:?}"
        );
    }

    #[test]
    fn without_one_that_is_whole_nothing_is_passed() {
        let (faults, _) = found(&[1, 0, 3, 4], &[0, 4]);
        assert_eq!(faults, [Fault::NoOrder]);
    }
}
