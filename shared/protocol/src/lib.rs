//! The Centrifuge client protocol v2: messages, JSON and Protobuf codecs, codes.
//!
//! The only crate that knows the bytes between a client and an edge. Pure: bytes in, values out, and
//! back. Decoders are total: whatever an outsider sends becomes a value or an error, never a panic,
//! and costs no more memory than a constant times the frame.
//!
//! A server reads with [`decode_commands`] and writes with [`encode_reply`] and [`encode_push`]; the
//! other end of both, for the load driver and for tests, is [`client`].

pub mod client;
mod codes;
mod command;
mod decode;
mod encode;
mod encoding;
mod envelope;
mod json;
pub mod message;
mod payload;
mod push;
mod reply;

pub use codes::{CustomCode, DisconnectCode, ErrorCode, InvalidCode, UnsubscribeCode};
pub use command::{Command, Request};
pub use decode::{Commands, DecodeError, decode_commands};
pub use encode::{EncodeError, encode_push, encode_reply};
pub use encoding::{Encoding, Negotiated, SUBPROTOCOL_JSON, SUBPROTOCOL_PROTOBUF, negotiate};
pub use payload::{ClientPayload, json_without_newlines};
pub use push::Push;
pub use reply::{Reply, ReplyBody};
