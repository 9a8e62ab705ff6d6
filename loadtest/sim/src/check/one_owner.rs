//! Promise 5: one owner. Two processes never both had an append committed under one generation of a slot, and a slot is never
//! claimed under an older view than before; a buffered epoch is numbered by one owner, and ends with every change of owner.

use std::collections::BTreeSet;

use trunkline_shared::{Instant, ViewVersion};

use super::{Fault, fault};
use crate::record::Record;
use crate::scenario::CHANNELS;

/// What has no time of its own.
const END: Instant = Instant::from_micros(u64::MAX);

pub(super) fn check(record: &Record) -> Vec<Fault> {
    let mut faults = one_writer(record);
    faults.extend(claims_ascend(record));
    faults.extend(epochs_end(record));
    faults
}

fn one_writer(record: &Record) -> Vec<Fault> {
    let several = record.ownership.committed.iter();
    let several = several.filter(|(_, processes)| processes.len() > 1);
    let describe = |((slot, generation), processes): (&(_, _), &BTreeSet<_>)| {
        let what = format!("{slot:?} was written under {generation:?} by {processes:?}");
        fault(END, what)
    };
    several.map(describe).collect()
}

fn claims_ascend(record: &Record) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (slot, claims) in &record.ownership.claims {
        for pair in claims.windows(2) {
            let [(_, before), (generation, view)] = pair else {
                continue;
            };
            if view < before {
                let what =
                    format!("{slot:?} was claimed as {generation:?} under {view}, after {before}");
                faults.push(fault(END, what));
            }
        }
    }
    faults
}

/// One epoch, one term: the views from one change of owner to the next.
fn epochs_end(record: &Record) -> Vec<Fault> {
    let mut faults = Vec::new();
    for ((channel, epoch), numbered) in &record.ownership.numbered {
        let nodes: BTreeSet<usize> = numbered.iter().map(|by| by.node).collect();
        let terms: BTreeSet<usize> = numbered
            .iter()
            .map(|by| term(record, *channel, by.version))
            .collect();
        if nodes.len() > 1 || terms.len() > 1 {
            let name = CHANNELS[*channel].name;
            let what = format!("epoch {epoch} of {name} was numbered in {terms:?}: {numbered:?}");
            faults.push(fault(END, what));
        }
    }
    faults
}

/// How often a channel had another owner until a view.
fn term(record: &Record, channel: usize, version: ViewVersion) -> usize {
    let owners = &record.ownership.owners[channel];
    let until = owners.iter().filter(|(view, _)| *view <= version);
    let lives: Vec<_> = until.map(|(_, owner)| owner).collect();
    lives.windows(2).filter(|pair| pair[0] != pair[1]).count()
}
