//! Removes heads that nothing has touched for long, with the messages that they have outlived, and raises their slots' marks.
//!
//! A cursor goes round the heads in their order. It looks at more rows than a commit moves heads, so what may go stays a
//! fraction of what stays; after each round it rests.

use std::collections::BTreeMap;
use std::time::Duration;

use fjall::{OwnedWriteBatch, Readable, Slice};
use trunkline_shared::{Channel, Offset, Slot, UnixMillis};
use trunkline_store_core::Head;

use crate::embedded::disk::{Disk, DiskError};
use crate::embedded::key;
use crate::record::{self, SlotRow};

/// Heads looked at with each commit, besides twice as many as it moves.
const ROWS_MIN: usize = 16;

/// Messages removed with each commit at most.
const MESSAGES_MAX: usize = 256;

/// Time between two rounds: short beside any time for which heads are kept.
const REST: Duration = Duration::from_secs(600);

/// Where the removal of old heads stands.
#[derive(Debug)]
pub(in crate::embedded) struct HeadSweep {
    /// `None`: for ever.
    kept: Option<Duration>,
    stand: Stand,
}

#[derive(Debug)]
enum Stand {
    /// The key to go on from.
    At(Vec<u8>),
    /// Since when it rests.
    Resting(UnixMillis),
}

impl HeadSweep {
    /// Begins at the first head; lets none go before it is told for how long they are kept.
    pub(super) const fn new() -> Self {
        Self {
            kept: None,
            stand: Stand::At(Vec::new()),
        }
    }

    /// Says how long untouched heads are kept from now on.
    pub(in crate::embedded) const fn keep(&mut self, kept: Option<Duration>) {
        self.kept = kept;
    }

    /// Puts the removal of old heads into a commit; returns how many go.
    pub(in crate::embedded) fn step(
        &mut self,
        changes: &mut Changes<'_>,
    ) -> Result<u64, DiskError> {
        let Some(kept) = self.kept else {
            return Ok(0);
        };
        let now = changes.now;
        let from = match &self.stand {
            Stand::At(key) => key.clone(),
            // A clock that was set back ends the rest.
            Stand::Resting(since) if (*since..since.plus(REST)).contains(&now) => return Ok(0),
            Stand::Resting(_) => Vec::new(),
        };
        let mut budget = Budget {
            rows: ROWS_MIN + 2 * changes.heads.len(),
            messages: MESSAGES_MAX,
        };
        let passed = changes.pass(from, now.minus(kept), &mut budget)?;
        self.stand = passed.next.map_or(Stand::Resting(now), Stand::At);
        Ok(passed.gone)
    }
}

/// How much may still be done in a commit.
struct Budget {
    rows: usize,
    messages: usize,
}

/// How far the cursor came.
struct Passed {
    /// The key to go on from; `None` at the end of the round.
    next: Option<Vec<u8>>,
    gone: u64,
}

/// Whether a channel has a message that is still needed.
enum Left {
    None,
    Some,
    /// More are to be removed than a commit takes.
    More,
}

/// A commit in the making, as far as it concerns heads.
pub(in crate::embedded) struct Changes<'a> {
    pub(in crate::embedded) disk: &'a Disk,
    pub(in crate::embedded) batch: &'a mut OwnedWriteBatch,
    /// Those that the commit moves: they stay.
    pub(in crate::embedded) heads: &'a BTreeMap<Vec<u8>, Head>,
    pub(in crate::embedded) slots: &'a mut BTreeMap<Slot, SlotRow>,
    pub(in crate::embedded) now: UnixMillis,
}

