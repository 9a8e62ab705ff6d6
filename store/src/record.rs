//! The values of the rows, field by field. Each has a version of its own; a change of one needs a new version here, and
//! the old one stays readable.

use bytes::Bytes;
use trunkline_shared::{Channel, Epoch, Offset, RingView, UnixMillis, ViewVersion};
use trunkline_store_core::{Generation, Head};

use crate::codec::{DecodeError, Decoder, Encoder};

mod message;

pub(crate) use self::message::{decode_message, encode_message};

const VERSION: u8 = 1;

/// Of heads and slots, since format 3.
const SECOND_VERSION: u8 = 2;

/// A channel's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeadRow {
    pub(crate) head: Head,
    /// When a message or a floor moved it last, by this machine's clock; `None` in version 1, which doesn't say.
    pub(crate) touched: Option<UnixMillis>,
}

/// Writes a channel's head.
pub(crate) fn encode_head(head: Head, touched: UnixMillis) -> Vec<u8> {
    let mut out = Encoder::new(SECOND_VERSION, 24);
    out.u64(head.offset.0);
    out.u64(head.floor.0);
    out.u64(touched.0);
    out.finish()
}

/// Reads a channel's head.
pub(crate) fn decode_head(value: &[u8]) -> Result<HeadRow, DecodeError> {
    let (version, mut from) = Decoder::of_any(value)?;
    let head = Head {
        offset: Offset(from.u64("offset")?),
        floor: Offset(from.u64("floor")?),
    };
    let touched = match version {
        VERSION => None,
        SECOND_VERSION => Some(UnixMillis(from.u64("touched")?)),
        unknown => return Err(DecodeError::UnknownVersion(unknown)),
    };
    from.finish()?;
    Ok(HeadRow { head, touched })
}

/// Where a publish id's message lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) channel: Channel,
    pub(crate) offset: Offset,
}

/// Writes the place of a publish id's message.
pub(crate) fn encode_place(channel: &Channel, offset: Offset) -> Vec<u8> {
    let name = channel.as_str().as_bytes();
    let mut out = Encoder::new(VERSION, 12 + name.len());
    out.u64(offset.0);
    out.bytes(name);
    out.finish()
}

/// Reads the place of a publish id's message.
pub(crate) fn decode_place(value: &[u8]) -> Result<Place, DecodeError> {
    let mut from = Decoder::new(value, VERSION)?;
    let offset = Offset(from.u64("offset")?);
    let channel =
        Channel::parse(from.text("channel")?).map_err(|_| DecodeError::Field("channel"))?;
    from.finish()?;
    Ok(Place { channel, offset })
}

/// Where an idempotency key's message lies, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyRow {
    pub(crate) offset: Offset,
    /// The message's time, by its owner's clock: what look-ups go by.
    pub(crate) time: UnixMillis,
    /// When the row was written, by this machine's clock: what its removal goes by.
    pub(crate) stored: UnixMillis,
}

/// Writes an idempotency key's row.
pub(crate) fn encode_key(row: KeyRow) -> Vec<u8> {
    let mut out = Encoder::new(VERSION, 24);
    out.u64(row.offset.0);
    out.u64(row.time.0);
    out.u64(row.stored.0);
    out.finish()
}

/// Reads an idempotency key's row.
pub(crate) fn decode_key(value: &[u8]) -> Result<KeyRow, DecodeError> {
    let mut from = Decoder::new(value, VERSION)?;
    let row = KeyRow {
        offset: Offset(from.u64("offset")?),
        time: UnixMillis(from.u64("time")?),
        stored: UnixMillis(from.u64("stored")?),
    };
    from.finish()?;
    Ok(row)
}

/// A slot's last claim, and the mark of its heads that have gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotRow {
    pub(crate) generation: Generation,
    pub(crate) epoch: Epoch,
    pub(crate) view: ViewVersion,
    /// The highest offset of heads that have gone; 0 where none has.
    pub(crate) mark: Offset,
}

/// Writes a slot's row.
pub(crate) fn encode_slot(row: &SlotRow) -> Vec<u8> {
    let mut out = Encoder::new(SECOND_VERSION, 48);
    out.u64(row.generation.0);
    out.u32(row.epoch.timeline);
    out.u64(row.epoch.id);
    out.u64(row.view.birth.0);
    out.u32(row.view.timeline);
    out.u64(row.view.number);
    out.u64(row.mark.0);
    out.finish()
}

/// Reads a slot's row.
pub(crate) fn decode_slot(value: &[u8]) -> Result<SlotRow, DecodeError> {
    let (version, mut from) = Decoder::of_any(value)?;
    let row = SlotRow {
        generation: Generation(from.u64("generation")?),
        epoch: Epoch {
            timeline: from.u32("timeline")?,
            id: from.u64("epoch")?,
        },
        view: ViewVersion {
            birth: UnixMillis(from.u64("birth")?),
            timeline: from.u32("view's timeline")?,
            number: from.u64("view's number")?,
        },
        mark: match version {
            VERSION => Offset::ZERO,
            SECOND_VERSION => Offset(from.u64("mark")?),
            unknown => return Err(DecodeError::UnknownVersion(unknown)),
        },
    };
    from.finish()?;
    Ok(row)
}

/// Writes the ring view, as JSON: it is read by people who look for what went wrong.
pub(crate) fn encode_view(view: &RingView) -> Vec<u8> {
    let json = serde_json::to_vec(view).expect("a view has text keys only");
    let mut out = Encoder::new(VERSION, json.len());
    out.raw(&json);
    out.finish()
}

/// Reads the ring view.
pub(crate) fn decode_view(value: &[u8]) -> Result<RingView, DecodeError> {
    let json = Decoder::new(value, VERSION)?.rest();
    let view: RingView = serde_json::from_slice(json).map_err(|_| DecodeError::Field("view"))?;
    view.check().map_err(|_| DecodeError::Field("view"))?;
    Ok(view)
}

/// Writes the rules of the mesh, JSON too, which isn't read here.
pub(crate) fn encode_rules(rules: &[u8]) -> Vec<u8> {
    let mut out = Encoder::new(VERSION, rules.len());
    out.raw(rules);
    out.finish()
}

/// Reads the rules of the mesh.
pub(crate) fn decode_rules(value: &[u8]) -> Result<Bytes, DecodeError> {
    let rules = Decoder::new(value, VERSION)?.rest();
    Ok(Bytes::copy_from_slice(rules))
}

/// Writes a number of the store as a whole: its format, its birth.
pub(crate) fn encode_number(number: u64) -> Vec<u8> {
    let mut out = Encoder::new(VERSION, 8);
    out.u64(number);
    out.finish()
}

/// Reads a number of the store as a whole.
pub(crate) fn decode_number(value: &[u8]) -> Result<u64, DecodeError> {
    let mut from = Decoder::new(value, VERSION)?;
    let number = from.u64("number")?;
    from.finish()?;
    Ok(number)
}

#[cfg(test)]
mod tests;
