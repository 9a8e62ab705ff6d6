//! When the trouble is over, presence names exactly those that are there.

use trunkline_shared::Instant;

use super::{Fault, fault};
use crate::record::Record;
use crate::scenario::CHANNELS;

pub(super) fn check(record: &Record) -> Vec<Fault> {
    let end = Instant::from_micros(u64::MAX);
    let mut faults = Vec::new();
    for (channel, plan) in CHANNELS
        .iter()
        .enumerate()
        .filter(|(_, plan)| plan.presence)
    {
        let Some(presence) = record
            .presences
            .iter()
            .find(|presence| presence.channel == channel)
        else {
            faults.push(fault(
                end,
                format!("presence of {} was never answered", plan.name),
            ));
            continue;
        };
        if presence.named != presence.expected {
            faults.push(fault(end, format!("{presence:?}")));
        }
    }
    faults
}
