//! Promise 2, by connection: what was sent one after another through one connection stands in that order, whether it was
//! acknowledged or not, unless the first was answered with an error before the second was sent.

use std::collections::BTreeMap;

use trunkline_shared::Instant;
use trunkline_shared::rules::Class;

use super::numbering::Numbering;
use super::{Fault, fault};
use crate::network::SocketId;
use crate::record::{Label, Outcome, Published, Record};
use crate::scenario::CHANNELS;

pub(super) fn check(record: &Record, numbering: &Numbering) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut sent: BTreeMap<(SocketId, usize, &str), Vec<Kept>> = BTreeMap::new();
    for (label, publish) in &record.publishes {
        let Some(connection) = publish.connection else {
            continue;
        };
        for (epoch, offset) in places(record, numbering, *label, publish) {
            let key = (connection, publish.channel, epoch);
            let before = sent.entry(key).or_default();
            if let Some(other) = before.iter().find(|other| other.is_wrong(publish, offset)) {
                let name = CHANNELS[publish.channel].name;
                let what = format!(
                    "{label:?} has offset {offset} of {name}, {:?} sent before it on the same connection has {}",
                    other.label, other.offset
                );
                faults.push(fault(publish.sent, what));
            }
            before.push(Kept {
                label: *label,
                offset,
                refused: refused_at(publish),
            });
        }
    }
    faults
}

/// A message that has a place.
struct Kept {
    label: Label,
    offset: u64,
    refused: Option<Instant>,
}

impl Kept {
    /// Whether it stands behind one that was sent later.
    fn is_wrong(&self, later: &Published, offset: u64) -> bool {
        let was_refused = self.refused.is_some_and(|at| at <= later.sent);
        self.offset > offset && !was_refused
    }
}

/// Places by the numbering that they belong to. That of a durable channel goes on from epoch to epoch, and the store has all
/// of it that wasn't removed.
fn places<'a>(
    record: &Record,
    numbering: &'a Numbering,
    label: Label,
    publish: &Published,
) -> Vec<(&'a str, u64)> {
    match CHANNELS[publish.channel].class {
        Class::Durable => {
            let log = record.stored.get(&publish.channel).into_iter();
            log.flat_map(|log| &log.messages)
                .filter(|message| message.label == label)
                .map(|message| ("", message.offset))
                .collect()
        }
        Class::Buffered | Class::Ephemeral => {
            let seen = numbering.labels.get(&label).into_iter().flatten();
            seen.map(|(_, epoch, offset)| (&**epoch, *offset)).collect()
        }
    }
}

fn refused_at(publish: &Published) -> Option<Instant> {
    match publish.answer {
        Some((at, Outcome::Refused(_))) => Some(at),
        Some((_, Outcome::Acked)) | None => None,
    }
}
