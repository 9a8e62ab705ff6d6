//! Promise 3: a subscriber gets everything after its position, or is told that it can't.

use trunkline_shared::Instant;

use super::{Fault, fault};
use crate::record::{Record, Seen, Subscribed};
use crate::scenario::CHANNELS;

pub(super) fn check(record: &Record) -> Vec<Fault> {
    let positioned = record
        .seen
        .iter()
        .filter(|((_, channel), _)| CHANNELS[*channel].positioned);
    positioned
        .flat_map(|((client, channel), events)| stretches(*client, *channel, events))
        .collect()
}

/// Follows one subscription: within a stretch every offset is the one after the last.
fn stretches(client: usize, channel: usize, events: &[(Instant, Seen)]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut position = None;
    for (at, event) in events {
        let result = match event {
            Seen::Subscribed(reply) => begin(reply).map(Some),
            Seen::Publication(message) => match position {
                Some(last) if message.offset > last + 1 => {
                    Err(format!("offset {} after {last}", message.offset))
                }
                Some(last) => Ok(Some(message.offset.max(last))),
                None => Ok(None),
            },
            Seen::Refused { .. } | Seen::Unsubscribed { .. } | Seen::Left | Seen::Lost => Ok(None),
        };
        match result {
            Ok(now) => position = now,
            Err(what) => {
                let name = CHANNELS[channel].name;
                faults.push(fault(*at, format!("client {client}, {name}: {what}")));
                position = None;
            }
        }
    }
    faults
}

/// A reply that says *recovered* brings everything after the position asked, of the epoch asked.
fn begin(reply: &Subscribed) -> Result<u64, String> {
    if !reply.positioned {
        return Err("a subscription without a position".to_owned());
    }
    if !reply.recovered {
        let silent = reply.publications.is_empty();
        return if silent {
            Ok(reply.offset)
        } else {
            Err("publications without a recovery".to_owned())
        };
    }
    let asked = reply
        .asked
        .as_ref()
        .ok_or_else(|| "recovered without being asked".to_owned())?;
    if asked.epoch != reply.epoch {
        return Err(format!(
            "recovered epoch {} as {}",
            asked.epoch, reply.epoch
        ));
    }
    let mut last = asked.offset;
    for message in &reply.publications {
        if message.offset != last + 1 {
            return Err(format!("recovered offset {} after {last}", message.offset));
        }
        last = message.offset;
    }
    Ok(last)
}
