//! Promise 2: everybody sees one order, and a publisher's messages stand in the order in which it had them acknowledged.

use std::collections::{BTreeMap, BTreeSet};

use trunkline_shared::Instant;

use super::numbering::Numbering;
use super::{Fault, fault};
use crate::record::{Label, Outcome, Published, Record, Seen};

pub(super) fn check(record: &Record, numbering: &Numbering) -> Vec<Fault> {
    let mut faults = Vec::new();
    for ((client, channel), events) in &record.seen {
        faults.extend(ascending(*client, *channel, events));
    }
    faults.extend(by_publisher(record, numbering));
    faults
}

/// Between two subscribe replies offsets only rise.
fn ascending(client: usize, channel: usize, events: &[(Instant, Seen)]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut last = 0;
    for (at, event) in events {
        match event {
            Seen::Subscribed(_) => last = 0,
            Seen::Publication(message) => {
                if message.offset > 0 && message.offset <= last {
                    let what = format!(
                        "client {client} got offset {} of channel {channel} after {last}",
                        message.offset
                    );
                    faults.push(fault(*at, what));
                }
                last = last.max(message.offset);
            }
            Seen::Refused { .. } | Seen::Unsubscribed { .. } | Seen::Left | Seen::Lost => {}
        }
    }
    faults
}

/// When it was acknowledged, its offset, and what it was.
type Acked = (Instant, u64, Label);

fn acked_at(publish: &Published) -> Option<Instant> {
    match publish.answer {
        Some((at, Outcome::Acked)) => Some(at),
        Some((_, Outcome::Refused(_))) | None => None,
    }
}

/// When each message with a key was first acknowledged, by epoch: a buffered one may be taken anew in the next.
fn acked_in_epoch(record: &Record) -> BTreeMap<(Label, &str), Instant> {
    let mut first = BTreeMap::new();
    for (tried, at, known) in record.keyed_acks() {
        let seen = first.entry((tried.label, &*known.epoch)).or_insert(at);
        *seen = at.min(*seen);
    }
    first
}

/// A message that was sent after an earlier one was acknowledged stands behind it.
fn by_publisher(record: &Record, numbering: &Numbering) -> Vec<Fault> {
    let mut faults = Vec::new();
    let in_epoch = acked_in_epoch(record);
    let keyed: BTreeSet<Label> = record.tries.iter().map(|tried| tried.label).collect();
    let mut acked: BTreeMap<(u32, usize, &str), Vec<Acked>> = BTreeMap::new();
    for (label, publish) in &record.publishes {
        let Some(places) = numbering.labels.get(label) else {
            continue;
        };
        for (channel, epoch, offset) in places {
            let before = acked.entry((label.publisher, *channel, epoch)).or_default();
            let is_wrong = |(at, other, _): &&Acked| *at < publish.sent && other > offset;
            if let Some((_, other, first)) = before.iter().find(is_wrong) {
                let what =
                    format!("{label:?} has offset {offset}, {first:?} before it has {other}");
                faults.push(fault(publish.sent, what));
            }
            let at = if keyed.contains(label) {
                in_epoch.get(&(*label, &**epoch)).copied()
            } else {
                acked_at(publish)
            };
            before.extend(at.map(|at| (at, *offset, *label)));
        }
    }
    faults
}
