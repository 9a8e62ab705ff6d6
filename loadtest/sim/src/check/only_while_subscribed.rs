//! Nothing of a channel comes before its subscribe reply, or after the subscription's end.

use trunkline_shared::Instant;

use super::{Fault, fault};
use crate::record::{Record, Seen};

pub(super) fn check(record: &Record) -> Vec<Fault> {
    record
        .seen
        .iter()
        .flat_map(|((client, channel), events)| outside(*client, *channel, events))
        .collect()
}

fn outside(client: usize, channel: usize, events: &[(Instant, Seen)]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut subscribed = false;
    for (at, event) in events {
        match event {
            Seen::Subscribed(_) => subscribed = true,
            Seen::Publication(_) if subscribed => {}
            Seen::Publication(message) => {
                faults.push(fault(
                    *at,
                    format!("client {client} got {message:?} of channel {channel}, not subscribed"),
                ));
            }
            Seen::Refused { .. } | Seen::Unsubscribed { .. } | Seen::Left | Seen::Lost => {
                subscribed = false
            }
        }
    }
    faults
}
