//! The verdict of a run, with what holds for durable channels of a cluster besides: a subscriber notices the loss of an
//! owner as latency only, and the loss of the store by being told.

use tokio::time::Instant;

use crate::scenario::follow::Log;
use crate::scenario::proof::{Accounts, Broken, Evidence, Fate, Sent, Verdict, Witness, judge};

/// Judges a run whose store is the one that it began with: nobody is told of any gap.
pub(super) fn of_one_store(accounts: &Accounts) -> Verdict {
    let mut verdict = judge(accounts.evidence());
    let needless = each_log(&accounts.witnesses).filter(|(_, _, log)| log.times_told() > 0);
    let needless = needless.map(|(who, channel, _)| Broken::ToldOfNothing { channel, who });
    verdict.broken.extend(needless);
    verdict
}

/// Judges a run in which an empty store took the place of the first: what was sent until then is gone, everybody who had
/// some of it is told, and from then on everything holds as ever.
pub(super) fn of_two_stores(accounts: &Accounts, replaced: Instant) -> Verdict {
    let owed = |one: &Sent| match one.fate {
        Fate::Acked if one.at < replaced => Sent {
            fate: Fate::CutOff,
            ..*one
        },
        Fate::Acked | Fate::Refused | Fate::RefusedForGood | Fate::CutOff | Fate::Open => *one,
    };
    let sent: Vec<_> = accounts.sent.iter().map(owed).collect();
    let since: Vec<_> = accounts.witnesses.iter().map(since_told).collect();
    let mut verdict = judge(Evidence {
        sent: &sent,
        stored: &accounts.stored,
        witnesses: &since,
    });
    let untold = each_log(&accounts.witnesses).filter(|(_, _, log)| log.times_told() == 0);
    let untold = untold.map(|(who, channel, _)| Broken::NotTold { channel, who });
    verdict.broken.extend(untold);
    verdict
}

/// What a subscriber saw from the moment on at which it was told of the loss.
fn since_told(witness: &Witness) -> Witness {
    let logs = witness.logs.iter();
    Witness {
        name: witness.name.clone(),
        logs: logs
            .map(|log| log.since_told().unwrap_or_default())
            .collect(),
        ends: witness.ends.clone(),
    }
}

fn each_log(witnesses: &[Witness]) -> impl Iterator<Item = (String, usize, &Log)> {
    witnesses.iter().flat_map(|witness| {
        let logs = witness.logs.iter().enumerate();
        logs.map(|(channel, log)| (witness.name.clone(), channel, log))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::scenario::follow::Got;
    use crate::scenario::proof::Kind;

    /// Messages 1 to 3 of the old store and 4 to 6 of the new one, one per second, all acknowledged.
    fn sent(start: Instant) -> Vec<Sent> {
        let one = |number: u64| Sent {
            number,
            channel: 0,
            at: start + Duration::from_secs(number),
            over: Some(start + Duration::from_secs(number)),
            fate: Fate::Acked,
        };
        (1..=6).map(one).collect()
    }

    /// Messages; 0 stands for being told of a gap. Offsets begin at 1 with each store.
    fn log(numbers: &[u64]) -> Log {
        let mut log = Log::default();
        for number in numbers {
            match number {
                0 => log.on_unrecovered(),
                number => log.on_message(Got {
                    number: *number,
                    offset: (number - 1) % 3 + 1,
                    due: 0,
                    came: 0,
                }),
            }
        }
        log
    }

    fn accounts(sent: Vec<Sent>, stored: &[u64], seen: &[u64]) -> Accounts {
        let witness = Witness {
            name: "edge-1".to_owned(),
            logs: vec![log(seen)],
            ends: Vec::new(),
        };
        Accounts {
            sent,
            stored: vec![log(stored)],
            witnesses: vec![witness],
        }
    }

    fn kinds(verdict: &Verdict) -> Vec<Kind> {
        let mut kinds: Vec<_> = verdict.broken.iter().map(Broken::kind).collect();
        kinds.dedup();
        kinds
    }

    #[track_caller]
    fn check_two(stored: &[u64], seen: &[u64], expected: &[Kind]) {
        let start = Instant::now();
        let replaced = start + Duration::from_millis(3500);
        let verdict = of_two_stores(&accounts(sent(start), stored, seen), replaced);
        assert_eq!(kinds(&verdict), expected, "{:?}", verdict.broken);
    }

    #[test]
    fn what_the_old_store_had_is_not_owed_and_everybody_is_told() {
        check_two(&[4, 5, 6], &[1, 2, 3, 0, 4, 5, 6], &[]);
    }

    #[test]
    fn who_is_not_told_is_found() {
        check_two(&[4, 5, 6], &[1, 2, 3], &[Kind::SilentGap]);
    }

    #[test]
    fn what_the_new_store_lost_is_found() {
        check_two(&[4, 5], &[1, 2, 3, 0, 4, 5], &[Kind::Lost]);
    }

    #[test]
    fn a_message_of_the_old_store_after_being_told_is_found() {
        check_two(
            &[4, 5, 6],
            &[1, 2, 0, 3, 4, 5, 6],
            &[Kind::Lost, Kind::SilentGap],
        );
    }

    #[test]
    fn being_told_of_nothing_is_found() {
        let start = Instant::now();
        let sent = || sent(start).into_iter().take(3).collect();
        let one_store = |seen: &[u64]| of_one_store(&accounts(sent(), &[1, 2, 3], seen));
        assert_eq!(kinds(&one_store(&[1, 2, 3])), []);
        assert_eq!(kinds(&one_store(&[1, 2, 0, 3])), [Kind::Other]);
    }
}
