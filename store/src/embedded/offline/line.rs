//! An export: a line of JSON for each row, between a header and an end.
//!
//! Bytes that are JSON on one line stand as they are, so that people and `jq` can read them; others in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use smol_str::SmolStr;
use trunkline_shared::limits::{INFO_BYTES_MAX, PAYLOAD_BYTES_MAX, TAGS_BYTES_MAX, TAGS_MAX};
use trunkline_shared::{
    Channel, ClientInfo, Epoch, IdempotencyKey, Incarnation, Offset, Payload, Publication,
    PublishId, Slot, Tags, Trace, UnixMillis, ViewVersion,
};
use trunkline_store_core::{ChannelKey, Generation, Head, StoredMessage};

use crate::record::{HeadRow, KeyRow, SlotRow};

/// The version of these lines; a change of one needs a new version, and the old one stays readable: version 1 has no
/// idempotency keys, version 2 neither marks nor times of heads.
pub(super) const VERSION: u32 = 3;

/// One line.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    TrunklineStore(Header),
    Slot(SlotLine),
    Head(HeadLine),
    Message(Box<MessageLine>),
    IdempotencyKey(KeyLine),
    End(End),
}

/// The first line.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Header {
    pub(super) version: u32,
    /// When it was written, Unix time in milliseconds.
    pub(super) created: u64,
    /// The birth of the store that it was written from.
    pub(super) birth: u64,
}

