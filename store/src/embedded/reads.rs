//! Reads that many rows answer. Each sees whole commits only: a head is never ahead of its messages.

use fjall::{Guard, Readable, Snapshot};
use smol_str::SmolStr;
use trunkline_shared::{Channel, Offset, PublishId, Slot, UnixMillis};
use trunkline_store_core::{
    AllFound, ChannelKey, FindRequest, Found, FoundKey, Head, RangeRequest, StoredMessage,
};

use super::disk::{Disk, DiskError};
use super::key;
use crate::codec::DecodeError;
use crate::record;

impl Disk {
    pub(super) fn heads(&self, channels: &[(Slot, Channel)]) -> Result<Vec<Head>, DiskError> {
        let snapshot = self.snapshot();
        channels
            .iter()
            .map(|(slot, channel)| self.head_in(&snapshot, *slot, channel))
            .collect()
    }

    fn head_in(
        &self,
        snapshot: &Snapshot,
        slot: Slot,
        channel: &Channel,
    ) -> Result<Head, DiskError> {
        let key = key::channel(slot, channel);
        let value = snapshot.get(&self.heads, &key)?;
        if let Some(row) = self.heads.decode(&key, value, record::decode_head)? {
            return Ok(row.head);
        }
        let key = key::slot(slot);
        let value = snapshot.get(&self.slots, key)?;
        let row = self.slots.decode(&key, value, record::decode_slot)?;
        Ok(Head::at_mark(row.map_or(Offset::ZERO, |row| row.mark)))
    }

    /// Whether any channel of these namespaces has a head, in the order asked: goes through the heads until all are found.
    /// No range of keys has a namespace's channels, whose lengths lie before their names.
    pub(super) fn have_heads(&self, namespaces: &[SmolStr]) -> Result<Vec<bool>, DiskError> {
        let mut found = vec![false; namespaces.len()];
        for row in self.snapshot().iter(&self.heads) {
            if found.iter().all(|found| *found) {
                break;
            }
            let key = row.key()?;
            let Some((_, channel)) = key::parse_channel(&key) else {
                continue;
            };
            let namespace = channel.namespace().unwrap_or_default();
            let asked = namespaces.iter().zip(&mut found);
            asked.for_each(|(name, found)| *found |= name == namespace);
        }
        Ok(found)
    }

    pub(super) fn range(&self, request: &RangeRequest) -> Result<Vec<StoredMessage>, DiskError> {
        let snapshot = self.snapshot();
        let head = self.head_in(&snapshot, request.slot, &request.channel)?;
        let Some((from, to)) = request.bounds(head) else {
            return Ok(Vec::new());
        };
        let key = |offset| key::message(request.slot, &request.channel, offset);
        let rows = snapshot.range(&self.messages, key(from)..=key(to));
        if request.descending {
            request.select(rows.rev().map(|row| self.message(row)))
        } else {
            request.select(rows.map(|row| self.message(row)))
        }
    }

    fn message(&self, row: Guard) -> Result<StoredMessage, DiskError> {
        let (key, value) = row.into_inner()?;
        let offset = key::offset_of(&key).ok_or(DecodeError::Field("key"));
        offset
            .and_then(|offset| record::decode_message(offset, &value))
            .map_err(self.messages.damaged(&key))
    }

    pub(super) fn find(&self, request: &FindRequest) -> Result<AllFound, DiskError> {
        let snapshot = self.snapshot();
        let ids = request.ids.iter();
        let ids = ids.map(|(slot, id)| self.find_id(&snapshot, *slot, *id));
        let keys = request.keys.iter();
        let keys = keys.map(|key| self.find_key(&snapshot, key, request.keys_not_before));
        Ok(AllFound {
            ids: ids
                .filter_map(Result::transpose)
                .collect::<Result<_, _>>()?,
            keys: keys
                .filter_map(Result::transpose)
                .collect::<Result<_, _>>()?,
        })
    }

    fn find_key(
        &self,
        snapshot: &Snapshot,
        asked: &ChannelKey,
        not_before: UnixMillis,
    ) -> Result<Option<FoundKey>, DiskError> {
        let rows = &self.idempotency_keys;
        let key = key::idempotency(asked.slot, &asked.channel, &asked.key);
        let row = rows.decode(&key, snapshot.get(rows, &key)?, record::decode_key)?;
        let young = row.filter(|row| row.time >= not_before);
        Ok(young.map(|row| FoundKey {
            key: asked.clone(),
            offset: row.offset,
        }))
    }

    fn find_id(
        &self,
        snapshot: &Snapshot,
        slot: Slot,
        id: PublishId,
    ) -> Result<Option<Found>, DiskError> {
        let key = key::publish_id(slot, id);
        let value = snapshot.get(&self.publish_ids, &key)?;
        let place = self.publish_ids.decode(&key, value, record::decode_place)?;
        Ok(place.map(|place| Found {
            id,
            channel: place.channel,
            offset: place.offset,
        }))
    }
}
