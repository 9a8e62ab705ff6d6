//! The checker of promise 1: what was acknowledged had been synced.

use std::collections::BTreeMap;

use super::trace::{Call, Micros};

/// An acknowledgement that somebody could see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ack {
    /// A text that only the acknowledged message has, of characters that strace doesn't escape.
    pub(crate) message: String,
    /// When it was about to leave its process.
    pub(crate) said: Micros,
}

/// The acknowledgements in lines `acked: MESSAGE` that a process wrote, one in a call.
pub(crate) fn told(calls: &[Call]) -> Vec<Ack> {
    let told = |call: &Call| {
        let (_, line) = call.data.split_once("acked: ")?;
        let (message, _) = line.split_once("\\n")?;
        Some(Ack {
            message: message.to_owned(),
            said: call.begun,
        })
    };
    calls.iter().filter_map(told).collect()
}

/// Why an acknowledgement promised what wasn't so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unkept {
    /// The message is in no journal.
    NotWritten { message: String },
    /// No sync that succeeded began after the message was written.
    NotSynced { message: String },
    /// The first such sync returned only after the acknowledgement.
    SyncedLater { message: String, late_by: Micros },
}

/// Finds for each acknowledgement the first sync that began after the last byte of its message was written to a
/// journal, and had returned when it was said. The syncs are numbered from 0 in the order in which they began: when they
/// ascend, the k-th acknowledgement came after the k-th sync.
pub(crate) fn check(calls: &[Call], acks: &[Ack]) -> Result<Vec<usize>, Unkept> {
    let journals: Vec<_> = journals(calls).into_values().flatten().collect();
    acks.iter().map(|ack| check_ack(&journals, ack)).collect()
}

/// What was done to one journal, up to a sync that failed: nothing makes sure of what is left from before that.
#[derive(Default)]
struct Journal<'a> {
    text: String,
    /// Each write and how long the text was after it.
    writes: Vec<(usize, &'a Call)>,
    /// Each sync and its number.
    syncs: Vec<(usize, &'a Call)>,
}

fn journals(calls: &[Call]) -> BTreeMap<&str, Vec<Journal<'_>>> {
    let mut journals = BTreeMap::new();
    let of_journals = calls.iter().filter(|call| is_journal(&call.file));
    let mut syncs = 0;
    for call in of_journals {
        let parts = journals
            .entry(call.file.as_str())
            .or_insert_with(|| vec![Journal::default()]);
        let journal = parts.last_mut().expect("it begins with one");
        match (call.is_sync(), call.succeeded) {
            (true, true) => {
                journal.syncs.push((syncs, call));
                syncs += 1;
            }
            (true, false) => parts.push(Journal::default()),
            (false, true) => {
                journal.text.push_str(&call.data);
                journal.writes.push((journal.text.len(), call));
            }
            (false, false) => {}
        }
    }
    journals
}

/// A store that is opened again goes on in a copy of its newest journal.
fn is_journal(file: &str) -> bool {
    [".jnl", ".copy"].iter().any(|end| file.ends_with(end))
}

fn check_ack(journals: &[Journal<'_>], ack: &Ack) -> Result<usize, Unkept> {
    let message = || ack.message.clone();
    let written: Vec<_> = journals
        .iter()
        .filter_map(|journal| Some((journal, journal.written(&ack.message)?)))
        .collect();
    if written.is_empty() {
        return Err(Unkept::NotWritten { message: message() });
    }
    let (number, synced) = written
        .into_iter()
        .filter_map(|(journal, written)| journal.synced(written))
        .min_by_key(|(_, synced)| *synced)
        .ok_or_else(|| Unkept::NotSynced { message: message() })?;
    match synced.checked_sub(ack.said) {
        None | Some(0) => Ok(number),
        Some(late_by) => Err(Unkept::SyncedLater {
            message: message(),
            late_by,
        }),
    }
}

impl Journal<'_> {
    /// When the last byte of a message was written; it may have needed two writes.
    fn written(&self, message: &str) -> Option<Micros> {
        let end = self.text.find(message)? + message.len();
        let (_, write) = self.writes.iter().find(|(length, _)| *length >= end)?;
        write.returned
    }

    /// The first sync of what had been written at a time, and when it returned.
    fn synced(&self, written: Micros) -> Option<(usize, Micros)> {
        let mut later = self.syncs.iter().filter(|(_, sync)| sync.begun >= written);
        let (number, sync) = later.next()?;
        Some((*number, sync.returned?))
    }
}
