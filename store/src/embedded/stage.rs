//! A commit in the making: checks each call against what is stored and what the calls before it in the same commit change.

use std::collections::BTreeMap;

use smol_str::SmolStr;
use trunkline_shared::{Epoch, Offset, Slot, UnixMillis, ViewVersion};
use trunkline_store_core::check::{check_append, check_claim};
use trunkline_store_core::{
    AppendOutcome, ChannelAppend, ClaimError, ClaimRequest, Claimed, FloorError, FloorRequest,
    Generation, Head, Refused, SlotPart, StoreError, ViewChange, ViewRow,
};

use super::disk::{Disk, DiskError};
use super::key;
use super::last_seen::Seen;
use super::sweep::{Changes, Sweep};
use crate::record::{self, KeyRow, SlotRow};
use crate::stats::Sum;

/// Heads of a slot's part as they are after it, by their keys.
type MovedHeads = Vec<(Vec<u8>, Head)>;

/// Changes that are about to be committed. A row that changes twice is written once.
pub(super) struct Stage<'a> {
    disk: &'a Disk,
    slots: BTreeMap<Slot, SlotRow>,
    heads: BTreeMap<Vec<u8>, Head>,
    messages: Vec<(Vec<u8>, Vec<u8>)>,
    publish_ids: BTreeMap<Vec<u8>, Vec<u8>>,
    idempotency_keys: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What this machine's clock shows.
    now: UnixMillis,
    /// The view, with rules where there are new ones.
    view: Option<ViewRow>,
    seen: Seen,
    /// Heads that weren't touched since then go now, all that may.
    forget: Option<UnixMillis>,
    sum: Sum,
}

impl<'a> Stage<'a> {
    pub(super) fn new(disk: &'a Disk, now: UnixMillis) -> Self {
        Self {
            disk,
            slots: BTreeMap::new(),
            heads: BTreeMap::new(),
            messages: Vec::new(),
            publish_ids: BTreeMap::new(),
            idempotency_keys: BTreeMap::new(),
            now,
            view: None,
            seen: Seen::default(),
            forget: None,
            sum: Sum::default(),
        }
    }

    /// Writes all changes in one synced batch, and removes some of what is out of date along with them.
    pub(super) fn commit(mut self, sweep: &mut Sweep) -> Result<Sum, DiskError> {
        self.disk.wait_for_tables()?;
        let mut batch = self.disk.batch();
        sweep
            .keys
            .step(self.disk, &mut batch, &self.idempotency_keys, self.now)?;
        let mut changes = Changes {
            disk: self.disk,
            batch: &mut batch,
            heads: &self.heads,
            slots: &mut self.slots,
            now: self.now,
        };
        self.sum.heads_removed = match self.forget {
            Some(untouched_since) => changes.forget_all(untouched_since)?,
            None => sweep.heads.step(&mut changes)?,
        };
        for (key, value) in self.idempotency_keys {
            batch.insert(&self.disk.idempotency_keys.keyspace, key, value);
        }
        for (key, value) in self.messages {
            batch.insert(&self.disk.messages.keyspace, key, value);
        }
        for (key, value) in self.publish_ids {
            batch.insert(&self.disk.publish_ids.keyspace, key, value);
        }
        for (key, head) in self.heads {
            let row = record::encode_head(head, self.now);
            batch.insert(&self.disk.heads.keyspace, key, row);
        }
        for (slot, row) in self.slots {
            batch.insert(
                &self.disk.slots.keyspace,
                key::slot(slot),
                record::encode_slot(&row),
            );
        }
        self.seen.put(self.disk, &mut batch);
        if let Some(row) = &self.view {
            self.disk.put_view(&mut batch, row);
        }
        batch.commit()?;
        Ok(self.sum)
    }

    pub(super) fn append(&mut self, parts: Vec<SlotPart>) -> AppendOutcome {
        self.sum.appends += 1;
        let checked = check_append(&parts).and_then(|()| Ok(self.check_all(&parts)?));
        let checked = match checked {
            Ok(checked) => checked,
            Err(error) => return AppendOutcome::Failed(error),
        };
        let mut refused = Vec::new();
        for (part, checked) in parts.into_iter().zip(checked) {
            match checked {
                Ok(moved) => self.take(part, moved),
                Err(reason) => refused.push((part.slot, reason)),
            }
        }
        self.sum.refused += refused.len() as u64;
        AppendOutcome::Committed { refused }
    }

    fn check_all(&self, parts: &[SlotPart]) -> Result<Vec<Result<MovedHeads, Refused>>, DiskError> {
        parts.iter().map(|part| self.check(part)).collect()
    }

    fn check(&self, part: &SlotPart) -> Result<Result<MovedHeads, Refused>, DiskError> {
        if !self.has_generation(part.slot, part.generation)? {
            return Ok(Err(Refused::Generation));
        }
        let mut moved = Vec::with_capacity(part.channels.len());
        for append in &part.channels {
            let key = key::channel(part.slot, &append.channel);
            let head = self.standing(part.slot, &key)?;
            if head.offset != append.follows {
                return Ok(Err(Refused::Head));
            }
            let offset = append
                .messages
                .last()
                .map_or(head.offset, |message| message.publication.offset);
            moved.push((key, Head { offset, ..head }));
        }
        Ok(Ok(moved))
    }

