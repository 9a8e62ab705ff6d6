//! Promise 1: what was acknowledged is kept. Durable: for good. Buffered: while its owner lives.

use std::collections::BTreeSet;
use std::time::Duration;

use trunkline_shared::Instant;
use trunkline_shared::rules::Class;

use super::numbering::Numbering;
use super::{Fault, fault};
use crate::record::{Label, Outcome, Published, Record, Removal};
use crate::scenario::CHANNELS;

/// How long a removal may be under way: its deadline, and the longest silence of a link.
const UNDER_WAY: Duration = Duration::from_secs(20);

pub(super) fn check(record: &Record, numbering: &Numbering) -> Vec<Fault> {
    let channels = CHANNELS.iter().enumerate();
    let faults = channels.flat_map(|(channel, plan)| match plan.class {
        Class::Durable => durable(record, numbering, channel),
        Class::Buffered => buffered(record, numbering, channel),
        Class::Ephemeral => Vec::new(),
    });
    faults.collect()
}

/// What was acknowledged is in the store, or was removed: then a removal was called for it, and it has a place up to the
/// floor; a place that nobody saw may be one of theirs.
fn durable(record: &Record, numbering: &Numbering, channel: usize) -> Vec<Fault> {
    let Some(log) = record.stored.get(&channel) else {
        return Vec::new();
    };
    let kept: BTreeSet<Label> = log.messages.iter().map(|message| message.label).collect();
    let places = |label: &Label| numbering.labels.get(label).into_iter().flatten();
    let seen: BTreeSet<u64> = numbering
        .places
        .keys()
        .filter(|(other, _, _)| *other == channel)
        .map(|(_, _, offset)| *offset)
        .collect();
    let mut unseen = (1..=log.floor)
        .filter(|offset| !seen.contains(offset))
        .count();
    let mut may_be_removed = |label: &Label, publish: &Published| {
        let was_called = record
            .removals
            .iter()
            .any(|removal| removal.channel == channel && may_take(removal, publish));
        let has_place = places(label).next().is_some();
        if was_called && !has_place && unseen > 0 {
            unseen -= 1;
            return true;
        }
        was_called && places(label).any(|(_, _, offset)| *offset <= log.floor)
    };
    acked(record, channel)
        .filter(|(label, publish, _)| !kept.contains(label) && !may_be_removed(label, publish))
        .map(|(label, _, at)| {
            fault(
                at,
                format!("{label:?} was acknowledged, and the store hasn't it"),
            )
        })
        .collect()
}

/// Whether a message was published before a removal was done; one that isn't known to be done may still have been under
/// way for as long as a link is silent before it ends.
fn may_take(removal: &Removal, publish: &Published) -> bool {
    let over = removal.removed.as_ref().map(|removed| removed.at);
    publish.sent <= over.unwrap_or(removal.sent + UNDER_WAY)
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
    let owned_since = record.owned_since.get(&channel).copied();
    let owned_since = owned_since.unwrap_or_default();
    let mut lost: Vec<_> = acked(record, channel)
        .filter(|(label, publish, _)| publish.sent > owned_since && !has_place(label))
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
