//! Promise 1: what was acknowledged is kept. Durable: for good. Buffered: while its owner lives.

use std::collections::BTreeSet;

use trunkline_shared::Instant;
use trunkline_shared::rules::Class;

use super::numbering::Numbering;
use super::{Fault, fault};
use crate::record::{Label, Outcome, Published, Record};
use crate::scenario::CHANNELS;

pub(super) fn check(record: &Record, numbering: &Numbering) -> Vec<Fault> {
    let channels = CHANNELS.iter().enumerate();
    let faults = channels.flat_map(|(channel, plan)| match plan.class {
        Class::Durable => durable(record, channel),
        Class::Buffered => buffered(record, numbering, channel),
        Class::Ephemeral => Vec::new(),
    });
    faults.collect()
}

fn durable(record: &Record, channel: usize) -> Vec<Fault> {
    let log = record
        .stored
        .get(&channel)
        .map(|log| log.messages.as_slice())
        .unwrap_or_default();
    let kept: BTreeSet<Label> = log.iter().map(|message| message.label).collect();
    let lost = acked(record, channel).filter(|(label, _, _)| !kept.contains(label));
    lost.map(|(label, _, at)| {
        fault(
            at,
            format!("{label:?} was acknowledged, and the store hasn't it"),
        )
    })
    .collect()
}

/// What the last owner acknowledged has a place in the last epoch; a place that nobody saw may hold one of them.
fn buffered(record: &Record, numbering: &Numbering, channel: usize) -> Vec<Fault> {
    let Some(log) = record.histories.get(&channel) else {
        return Vec::new();
    };
    let place = |offset| (channel, log.epoch.clone(), offset);
    let unseen = (1..=log.head)
        .filter(|offset| !numbering.places.contains_key(&place(*offset)))
        .count();
    let has_place = |label: &Label| {
        let places = numbering.labels.get(label);
        places.is_some_and(|places| {
            places
                .iter()
                .any(|(c, epoch, _)| *c == channel && *epoch == log.epoch)
        })
    };
    let mut lost: Vec<_> = acked(record, channel)
        .filter(|(label, publish, _)| publish.sent > record.last_node_start && !has_place(label))
        .collect();
    if lost.len() <= unseen {
        lost.clear();
    }
    let what = |label| {
        format!(
            "{label:?} was acknowledged by the living owner, and {} hasn't it",
            CHANNELS[channel].name
        )
    };
    lost.into_iter()
        .map(|(label, _, at)| fault(at, what(label)))
        .collect()
}

fn acked(
    record: &Record,
    channel: usize,
) -> impl Iterator<Item = (Label, Published, Instant)> + '_ {
    record
        .publishes
        .iter()
        .filter_map(move |(label, publish)| match publish.answer {
            Some((at, Outcome::Acked)) if publish.channel == channel => {
                Some((*label, *publish, at))
            }
            Some((_, Outcome::Acked | Outcome::Refused(_))) | None => None,
        })
}
