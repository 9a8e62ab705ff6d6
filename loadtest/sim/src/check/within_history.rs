//! Retention: a recovery brings no more than its namespace keeps.

use super::{Fault, fault};
use crate::record::{Record, Seen};
use crate::scenario::CHANNELS;

pub(super) fn check(record: &Record) -> Vec<Fault> {
    let mut faults = Vec::new();
    for ((client, channel), events) in &record.seen {
        let plan = &CHANNELS[*channel];
        for (at, event) in events {
            if let Seen::Subscribed(reply) = event
                && reply.publications.len() > usize::try_from(plan.history).expect("small")
            {
                let what = format!(
                    "client {client} recovered {} messages of {}, which keeps {}",
                    reply.publications.len(),
                    plan.name,
                    plan.history
                );
                faults.push(fault(*at, what));
            }
        }
    }
    faults
}
