//! What was removed is gone: from every history, and from every recovery that was asked for after the removal was answered.
//!
//! Another edge than the one that was called hears of a removal a moment later, and until then answers as it did; so
//! recoveries are looked at where the removal was called, and the history, which is the owner's, at the end.

use super::{Fault, fault};
use crate::record::{Record, Removal, Removed, Seen, Subscribed};
use crate::scenario::CHANNELS;

pub(super) fn check(record: &Record) -> Vec<Fault> {
    let done = record
        .removals
        .iter()
        .filter_map(|removal| Some((removal, removal.removed.as_ref()?)));
    done.flat_map(|(removal, removed)| {
        let mut faults = in_history(record, removal, removed);
        faults.extend(in_recoveries(record, removal, removed));
        faults
    })
    .collect()
}

fn in_history(record: &Record, removal: &Removal, removed: &Removed) -> Vec<Fault> {
    let log = record
        .histories
        .get(&removal.channel)
        .filter(|log| log.epoch == removed.epoch);
    let left = log
        .into_iter()
        .flat_map(|log| &log.messages)
        .filter(|message| message.offset <= removed.floor);
    let what = |offset| {
        format!(
            "offset {offset} of {} is read, and was removed up to {}",
            CHANNELS[removal.channel].name, removed.floor
        )
    };
    left.map(|message| fault(removed.at, what(message.offset)))
        .collect()
}

fn in_recoveries(record: &Record, removal: &Removal, removed: &Removed) -> Vec<Fault> {
    let is_later = |reply: &Subscribed| {
        reply.sent > removed.at && reply.edge == removal.edge && reply.epoch == removed.epoch
    };
    let is_old = |reply: &Subscribed| {
        let mut messages = reply.publications.iter();
        messages.any(|message| message.offset <= removed.floor)
    };
    let mut faults = Vec::new();
    let of_channel = record
        .seen
        .iter()
        .filter(|((_, channel), _)| *channel == removal.channel);
    for ((client, _), events) in of_channel {
        for (at, event) in events {
            if let Seen::Subscribed(reply) = event
                && is_later(reply)
                && is_old(reply)
            {
                let what = format!(
                    "client {client} recovered what was removed of {} up to {}",
                    CHANNELS[removal.channel].name, removed.floor
                );
                faults.push(fault(*at, what));
            }
        }
    }
    faults
}
