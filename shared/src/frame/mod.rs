//! Frames of the link: what an edge and a node say to each other, and the bytes of it.
//!
//! A frame is an 8-byte header, an rkyv envelope, and the payloads behind it, uncopied. Bytes from the other side are
//! validated before any access and become owned values here; nothing archived leaves this module.

mod codec;
mod header;
mod hello;
mod to_edge;
mod to_node;

pub use codec::{Frame, FrameError, decode, encode};
pub use header::{HEADER_BYTES, Header, Kind, VERSION};
pub use hello::{Hello, HelloError, VersionRange};
pub use to_edge::{
    Behind, ChannelHead, EdgeReport, Floor, HistoryPiece, PresenceEvent, PresencePiece, Pulled,
    Push, Refusal, Subscribed, ToEdge,
};
pub use to_node::{
    EdgeStats, History, HistoryQuery, PresenceChange, PresenceChanges, PresenceSnapshot, Publish,
    Pull, RemoveHistory, Subscribe, ToNode,
};
