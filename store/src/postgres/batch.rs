//! Slots' parts as the arrays that one call of the append function takes.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::types::ToSql;
use trunkline_shared::{Offset, Slot};
use trunkline_store_core::{ChannelAppend, Refused, SlotPart, StoredMessage};

use super::error::Fault;
use super::numbers::{name, ordered};
use super::session::Session;
use crate::record;
use crate::stats::Sum;

/// Rows, column by column. No slot comes twice.
#[derive(Default)]
pub(super) struct Batch<'a> {
    slots: Vec<i32>,
    generations: Vec<i64>,
    heads: Heads<'a>,
    messages: Messages<'a>,
    keys: Keys<'a>,
}

#[derive(Default)]
struct Heads<'a> {
    slots: Vec<i32>,
    channels: Vec<&'a [u8]>,
    follows: Vec<i64>,
    offsets: Vec<i64>,
}

#[derive(Default)]
struct Messages<'a> {
    slots: Vec<i32>,
    channels: Vec<&'a [u8]>,
    offsets: Vec<i64>,
    edges: Vec<&'a [u8]>,
    counters: Vec<i64>,
    times: Vec<i64>,
    weights: Vec<i32>,
    records: Vec<Vec<u8>>,
}

#[derive(Default)]
struct Keys<'a> {
    slots: Vec<i32>,
    channels: Vec<&'a [u8]>,
    offsets: Vec<i64>,
    times: Vec<i64>,
    keys: Vec<&'a [u8]>,
}

/// The slots that were refused, and why.
pub(super) type Refusals = BTreeMap<i32, Refused>;

impl<'a> Batch<'a> {
    pub(super) fn of(parts: impl Iterator<Item = &'a SlotPart>) -> Self {
        let mut batch = Self::default();
        for part in parts {
            let slot = number(part.slot);
            batch.slots.push(slot);
            // A generation that no slot reaches fits none.
            batch
                .generations
                .push(i64::try_from(part.generation.0).unwrap_or(-1));
            part.channels
                .iter()
                .for_each(|append| batch.add(slot, append));
        }
        batch
    }

    fn add(&mut self, slot: i32, append: &'a ChannelAppend) {
        let channel = append.channel.as_str().as_bytes();
        let last = append.messages.last();
        let head = last.map_or(Offset(0), |message| message.publication.offset);
        self.heads.slots.push(slot);
        self.heads.channels.push(channel);
        // An offset beyond the column's range follows no head, as none gets there.
        self.heads.follows.push(ordered(append.follows.0));
        self.heads.offsets.push(ordered(head.0));
        for message in &append.messages {
            self.messages.add(slot, channel, message);
        }
        for (key, message) in append.keyed() {
            let publication = &message.expect("keys are checked before").publication;
            self.keys.slots.push(slot);
            self.keys.channels.push(channel);
            self.keys.offsets.push(ordered(publication.offset.0));
            self.keys.times.push(ordered(publication.time.0));
            self.keys.keys.push(key.as_bytes());
        }
    }

    /// Appends all of it in one call; nothing of it when that fails.
    pub(super) async fn append(&self, session: &Session) -> Result<Refusals, Fault> {
        let (heads, messages, keys) = (&self.heads, &self.messages, &self.keys);
        let columns: [&(dyn ToSql + Sync); 19] = [
            &self.slots,
            &self.generations,
            &heads.slots,
            &heads.channels,
            &heads.follows,
            &heads.offsets,
            &messages.slots,
            &messages.channels,
            &messages.offsets,
            &messages.edges,
            &messages.counters,
            &messages.times,
            &messages.weights,
            &messages.records,
            &keys.slots,
            &keys.channels,
            &keys.offsets,
            &keys.times,
            &keys.keys,
        ];
        let statements = &session.statements;
        let rows = if keys.slots.is_empty() {
            session.query(&statements.append, &columns[..14]).await?
        } else {
            session.query(&statements.append_keyed, &columns).await?
        };
        let refusal = |row: &tokio_postgres::Row| {
            let for_head = row.try_get(1)?;
            let reason = if for_head {
                Refused::Head
            } else {
                Refused::Generation
            };
            Ok((row.try_get(0)?, reason))
        };
        // The call has committed: what it says can't be read is as good as not said.
        let refusals: Result<_, tokio_postgres::Error> = rows.iter().map(refusal).collect();
        refusals.map_err(|error| Fault::Lost(error.to_string()))
    }

    /// What was committed of it.
    pub(super) fn sum(&self, refusals: &Refusals) -> Sum {
        let messages = self.messages.slots.iter().zip(&self.messages.records);
        let taken = messages.filter(|(slot, _)| !refusals.contains_key(slot));
        taken.fold(
            Sum {
                refused: refusals.len() as u64,
                ..Sum::default()
            },
            |sum, (_, record)| Sum {
                messages: sum.messages + 1,
                bytes: sum.bytes + record.len() as u64,
                ..sum
            },
        )
    }
}

impl<'a> Messages<'a> {
    fn add(&mut self, slot: i32, channel: &'a [u8], message: &'a StoredMessage) {
        let publication = &message.publication;
        self.slots.push(slot);
        self.channels.push(channel);
        self.offsets.push(ordered(publication.offset.0));
        self.edges.push(&message.id.edge.0);
        self.counters.push(name(message.id.counter));
        self.times.push(ordered(publication.time.0));
        self.weights
            .push(i32::try_from(message.weight()).unwrap_or(i32::MAX));
        self.records.push(record::encode_message(message));
    }
}

/// A slot as the tables have it.
pub(super) fn number(slot: Slot) -> i32 {
    slot.number().into()
}

/// Cuts parts into runs in which no slot comes twice, keeping their order.
pub(super) fn runs<T>(items: Vec<T>, slots: impl Fn(&T) -> Vec<Slot>) -> Vec<Vec<T>> {
    let (mut runs, mut seen) = (Vec::new(), BTreeSet::new());
    for item in items {
        let named = slots(&item);
        if runs.is_empty() || named.iter().any(|slot| seen.contains(slot)) {
            runs.push(Vec::new());
            seen.clear();
        }
        seen.extend(named);
        if let Some(run) = runs.last_mut() {
            run.push(item);
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use trunkline_store_core::suite::make::slot;

    use super::*;

    #[test]
    fn a_run_ends_before_a_slot_that_it_has() {
        let items = vec![vec![1, 2], vec![3], vec![2], vec![1], vec![1]];
        let slots = |numbers: &Vec<u16>| numbers.iter().map(|number| slot(*number)).collect();
        assert_eq!(
            runs(items, slots),
            [
                vec![vec![1, 2], vec![3]],
                vec![vec![2], vec![1]],
                vec![vec![1]]
            ]
        );
    }
}
