//! Promise 6: ephemeral publications are at most once on a connection, and have no place.

use std::collections::BTreeSet;

use trunkline_shared::rules::Class;

use super::{Fault, fault};
use crate::record::{Record, Seen};
use crate::scenario::CHANNELS;

pub(super) fn check(record: &Record) -> Vec<Fault> {
    let mut faults = Vec::new();
    let is_ephemeral = |channel: &usize| CHANNELS[*channel].class == Class::Ephemeral;
    for ((client, _), events) in record
        .seen
        .iter()
        .filter(|((_, channel), _)| is_ephemeral(channel))
    {
        let mut seen = BTreeSet::new();
        for (at, event) in events {
            if *event == Seen::Lost {
                seen.clear();
            }
            let Seen::Publication(message) = event else {
                continue;
            };
            if !seen.insert(message.label) || message.offset != 0 {
                faults.push(fault(
                    *at,
                    format!("client {client} got {message:?} twice, or with a place"),
                ));
            }
        }
    }
    faults
}
