//! Reading all rows of a keyspace, one at a time.

use fjall::{Readable, Snapshot};
use trunkline_shared::{Channel, PublishId, Slot};
use trunkline_store_core::{ChannelKey, StoredMessage};

use crate::codec::DecodeError;
use crate::embedded::disk::{DiskError, Rows};
use crate::embedded::key;
use crate::record::{self, HeadRow, KeyRow, Place, SlotRow};

/// Reads a keyspace in the order of its keys, each row as `parse` reads it.
pub(super) fn each<'a, T>(
    snapshot: &Snapshot,
    rows: &'a Rows,
    parse: impl Fn(&[u8], &[u8]) -> Result<T, DecodeError> + 'a,
) -> impl Iterator<Item = Result<T, DiskError>> + 'a {
    snapshot.iter(rows).map(move |row| {
        let (key, value) = row.into_inner()?;
        parse(&key, &value).map_err(rows.damaged(&key))
    })
}

pub(super) fn slot(key: &[u8], value: &[u8]) -> Result<(Slot, SlotRow), DecodeError> {
    let slot = key::parse_slot(key).ok_or(DecodeError::Field("key"))?;
    Ok((slot, record::decode_slot(value)?))
}

pub(super) fn head(key: &[u8], value: &[u8]) -> Result<(Slot, Channel, HeadRow), DecodeError> {
    let (slot, channel) = key::parse_channel(key).ok_or(DecodeError::Field("key"))?;
    Ok((slot, channel, record::decode_head(value)?))
}

pub(super) fn message(
    key: &[u8],
    value: &[u8],
) -> Result<(Slot, Channel, StoredMessage), DecodeError> {
    let (slot, channel, offset) = key::parse_message(key).ok_or(DecodeError::Field("key"))?;
    Ok((slot, channel, record::decode_message(offset, value)?))
}

pub(super) fn publish_id(
    key: &[u8],
    value: &[u8],
) -> Result<(Slot, PublishId, Place), DecodeError> {
    let (slot, id) = key::parse_publish_id(key).ok_or(DecodeError::Field("key"))?;
    Ok((slot, id, record::decode_place(value)?))
}

pub(super) fn idempotency_key(
    key: &[u8],
    value: &[u8],
) -> Result<(ChannelKey, KeyRow), DecodeError> {
    let (slot, channel, name) = key::parse_idempotency(key).ok_or(DecodeError::Field("key"))?;
    let key = ChannelKey {
        slot,
        channel,
        key: name,
    };
    Ok((key, record::decode_key(value)?))
}
