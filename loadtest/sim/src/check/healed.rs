//! When the trouble is over, every subscription lives, is up to date, and gets what is published.

use trunkline_shared::Instant;
use trunkline_shared::rules::Class;

use super::{Fault, fault};
use crate::record::{Final, Known, Record};
use crate::scenario::CHANNELS;

const END: Instant = Instant::from_micros(u64::MAX);

pub(super) fn check(record: &Record) -> Vec<Fault> {
    let mut faults: Vec<Fault> = record
        .finals
        .iter()
        .filter_map(|state| subscription(record, state))
        .collect();
    for (channel, plan) in CHANNELS
        .iter()
        .enumerate()
        .filter(|(_, plan)| plan.history > 0)
    {
        faults.extend(log(record, channel, plan.class, plan.name));
    }
    faults
}

fn subscription(record: &Record, state: &Final) -> Option<Fault> {
    let head = record.histories.get(&state.channel);
    let head = head.map(|log| Known {
        epoch: log.epoch.clone(),
        offset: log.head,
    });
    let current = !CHANNELS[state.channel].positioned || state.position == head;
    let good = state.live && state.probed && current;
    (!good).then(|| {
        fault(
            END,
            format!(
                "client {}, {}: {state:?}, the head is {head:?}",
                state.client, CHANNELS[state.channel].name
            ),
        )
    })
}

/// The mesh gives back what the store has.
fn log(record: &Record, channel: usize, class: Class, name: &str) -> Option<Fault> {
    let Some(read) = record.histories.get(&channel) else {
        return Some(fault(
            END,
            format!("the history of {name} was never answered"),
        ));
    };
    let stored = record
        .stored
        .get(&channel)
        .filter(|_| class == Class::Durable)?;
    let kept = usize::try_from(CHANNELS[channel].history)
        .expect("small")
        .min(stored.messages.len());
    let newest = &stored.messages[stored.messages.len() - kept..];
    let same = read.head == stored.head && read.messages == newest;
    (!same).then(|| {
        fault(
            END,
            format!(
                "{name} reads {read:?}, the store has head {} and {newest:?}",
                stored.head
            ),
        )
    })
}
