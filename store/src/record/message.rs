//! A message's value.

use bytes::Bytes;
use smol_str::SmolStr;
use trunkline_shared::{
    ClientInfo, Incarnation, Offset, Payload, Publication, PublishId, Tags, Trace, UnixMillis,
};
use trunkline_store_core::StoredMessage;

use super::VERSION;
use super::{DecodeError, Decoder, Encoder};

const IS_JSON: u8 = 1;
const HAS_INFO: u8 = 2;
const HAS_CONTEXT: u8 = 4;
const KNOWN_FLAGS: u8 = IS_JSON | HAS_INFO | HAS_CONTEXT;

/// Writes a message; its offset is in its key.
pub(crate) fn encode_message(message: &StoredMessage) -> Vec<u8> {
    let publication = &message.publication;
    let mut out = Encoder::new(VERSION, publication.weight() + 64);
    out.u8(flags(publication));
    out.raw(&message.id.edge.0);
    out.u64(message.id.counter);
    out.u64(publication.time.0);
    out.bytes(publication.origin.as_bytes());
    encode_trace(&mut out, &publication.trace);
    if let Some(info) = &publication.info {
        encode_info(&mut out, info);
    }
    encode_tags(&mut out, &publication.tags);
    out.bytes(publication.data.bytes());
    out.finish()
}

fn flags(publication: &Publication) -> u8 {
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    flag(publication.is_json, IS_JSON)
        | flag(publication.info.is_some(), HAS_INFO)
        | flag(publication.trace.context.is_some(), HAS_CONTEXT)
}

fn encode_trace(out: &mut Encoder, trace: &Trace) {
    out.u64(trace.entered_micros);
    out.u64(trace.left_owner_micros);
    if let Some((trace_id, span_id, flags)) = &trace.context {
        out.raw(trace_id);
        out.raw(span_id);
        out.u8(*flags);
    }
}

fn encode_info(out: &mut Encoder, info: &ClientInfo) {
    out.bytes(info.user.as_bytes());
    out.bytes(info.client.as_bytes());
    out.bytes(info.conn_info.bytes());
    out.bytes(info.chan_info.bytes());
}

fn encode_tags(out: &mut Encoder, tags: &Tags) {
    out.u32(u32::try_from(tags.len()).expect("at most 16 tags"));
    for (key, value) in tags {
        out.bytes(key.as_bytes());
        out.bytes(value.as_bytes());
    }
}

/// Reads a message whose key ends with `offset`.
pub(crate) fn decode_message(offset: Offset, value: &[u8]) -> Result<StoredMessage, DecodeError> {
    let mut from = Decoder::new(value, VERSION)?;
    let flags = from.u8("flags")?;
    if flags & !KNOWN_FLAGS != 0 {
        return Err(DecodeError::Field("flags"));
    }
    let id = PublishId {
        edge: Incarnation(from.array("edge")?),
        counter: from.u64("counter")?,
    };
    let publication = Publication {
        offset,
        time: UnixMillis(from.u64("time")?),
        origin: SmolStr::new(from.text("origin")?),
        trace: decode_trace(&mut from, flags & HAS_CONTEXT != 0)?,
        info: if flags & HAS_INFO == 0 {
            None
        } else {
            Some(decode_info(&mut from)?)
        },
        tags: decode_tags(&mut from)?,
        data: decode_payload(&mut from, "data")?,
        is_json: flags & IS_JSON != 0,
    };
    from.finish()?;
    Ok(StoredMessage { id, publication })
}

fn decode_trace(from: &mut Decoder<'_>, has_context: bool) -> Result<Trace, DecodeError> {
    let (entered_micros, left_owner_micros) = (from.u64("entered")?, from.u64("left")?);
    let context = if has_context {
        Some((
            from.array("trace id")?,
            from.array("span id")?,
            from.u8("trace flags")?,
        ))
    } else {
        None
    };
    Ok(Trace {
        entered_micros,
        left_owner_micros,
        context,
    })
}

fn decode_info(from: &mut Decoder<'_>) -> Result<ClientInfo, DecodeError> {
    Ok(ClientInfo {
        user: SmolStr::new(from.text("user")?),
        client: SmolStr::new(from.text("client")?),
        conn_info: decode_payload(from, "connection info")?,
        chan_info: decode_payload(from, "channel info")?,
    })
}

fn decode_tags(from: &mut Decoder<'_>) -> Result<Tags, DecodeError> {
    let count = from.u32("tags")?;
    (0..count)
        .map(|_| {
            Ok((
                SmolStr::new(from.text("tag")?),
                SmolStr::new(from.text("tag")?),
            ))
        })
        .collect()
}

fn decode_payload(from: &mut Decoder<'_>, field: &'static str) -> Result<Payload, DecodeError> {
    Ok(Payload::new(Bytes::copy_from_slice(from.bytes(field)?)))
}
