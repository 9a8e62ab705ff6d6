//! Reads that many rows answer. Each sees whole commits only: a head is never ahead of its messages.

use fjall::{Guard, Readable, Snapshot};
use trunkline_shared::{Channel, PublishId, Slot};
use trunkline_store_core::{Found, Head, RangeRequest, StoredMessage};

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
        Ok(self
            .heads
            .decode(&key, value, record::decode_head)?
            .unwrap_or_default())
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

    pub(super) fn find(&self, ids: &[(Slot, PublishId)]) -> Result<Vec<Found>, DiskError> {
        let snapshot = self.snapshot();
        let found = ids
            .iter()
            .map(|(slot, id)| self.find_in(&snapshot, *slot, *id));
        found.filter_map(Result::transpose).collect()
    }

    fn find_in(
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