/// The last line: an export without it was cut short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct End {
    pub(super) slots: u64,
    pub(super) heads: u64,
    pub(super) messages: u64,
    #[serde(default)]
    pub(super) keys: u64,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SlotLine {
    slot: u16,
    generation: u64,
    epoch: String,
    view: ViewVersion,
    #[serde(default)]
    mark: u64,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeadLine {
    slot: u16,
    channel: SmolStr,
    offset: u64,
    floor: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    touched: Option<u64>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MessageLine {
    slot: u16,
    channel: SmolStr,
    offset: u64,
    edge: String,
    counter: u64,
    time: u64,
    origin: SmolStr,
    entered_micros: u64,
    left_owner_micros: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<TraceLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    info: Option<InfoLine>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<(SmolStr, SmolStr)>,
    is_json: bool,
    data: Data,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyLine {
    slot: u16,
    channel: SmolStr,
    key: Name,
    offset: u64,
    time: u64,
}

/// Bytes that usually are text.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    Text(String),
    Base64(String),
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct TraceLine {
    trace_id: String,
    span_id: String,
    flags: u8,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct InfoLine {
    user: SmolStr,
    client: SmolStr,
    conn_info: Data,
    chan_info: Data,
}

/// A payload.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Data {
    Json(Box<RawValue>),
    Base64(String),
}

/// A line that can't be one of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Nonsense {
    /// A value can't be what it says it is.
    #[error("{0} makes no sense")]
    Field(&'static str),
    /// A value is larger than any that was published.
    #[error("{0} is larger than what can be published")]
    Size(&'static str),
    /// A time is further ahead of the clock than clocks differ.
    #[error("{0} is more than a day ahead of this machine's clock")]
    Ahead(&'static str),
    /// A row stands twice, or not where an export has it.
    #[error("it stands twice, or out of the order of an export")]
    Order,
    /// A row stands in a slot that isn't its channel's.
    #[error("its slot is not that of its channel, whatever the namespace's routing_segments")]
    OtherSlot,
}

/// Above any number that counting reaches, and below where counting on would overflow.
const NUMBER_MAX: u64 = 1 << 62;

/// How far ahead of the clock times may be: clocks of machines differ, by seconds usually.
const AHEAD_MAX: u64 = 24 * 60 * 60 * 1000;

/// Checks a number that will be counted on from.
fn counted(number: u64, field: &'static str) -> Result<u64, Nonsense> {
    match number {
        0..=NUMBER_MAX => Ok(number),
        _ => Err(Nonsense::Field(field)),
    }
}

/// Checks a time: what is stamped with one far ahead would never expire, and a birth would outrank what follows.
pub(super) fn not_ahead(
    millis: u64,
    now: UnixMillis,
    field: &'static str,
) -> Result<UnixMillis, Nonsense> {
    if millis > now.0.saturating_add(AHEAD_MAX) {
        return Err(Nonsense::Ahead(field));
    }
    Ok(UnixMillis(millis))
}

impl SlotLine {
    pub(super) fn new(slot: Slot, row: SlotRow) -> Self {
        Self {
            slot: slot.number(),
            generation: row.generation.0,
            epoch: row.epoch.to_string(),
            view: row.view,
            mark: row.mark.0,
        }
    }

    /// The row; `birth` is that of the store that was exported, which no view of it is ahead of.
    pub(super) fn read(&self, birth: UnixMillis) -> Result<(Slot, SlotRow), Nonsense> {
        if self.view.birth > birth {
            return Err(Nonsense::Field("view"));
        }
        counted(self.view.number, "view")?;
        let row = SlotRow {
            generation: Generation(counted(self.generation, "generation")?),
            epoch: Epoch::parse(&self.epoch).ok_or(Nonsense::Field("epoch"))?,
            view: self.view,
            mark: Offset(counted(self.mark, "mark")?),
        };
        Ok((slot(self.slot)?, row))
    }
}

impl HeadLine {
    pub(super) fn new(slot: Slot, channel: &Channel, row: HeadRow) -> Self {
        Self {
            slot: slot.number(),
            channel: channel.as_str().into(),
            offset: row.head.offset.0,
            floor: row.head.floor.0,
            touched: row.touched.map(|time| time.0),
        }
    }

    pub(super) fn read(&self, now: UnixMillis) -> Result<(Slot, Channel, HeadRow), Nonsense> {
        let head = Head {
            offset: Offset(counted(self.offset, "offset")?),
            floor: Offset(self.floor),
        };
        let touched = self.touched.map(|time| not_ahead(time, now, "touched"));
        let row = HeadRow {
            head,
            touched: touched.transpose()?,
        };
        Ok((slot(self.slot)?, channel(&self.channel)?, row))
    }
}

impl MessageLine {
    pub(super) fn new(slot: Slot, channel: &Channel, message: StoredMessage) -> Self {
        let StoredMessage { id, publication } = message;
        let trace = publication.trace;
        Self {
            slot: slot.number(),
            channel: channel.as_str().into(),
            offset: publication.offset.0,
            edge: hex::encode(id.edge.0),
            counter: id.counter,
            time: publication.time.0,
            origin: publication.origin,
            entered_micros: trace.entered_micros,
            left_owner_micros: trace.left_owner_micros,
            trace: trace.context.map(TraceLine::new),
            info: publication.info.as_ref().map(InfoLine::new),
            tags: publication.tags,
            is_json: publication.is_json,
            data: Data::new(publication.data.bytes()),
        }
    }

    pub(super) fn read(self, now: UnixMillis) -> Result<(Slot, Channel, StoredMessage), Nonsense> {
        let place = (slot(self.slot)?, channel(&self.channel)?);
        let id = PublishId {
            edge: Incarnation(from_hex(&self.edge, "edge")?),
            counter: self.counter,
        };
        let trace = Trace {
            entered_micros: self.entered_micros,
            left_owner_micros: self.left_owner_micros,
            context: self.trace.map(|trace| trace.read()).transpose()?,
        };
        let publication = Publication {
            offset: Offset(self.offset),
            data: published(self.data.read("data")?, self.is_json)?,
            is_json: self.is_json,
            info: self.info.map(InfoLine::read).transpose()?,
            tags: tags(self.tags)?,
            time: not_ahead(self.time, now, "time")?,
            origin: self.origin,
            trace,
        };
        Ok((place.0, place.1, StoredMessage { id, publication }))
    }
}

impl KeyLine {
    pub(super) fn new(key: &ChannelKey, row: KeyRow) -> Self {
        Self {
            slot: key.slot.number(),
            channel: key.channel.as_str().into(),
            key: Name::new(key.key.as_bytes()),
            offset: row.offset.0,
            time: row.time.0,
        }
    }

    /// The key, its message's offset and time.
    pub(super) fn read(
        self,
        now: UnixMillis,
    ) -> Result<(ChannelKey, Offset, UnixMillis), Nonsense> {
        let key = ChannelKey {
            slot: slot(self.slot)?,
            channel: channel(&self.channel)?,
            key: self.key.read()?,
        };
        let time = not_ahead(self.time, now, "time")?;
        Ok((key, Offset(self.offset), time))
    }
}

impl Name {
    fn new(bytes: &[u8]) -> Self {
        let base64 = |_| Self::Base64(STANDARD.encode(bytes));
        std::str::from_utf8(bytes).map_or_else(base64, |text| Self::Text(text.to_owned()))
    }

    fn read(self) -> Result<IdempotencyKey, Nonsense> {
        let nonsense = Nonsense::Field("key");
        let bytes = match self {
            Self::Text(text) => text.into_bytes(),
            Self::Base64(text) => STANDARD.decode(text).map_err(|_| nonsense)?,
        };
        IdempotencyKey::new(&bytes).map_err(|_| nonsense)
    }
}

impl TraceLine {
    fn new((trace_id, span_id, flags): ([u8; 16], [u8; 8], u8)) -> Self {
        Self {
            trace_id: hex::encode(trace_id),
            span_id: hex::encode(span_id),
            flags,
        }
    }

    fn read(&self) -> Result<([u8; 16], [u8; 8], u8), Nonsense> {
        let trace_id = from_hex(&self.trace_id, "trace_id")?;
        Ok((trace_id, from_hex(&self.span_id, "span_id")?, self.flags))
    }
}

impl InfoLine {
    fn new(info: &ClientInfo) -> Self {
        Self {
            user: info.user.clone(),
            client: info.client.clone(),
            conn_info: Data::new(info.conn_info.bytes()),
            chan_info: Data::new(info.chan_info.bytes()),
        }
    }

    fn read(self) -> Result<ClientInfo, Nonsense> {
        Ok(ClientInfo {
            user: self.user,
            client: self.client,
            conn_info: at_most(
                INFO_BYTES_MAX,
                self.conn_info.read("conn_info")?,
                "conn_info",
            )?,
            chan_info: at_most(
                INFO_BYTES_MAX,
                self.chan_info.read("chan_info")?,
                "chan_info",
            )?,
        })
    }
}

impl Data {
    fn new(bytes: &[u8]) -> Self {
        match serde_json::from_slice::<Box<RawValue>>(bytes) {
            // White space around a value isn't kept, and a line must stay one.
            Ok(value) if value.get().as_bytes() == bytes && !bytes.contains(&b'\n') => {
                Self::Json(value)
            }
            Ok(_) | Err(_) => Self::Base64(STANDARD.encode(bytes)),
        }
    }

    fn read(self, field: &'static str) -> Result<Payload, Nonsense> {
        let bytes = match self {
            Self::Json(value) => Bytes::copy_from_slice(value.get().as_bytes()),
            Self::Base64(text) => STANDARD
                .decode(text)
                .map_err(|_| Nonsense::Field(field))?
                .into(),
        };
        Ok(Payload::new(bytes))
    }
}

/// A payload as edges let it in: of bounded size, and JSON without raw newlines where it says so.
fn published(data: Payload, is_json: bool) -> Result<Payload, Nonsense> {
    let data = at_most(PAYLOAD_BYTES_MAX, data, "data")?;
    let bytes = data.bytes();
    let is_good = || !bytes.contains(&b'\n') && serde_json::from_slice::<&RawValue>(bytes).is_ok();
    if is_json && !is_good() {
        return Err(Nonsense::Field("data"));
    }
    Ok(data)
}

fn tags(tags: Tags) -> Result<Tags, Nonsense> {
    let bytes: usize = tags
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if tags.len() > TAGS_MAX || bytes > TAGS_BYTES_MAX {
        return Err(Nonsense::Size("tags"));
    }
    Ok(tags)
}

fn at_most(bytes_max: usize, data: Payload, field: &'static str) -> Result<Payload, Nonsense> {
    if data.bytes().len() > bytes_max {
        return Err(Nonsense::Size(field));
    }
    Ok(data)
}

fn slot(number: u16) -> Result<Slot, Nonsense> {
    Slot::new(number).ok_or(Nonsense::Field("slot"))
}

fn channel(name: &str) -> Result<Channel, Nonsense> {
    Channel::parse(name).map_err(|_| Nonsense::Field("channel"))
}

fn from_hex<const N: usize>(text: &str, field: &'static str) -> Result<[u8; N], Nonsense> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| Nonsense::Field(field))?;
    Ok(bytes)
}
