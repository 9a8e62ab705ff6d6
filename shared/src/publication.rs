//! One message in a channel, as it travels between edges and owners.

use bytes::Bytes;
use rkyv::{Archive, Deserialize, Serialize};
use smol_str::SmolStr;

use crate::position::Offset;
use crate::time::UnixMillis;

/// Bytes that travel behind a frame's envelope, uncopied.
///
/// The envelope holds the length only; the frame codec cuts the bytes from what follows it.
#[derive(Clone, Debug, Default, Archive, Serialize, Deserialize)]
pub struct Payload {
    pub(crate) length: u32,
    #[rkyv(with = rkyv::with::Skip)]
    pub(crate) bytes: Bytes,
}

impl Payload {
    /// Wraps bytes; at most a link frame's worth, which the frame codec checks.
    pub fn new(bytes: Bytes) -> Self {
        Self {
            length: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            bytes,
        }
    }

    /// The bytes.
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Payload {}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self::new(bytes)
    }
}

/// Who published, or who is present: a connection as others may see it.
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct ClientInfo {
    /// User id; empty for an anonymous connection.
    pub user: SmolStr,
    /// Connection id, a UUID in text form.
    pub client: SmolStr,
    /// `info` of the connection token; empty when absent. JSON for clients of the JSON encoding.
    pub conn_info: Payload,
    /// `info` of the subscription token; empty when absent.
    pub chan_info: Payload,
}

/// Labels of a publication, in the publisher's order; at most 16 pairs of 256 bytes together.
pub type Tags = Vec<(SmolStr, SmolStr)>;

/// When a publication passed each station, and the sampled trace it belongs to.
///
/// The fields exist from the first version of the link, so that latency can be stated per hop (`design.md` §8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct Trace {
    /// When it entered its edge, in microseconds of that edge's wall clock; 0 when unknown.
    pub entered_micros: u64,
    /// When it left its owner, in microseconds of the owner's wall clock; 0 before that.
    pub left_owner_micros: u64,
    /// W3C trace context of a sampled publication: trace id, span id, flags.
    pub context: Option<([u8; 16], [u8; 8], u8)>,
}

/// One message in a channel.
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct Publication {
    /// Its place in the channel; 0 for a publication without a place (one that isn't kept).
    pub offset: Offset,
    /// What the publisher sent; when `is_json`, valid JSON without raw newlines.
    pub data: Payload,
    /// Whether `data` is JSON, decided once by the edge where it entered.
    pub is_json: bool,
    /// Who published; absent for the server API.
    pub info: Option<ClientInfo>,
    /// Labels.
    pub tags: Tags,
    /// When the owner numbered it, by the owner's wall clock.
    pub time: UnixMillis,
    /// The region of the edge where it entered, as its certificate says; empty when unknown.
    pub origin: SmolStr,
    /// Latency stations and trace context.
    pub trace: Trace,
}

impl Publication {
    /// Bytes that it takes in a queue or ring: its payloads, texts and a fixed share for the rest.
    pub fn weight(&self) -> usize {
        let tags: usize = self
            .tags
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum();
        self.data.bytes.len()
            + self.info.as_ref().map_or(0, ClientInfo::weight)
            + tags
            + Self::OVERHEAD
    }

    const OVERHEAD: usize = 128;
}

impl ClientInfo {
    /// Bytes that it takes in a queue or table.
    pub fn weight(&self) -> usize {
        self.user.len()
            + self.client.len()
            + self.conn_info.bytes.len()
            + self.chan_info.bytes.len()
    }
}

/// Visits every payload of a value, in the order in which their bytes lie behind the envelope.
pub trait Payloads {
    /// Calls `visit` for each payload.
    fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Payload));
    /// Calls `visit` for each payload, to put its bytes in.
    fn visit_mut(&mut self, visit: &mut dyn FnMut(&mut Payload));
}

impl Payloads for ClientInfo {
    fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Payload)) {
        visit(&self.conn_info);
        visit(&self.chan_info);
    }

    fn visit_mut(&mut self, visit: &mut dyn FnMut(&mut Payload)) {
        visit(&mut self.conn_info);
        visit(&mut self.chan_info);
    }
}

impl Payloads for Publication {
    fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Payload)) {
        visit(&self.data);
        self.info.iter().for_each(|info| info.visit(visit));
    }

    fn visit_mut(&mut self, visit: &mut dyn FnMut(&mut Payload)) {
        visit(&mut self.data);
        self.info.iter_mut().for_each(|info| info.visit_mut(visit));
    }
}
