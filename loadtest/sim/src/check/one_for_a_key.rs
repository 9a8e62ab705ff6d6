//! Promise 4, by idempotency key: however often a message is tried, and through whichever edges, all that is ever said of it
//! names one place, and it stands there.
//!
//! What is said of it: acknowledgements, deliveries, histories, the store. Runs are shorter than the time for which keys
//! count. A buffered key counts within its channel's epoch.

use std::collections::{BTreeMap, BTreeSet};

use trunkline_shared::Instant;
use trunkline_shared::rules::Class;

use super::numbering::Numbering;
use super::{Fault, fault};
use crate::record::{Known, Label, Record, Try};
use crate::scenario::CHANNELS;

pub(super) fn check(record: &Record, numbering: &Numbering) -> Vec<Fault> {
    let mut faults = one_place(record, numbering);
    for (tried, at, known) in record.keyed_acks() {
        let channel = record.publishes[&tried.label].channel;
        let wrong = not_kept(record, channel, tried, known)
            .or_else(|| anothers(numbering, channel, tried, known));
        faults.extend(wrong.map(|wrong| {
            let name = CHANNELS[channel].name;
            fault(at, format!("{tried:?} to {name}: {wrong}"))
        }));
    }
    faults
}

/// Offsets by the numbering that they belong to. That of a durable channel goes on from epoch to epoch.
type Offsets<'a> = BTreeMap<&'a str, BTreeSet<u64>>;

fn one_place(record: &Record, numbering: &Numbering) -> Vec<Fault> {
    let several = offsets(record, numbering)
        .into_iter()
        .filter(|(_, offsets)| offsets.values().any(|offsets| offsets.len() > 1));
    let describe = |(label, offsets): (Label, Offsets<'_>)| {
        let name = CHANNELS[record.publishes[&label].channel].name;
        let what = format!("the key of {label:?} has several offsets in {name}: {offsets:?}");
        fault(last_ended(record, label), what)
    };
    several.map(describe).collect()
}

fn offsets<'a>(record: &'a Record, numbering: &'a Numbering) -> BTreeMap<Label, Offsets<'a>> {
    let mut all: BTreeMap<Label, Offsets<'a>> = BTreeMap::new();
    for tried in &record.tries {
        all.entry(tried.label).or_default();
    }
    for (label, offsets) in &mut all {
        let channel = record.publishes[label].channel;
        let numbering_of = |epoch| match CHANNELS[channel].class {
            Class::Durable => "",
            Class::Buffered | Class::Ephemeral => epoch,
        };
        let acks = record
            .keyed_acks()
            .filter(|(tried, _, _)| tried.label == *label)
            .map(|(_, _, known)| (&*known.epoch, known.offset));
        let seen = numbering.labels.get(label).into_iter().flatten();
        let seen = seen.map(|(_, epoch, offset)| (&**epoch, *offset));
        let log = record.stored.get(&channel).into_iter();
        let stored = log
            .flat_map(|log| &log.messages)
            .filter(|message| message.label == *label)
            .map(|message| ("", message.offset));
        for (epoch, offset) in acks.chain(seen).chain(stored) {
            offsets
                .entry(numbering_of(epoch))
                .or_default()
                .insert(offset);
        }
    }
    all
}

/// What was acknowledged stands at its place: durable in the store, unless it was removed there; buffered in the history,
/// as far as that reaches, unless the numbering is over.
fn not_kept(record: &Record, channel: usize, tried: &Try, known: &Known) -> Option<String> {
    let (log, begins) = match CHANNELS[channel].class {
        Class::Durable => {
            let log = record.stored.get(&channel)?;
            (log, log.floor + 1)
        }
        Class::Buffered | Class::Ephemeral => {
            let log = record.histories.get(&channel)?;
            let log = Some(log).filter(|log| log.epoch == known.epoch)?;
            let first = log.messages.first().map(|message| message.offset);
            (log, first.unwrap_or(log.head + 1))
        }
    };
    let mut messages = log.messages.iter();
    let there = messages.find(|message| message.offset == known.offset);
    let there = there.map(|message| message.label);
    (known.offset >= begins && there != Some(tried.label))
        .then(|| format!("{there:?} is kept there"))
}

/// Nobody saw another message at its place.
fn anothers(numbering: &Numbering, channel: usize, tried: &Try, known: &Known) -> Option<String> {
    let place = (channel, known.epoch.clone(), known.offset);
    let mut others = numbering.places.get(&place)?.keys();
    let other = others.find(|label| **label != tried.label)?;
    Some(format!("{other:?} was seen there"))
}

fn last_ended(record: &Record, label: Label) -> Instant {
    let of_label = record.tries.iter().filter(|tried| tried.label == label);
    let ends = of_label.filter_map(|tried| tried.ended.as_ref());
    ends.map(|(at, _)| *at).max().unwrap_or_default()
}
