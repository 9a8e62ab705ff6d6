//! The proof of a run, of three accounts of the same messages: what publishers were told, what the store holds, what each
//! subscriber saw.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use thiserror::Error;

use super::book::{Fate, Sent};
use super::witness::Witness;
use crate::scenario::check::{self, Fault, Followed, check_beside};
use crate::scenario::follow::Log;

/// Time in which each publish must be answered while its connection stands: the mesh's deadline, 4 s, and as much again as
/// a machine may take that is busy with everything at once.
const ANSWER_WITHIN: Duration = Duration::from_secs(6);

/// How the store is called in what is found.
const STORE: &str = "the store";

/// The three accounts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evidence<'a> {
    pub(crate) sent: &'a [Sent],
    /// By channel, read from a mesh that was started anew.
    pub(crate) stored: &'a [Log],
    pub(crate) witnesses: &'a [Witness],
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Broken {
    /// Found by payloads.
    #[error("channel {channel}: {fault}")]
    Payload { channel: usize, fault: Fault },
    /// Offsets that don't follow each other.
    #[error("channel {channel}: {who} has offset {offset} after {after}, told of nothing")]
    Offsets {
        channel: usize,
        who: String,
        offset: u64,
        after: u64,
    },
    /// Two offsets of one message.
    #[error(
        "channel {channel}: message {number} has offset {seen} for {who} and {stored} in the store"
    )]
    Renumbered {
        channel: usize,
        who: String,
        number: u64,
        seen: u64,
        stored: u64,
    },
    /// A publisher's messages aren't in its order.
    #[error("channel {channel}: the store has message {number} of a publisher after its {before}")]
    PublisherOrder {
        channel: usize,
        number: u64,
        before: u64,
    },
    /// An answer that no deadline lets take so long, or none on a connection that stands.
    #[error("message {number} was answered after {took:?}")]
    Late {
        number: u64,
        /// Nothing without an answer.
        took: Option<Duration>,
    },
    /// An error that publishers needn't expect.
    #[error("message {number} was refused with an error that isn't temporary")]
    RefusedForGood { number: u64 },
    /// Nothing was missing, and a subscriber was told that something may be.
    #[error("channel {channel}: {who} was told of a gap where there is none")]
    ToldOfNothing { channel: usize, who: String },
    /// What a subscriber had is gone, and it wasn't told.
    #[error("channel {channel}: {who} wasn't told that what it got is gone")]
    NotTold { channel: usize, who: String },
}

/// The kinds of what may be found, one column of the table each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Lost,
    Doubled,
    Reordered,
    SilentGap,
    Other,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [
        Self::Lost,
        Self::Doubled,
        Self::Reordered,
        Self::SilentGap,
        Self::Other,
    ];

    /// What figures call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Lost => "acknowledged and lost",
            Self::Doubled => "doubled",
            Self::Reordered => "reordered",
            Self::SilentGap => "gaps without notice",
            Self::Other => "other faults",
        }
    }
}

impl Broken {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Payload { fault, .. } => match fault {
                Fault::Lost { .. } => Kind::Lost,
                // Delivered, so that somebody counts on it, and not kept.
                Fault::SilentGap { who, .. } if who == STORE => Kind::Lost,
                Fault::SilentGap { .. } => Kind::SilentGap,
                Fault::Doubled { .. } => Kind::Doubled,
                Fault::Reordered { .. } => Kind::Reordered,
                Fault::Foreign { .. } | Fault::NoOrder => Kind::Other,
            },
            Self::Offsets { .. } | Self::NotTold { .. } => Kind::SilentGap,
            Self::Renumbered { .. } | Self::PublisherOrder { .. } => Kind::Reordered,
            Self::Late { .. } | Self::RefusedForGood { .. } | Self::ToldOfNothing { .. } => {
                Kind::Other
            }
        }
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) broken: Vec<Broken>,
    /// Messages that subscribers missed and were told of.
    pub(crate) missed_and_told: usize,
}

impl Verdict {
    /// How much of one kind.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        let of_kind = |broken: &&Broken| broken.kind() == kind;
        self.broken.iter().filter(of_kind).count()
    }
}