impl Changes<'_> {
    /// Removes all heads that may go; returns how many.
    pub(in crate::embedded) fn forget_all(
        &mut self,
        untouched_since: UnixMillis,
    ) -> Result<u64, DiskError> {
        let mut budget = Budget {
            rows: usize::MAX,
            messages: usize::MAX,
        };
        let passed = self.pass(Vec::new(), untouched_since, &mut budget)?;
        Ok(passed.gone)
    }

    /// Goes on from a key until the budget is used up.
    fn pass(
        &mut self,
        from: Vec<u8>,
        untouched_since: UnixMillis,
        budget: &mut Budget,
    ) -> Result<Passed, DiskError> {
        let mut gone = 0;
        for row in self.disk.snapshot().range(&self.disk.heads, from..) {
            let (key, value) = row.into_inner()?;
            if budget.rows == 0 {
                return Ok(Passed {
                    next: Some(key.to_vec()),
                    gone,
                });
            }
            budget.rows -= 1;
            // What can't be read is left to the check of a stopped store.
            let Ok(row) = record::decode_head(&value) else {
                continue;
            };
            let Some((slot, channel)) = key::parse_channel(&key) else {
                continue;
            };
            match row.touched {
                Some(touched) if touched < untouched_since && !self.heads.contains_key(&*key) => {
                    match self.remove_messages(slot, &channel, untouched_since, budget)? {
                        Left::None => gone += self.remove_head(slot, &key, row.head.offset)?,
                        Left::Some => {}
                        Left::More => {
                            let next = Some(key.to_vec());
                            return Ok(Passed { next, gone });
                        }
                    }
                }
                // It was written when nobody noted the time: its own begins now.
                None if !self.heads.contains_key(&*key) => {
                    let row = record::encode_head(row.head, self.now);
                    self.batch.insert(&self.disk.heads.keyspace, &*key, row);
                }
                Some(_) | None => {}
            }
        }
        Ok(Passed { next: None, gone })
    }

    /// Removes a channel's messages of before a moment, oldest first, with their publish ids.
    ///
    /// A younger one keeps the others behind it: what is missing is missing at the beginning.
    fn remove_messages(
        &mut self,
        slot: Slot,
        channel: &Channel,
        since: UnixMillis,
        budget: &mut Budget,
    ) -> Result<Left, DiskError> {
        let (disk, key) = (self.disk, |offset| key::message(slot, channel, offset));
        let rows = key(Offset::ZERO)..=key(Offset(u64::MAX));
        for row in disk.snapshot().range(&disk.messages, rows) {
            let (key, value) = row.into_inner()?;
            if budget.messages == 0 {
                return Ok(Left::More);
            }
            budget.messages -= 1;
            let is_old = self.remove_message(slot, channel, &key, &value, since)?;
            if !is_old {
                return Ok(Left::Some);
            }
        }
        Ok(Left::None)
    }

    /// Removes a message if it is older than `since`; whether it is. One that can't be read stays, or whose publish id can't:
    /// damage somewhere must not fail everybody's commit.
    fn remove_message(
        &mut self,
        slot: Slot,
        channel: &Channel,
        key: &Slice,
        value: &Slice,
        since: UnixMillis,
    ) -> Result<bool, DiskError> {
        let offset = key::offset_of(key).unwrap_or_default();
        let message = match record::decode_message(offset, value) {
            Ok(message) if message.publication.time < since => message,
            Ok(_) | Err(_) => return Ok(false),
        };
        let rows = &self.disk.publish_ids;
        let id = key::publish_id(slot, message.id);
        let Ok(place) = rows.decode(&id, rows.keyspace.get(&id)?, record::decode_place) else {
            return Ok(false);
        };
        if place.is_some_and(|place| place.channel == *channel && place.offset == offset) {
            self.batch.remove(&rows.keyspace, id);
        }
        self.batch.remove(&self.disk.messages.keyspace, &**key);
        Ok(true)
    }

    /// Removes a head and raises its slot's mark; one of a slot whose row is damaged or missing stays.
    fn remove_head(&mut self, slot: Slot, key: &Slice, offset: Offset) -> Result<u64, DiskError> {
        let row = match self.slots.get(&slot) {
            Some(row) => Some(*row),
            None => match self.disk.slot(slot) {
                Err(DiskError::Damaged { .. }) => None,
                read => read?,
            },
        };
        let Some(row) = row else {
            return Ok(0);
        };
        let mark = row.mark.max(offset);
        self.slots.insert(slot, SlotRow { mark, ..row });
        self.batch.remove(&self.disk.heads.keyspace, &**key);
        Ok(1)
    }
}

#[cfg(test)]
#[path = "heads_tests.rs"]
mod tests;