    fn has_generation(&self, slot: Slot, generation: Generation) -> Result<bool, DiskError> {
        Ok(self
            .slot(slot)?
            .is_some_and(|row| row.generation == generation))
    }

    fn slot(&self, slot: Slot) -> Result<Option<SlotRow>, DiskError> {
        match self.slots.get(&slot) {
            Some(row) => Ok(Some(*row)),
            None => self.disk.slot(slot),
        }
    }

    fn head(&self, key: &[u8]) -> Result<Option<Head>, DiskError> {
        match self.heads.get(key) {
            Some(head) => Ok(Some(*head)),
            None => self.disk.head(key),
        }
    }

    /// Where the channel of a key stands.
    fn standing(&self, slot: Slot, key: &[u8]) -> Result<Head, DiskError> {
        if let Some(head) = self.head(key)? {
            return Ok(head);
        }
        let mark = self.slot(slot)?.map_or(Offset::ZERO, |row| row.mark);
        Ok(Head::at_mark(mark))
    }

    fn take(&mut self, part: SlotPart, moved: MovedHeads) {
        for append in part.channels {
            self.take_channel(part.slot, append);
        }
        self.heads.extend(moved);
    }

    fn take_channel(&mut self, slot: Slot, append: ChannelAppend) {
        for (key, message) in append.keyed() {
            let publication = &message.expect("keys are checked before").publication;
            let row = KeyRow {
                offset: publication.offset,
                time: publication.time,
                stored: self.now,
            };
            self.idempotency_keys.insert(
                key::idempotency(slot, &append.channel, key),
                record::encode_key(row),
            );
        }
        let ChannelAppend {
            channel, messages, ..
        } = append;
        for message in messages {
            let offset = message.publication.offset;
            let value = record::encode_message(&message);
            self.sum.messages += 1;
            self.sum.bytes += value.len() as u64;
            self.messages
                .push((key::message(slot, &channel, offset), value));
            self.publish_ids.insert(
                key::publish_id(slot, message.id),
                record::encode_place(&channel, offset),
            );
        }
    }

    pub(super) fn claim(&mut self, request: &ClaimRequest) -> Result<Vec<Claimed>, ClaimError> {
        check_claim(request)?;
        let rows = self.rows(request).map_err(StoreError::from)?;
        match rows.iter().flatten().map(|row| row.view).max() {
            Some(later) if later > request.view => return Err(ClaimError::LaterView(later)),
            Some(_) | None => {}
        }
        let slots = request.slots.iter().zip(rows);
        Ok(slots
            .map(|((slot, new_epoch), row)| self.claim_slot(request.view, *slot, *new_epoch, row))
            .collect())
    }

    fn rows(&self, request: &ClaimRequest) -> Result<Vec<Option<SlotRow>>, DiskError> {
        request
            .slots
            .iter()
            .map(|(slot, _)| self.slot(*slot))
            .collect()
    }

    fn claim_slot(
        &mut self,
        view: ViewVersion,
        slot: Slot,
        new_epoch: bool,
        before: Option<SlotRow>,
    ) -> Claimed {
        let generation = Generation(before.map_or(0, |row| row.generation.0) + 1);
        let epoch = match before {
            Some(row) if !new_epoch => row.epoch,
            Some(_) | None => Epoch::new(getrandom::u64().expect("the system has randomness")),
        };
        self.slots.insert(
            slot,
            SlotRow {
                generation,
                epoch,
                view,
                mark: before.map_or(Offset::ZERO, |row| row.mark),
            },
        );
        Claimed {
            slot,
            generation,
            epoch,
        }
    }

    pub(super) fn raise_floor(&mut self, request: &FloorRequest) -> Result<Head, FloorError> {
        if !self
            .has_generation(request.slot, request.generation)
            .map_err(StoreError::from)?
        {
            return Err(FloorError::Generation);
        }
        let key = key::channel(request.slot, &request.channel);
        let Some(head) = self.head(&key).map_err(StoreError::from)? else {
            let standing = self.standing(request.slot, &key);
            return Ok(standing.map_err(StoreError::from)?);
        };
        let head = head.with_floor(request.floor);
        self.heads.insert(key, head);
        Ok(head)
    }

    pub(super) fn change_view(&mut self, change: ViewChange) -> Result<bool, StoreError> {
        let version = match &self.view {
            Some(row) => Some(row.view.version),
            None => self.disk.view()?.map(|view| view.version),
        };
        let fits = version == change.expected;
        if fits {
            let before = self.view.take().and_then(|row| row.rules);
            self.view = Some(ViewRow {
                view: change.view,
                rules: change.rules.or(before),
            });
        }
        Ok(fits)
    }

    pub(super) const fn forget_heads(&mut self, untouched_since: UnixMillis) {
        self.forget = Some(untouched_since);
    }

    pub(super) fn saw(&mut self, users: Vec<(SmolStr, UnixMillis)>) -> Result<(), StoreError> {
        Ok(self.seen.take(self.disk, users)?)
    }
}