/// Compares the accounts.
pub(crate) fn judge(evidence: Evidence<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    for (channel, stored) in evidence.stored.iter().enumerate() {
        verdict.judge_channel(channel, stored, evidence);
    }
    verdict
        .broken
        .extend(evidence.sent.iter().filter_map(answer));
    verdict
}

impl Verdict {
    fn judge_channel(&mut self, channel: usize, stored: &Log, evidence: Evidence<'_>) {
        let sent = || evidence.sent.iter().filter(|one| one.channel == channel);
        let acked = sent().filter(|one| one.fate == Fate::Acked);
        let sent = check::Sent {
            all: sent().map(|one| one.number).collect(),
            acked: acked.map(|one| one.number).collect(),
        };
        let store = Followed {
            who: STORE,
            log: stored,
        };
        let seen = evidence.witnesses.iter().map(|witness| Followed {
            who: &witness.name,
            log: &witness.logs[channel],
        });
        let all: Vec<_> = std::iter::once(store).chain(seen).collect();
        let (faults, missed) = check_beside(&store, &sent, &all);
        let broken = faults.into_iter();
        let broken = broken.map(|fault| Broken::Payload { channel, fault });
        self.broken.extend(broken);
        self.missed_and_told += missed.iter().sum::<usize>();
        self.broken
            .extend(publisher_order(channel, stored, evidence.sent));
        for one in &all {
            self.broken.extend(offsets(channel, one));
            self.broken.extend(renumbered(channel, one, stored));
        }
    }
}

/// Offsets begin at 1 and grow by 1, but where a gap was told.
fn offsets(channel: usize, one: &Followed<'_>) -> Vec<Broken> {
    let mut after = 0;
    let mut broken = Vec::new();
    for (place, got) in one.log.got.iter().enumerate() {
        let is_told = got.offset > after && one.log.is_told(place);
        if got.offset != after + 1 && !is_told {
            broken.push(Broken::Offsets {
                channel,
                who: one.who.to_owned(),
                offset: got.offset,
                after,
            });
        }
        after = got.offset;
    }
    broken
}

/// Who got a message at another offset than the store has it at.
fn renumbered(channel: usize, one: &Followed<'_>, stored: &Log) -> Vec<Broken> {
    let stored = stored.got.iter().map(|got| (got.number, got.offset));
    let stored: BTreeMap<u64, u64> = stored.collect();
    let differs = |(number, seen): (u64, u64)| {
        let stored = *stored.get(&number)?;
        (stored != seen).then(|| Broken::Renumbered {
            channel,
            who: one.who.to_owned(),
            number,
            seen,
            stored,
        })
    };
    let got = one.log.got.iter();
    got.filter_map(|got| differs((got.number, got.offset)))
        .collect()
}

/// A publisher numbers its messages in the order in which it sends them, and what is acknowledged keeps it. Of others nothing is
/// known: one that was cut off may come behind what was sent later, by way of another edge.
fn publisher_order(channel: usize, stored: &Log, sent: &[Sent]) -> Vec<Broken> {
    let acked = sent.iter().filter(|one| one.fate == Fate::Acked);
    let acked: BTreeSet<u64> = acked.map(|one| one.number).collect();
    let mut last: BTreeMap<u64, u64> = BTreeMap::new();
    let mut broken = Vec::new();
    let numbers = stored.got.iter().map(|got| got.number);
    for number in numbers.filter(|number| acked.contains(number)) {
        let before = last.insert(number / super::book::NUMBERS, number);
        if let Some(before) = before.filter(|before| *before > number) {
            broken.push(Broken::PublisherOrder {
                channel,
                number,
                before,
            });
        }
    }
    broken
}

/// What is wrong with a message's answer.
fn answer(sent: &Sent) -> Option<Broken> {
    let number = sent.number;
    let took = sent.over.map(|over| over - sent.at);
    match sent.fate {
        Fate::CutOff => None,
        Fate::RefusedForGood => Some(Broken::RefusedForGood { number }),
        Fate::Acked | Fate::Refused | Fate::Open => took
            .is_none_or(|took| took > ANSWER_WITHIN)
            .then_some(Broken::Late { number, took }),
    }
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
