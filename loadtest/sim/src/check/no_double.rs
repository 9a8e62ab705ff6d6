//! Promise 4: a publish is stored and delivered once.

use std::collections::{BTreeMap, BTreeSet};

use trunkline_shared::Instant;

use super::numbering::Numbering;
use super::{Fault, fault};
use crate::record::{Label, Record, Seen};
use crate::scenario::CHANNELS;

pub(super) fn check(record: &Record, numbering: &Numbering) -> Vec<Fault> {
    let mut faults = in_store(record);
    faults.extend(in_one_epoch(record, numbering));
    for ((client, channel), events) in &record.seen {
        faults.extend(delivered(*client, *channel, events));
    }
    faults
}

fn in_store(record: &Record) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (channel, log) in &record.stored {
        let mut seen = BTreeMap::new();
        for message in &log.messages {
            if let Some(first) = seen.insert(message.label, message.offset) {
                let what = format!(
                    "{:?} is stored twice in channel {channel}: {first} and {}",
                    message.label, message.offset
                );
                faults.push(fault(sent(record, message.label), what));
            }
        }
    }
    faults
}

fn in_one_epoch(record: &Record, numbering: &Numbering) -> Vec<Fault> {
    let twice = |(label, places): (&Label, &BTreeSet<(usize, String, u64)>)| {
        let epochs: BTreeSet<_> = places
            .iter()
            .map(|(channel, epoch, _)| (channel, epoch))
            .collect();
        let what = || format!("{label:?} has several places: {places:?}");
        (epochs.len() < places.len()).then(|| fault(sent(record, *label), what()))
    };
    numbering.labels.iter().filter_map(twice).collect()
}

/// Within one epoch no client gets a message twice, whatever happens to its connection; without a position, while its
/// connection lives: another edge may be behind.
fn delivered(client: usize, channel: usize, events: &[(Instant, Seen)]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut epoch = String::new();
    let mut seen = BTreeSet::new();
    for (at, event) in events {
        let messages = match event {
            Seen::Subscribed(reply) => {
                if reply.epoch != epoch {
                    seen.clear();
                }
                epoch.clone_from(&reply.epoch);
                reply.publications.clone()
            }
            Seen::Publication(message) => vec![*message],
            Seen::Lost if !CHANNELS[channel].positioned => {
                seen.clear();
                continue;
            }
            Seen::Refused { .. } | Seen::Unsubscribed { .. } | Seen::Left | Seen::Lost => continue,
        };
        for message in messages {
            if !seen.insert(message.label) {
                let what = format!(
                    "client {client} got {:?} of channel {channel} twice",
                    message.label
                );
                faults.push(fault(*at, what));
            }
        }
    }
    faults
}

fn sent(record: &Record, label: Label) -> Instant {
    record
        .publishes
        .get(&label)
        .map_or(Instant::ZERO, |publish| publish.sent)
}
