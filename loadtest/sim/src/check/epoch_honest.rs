//! Promise 2: a place (channel, epoch, offset) never names two messages, and the store's log is what was delivered.

use std::collections::BTreeMap;

use super::numbering::Numbering;
use super::{Fault, fault};
use crate::record::{Label, Record};

pub(super) fn check(record: &Record, numbering: &Numbering) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (place, labels) in numbering
        .places
        .iter()
        .filter(|(_, labels)| labels.len() > 1)
    {
        let at = labels.values().max().copied().unwrap_or_default();
        faults.push(fault(
            at,
            format!("{place:?} names {:?}", labels.keys().collect::<Vec<_>>()),
        ));
    }
    for (channel, log) in &record.stored {
        let stored: BTreeMap<u64, Label> = log
            .messages
            .iter()
            .map(|message| (message.offset, message.label))
            .collect();
        for ((_, _, offset), labels) in numbering
            .places
            .iter()
            .filter(|((other, _, offset), _)| other == channel && *offset > log.floor)
        {
            let differs = |(label, _): &(&Label, _)| stored.get(offset) != Some(*label);
            if let Some((label, at)) = labels.iter().find(differs) {
                let what = format!(
                    "offset {offset} of channel {channel} was {label:?}, the store has {:?}",
                    stored.get(offset)
                );
                faults.push(fault(*at, what));
            }
        }
    }
    faults
}
