//! The three accounts of a run, as they are at its end.

use super::book::{Fate, Sent};
use super::verdict::Evidence;
use super::witness::Witness;
use crate::scenario::follow::Log;

/// What publishers were told, what the store holds, what each subscriber saw.
#[derive(Clone, Debug)]
pub(crate) struct Accounts {
    /// In the order of sending.
    pub(crate) sent: Vec<Sent>,
    /// By channel.
    pub(crate) stored: Vec<Log>,
    pub(crate) witnesses: Vec<Witness>,
}

impl Accounts {
    /// For the judge.
    pub(crate) fn evidence(&self) -> Evidence<'_> {
        Evidence {
            sent: &self.sent,
            stored: &self.stored,
            witnesses: &self.witnesses,
        }
    }

    /// Messages with a fate.
    pub(crate) fn count(&self, fate: Fate) -> usize {
        self.sent.iter().filter(|one| one.fate == fate).count()
    }

    /// Messages in the store.
    pub(crate) fn kept(&self) -> usize {
        self.stored.iter().map(|log| log.got.len()).sum()
    }

    /// How often subscribers were told that something is missing.
    pub(crate) fn times_told(&self) -> usize {
        self.witnesses.iter().map(Witness::times_told).sum()
    }

    /// How often subscribers' connections ended.
    pub(crate) fn times_cut_off(&self) -> usize {
        self.witnesses.iter().map(|one| one.ends.len()).sum()
    }
}
