//! Decoding of frames, message by message.
//!
//! A frame is decoded as it is consumed: commands before a malformed one are given out, then the
//! error, then nothing more. Nothing is allocated before the bytes for it are known to be there, and
//! payloads are copied out, so that a small one kept in the mesh doesn't keep its frame.

use std::mem;

use bytes::{Buf, Bytes};
use prost::encoding::decode_varint;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::message::wire;
use crate::{Command, Encoding, json};

/// Why a frame can't be read further: a connection that sent it ends with 3501.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// The frame, or a line of it, holds nothing.
    #[error("empty frame or line")]
    Empty,
    /// A line isn't an object.
    #[error("message is not an object")]
    NotAnObject,
    /// A line isn't JSON, or a field has another type or a number out of range.
    #[error("malformed JSON: {0}")]
    Json(#[source] serde_json::Error),
    /// A length prefix isn't a number.
    #[error("malformed length prefix")]
    Length,
    /// The frame ends inside a message.
    #[error("message of {declared} bytes in a frame with {left} left")]
    Truncated {
        /// What the length prefix says.
        declared: u64,
        /// Bytes of the frame behind the prefix.
        left: usize,
    },
    /// A message isn't Protobuf, or a string in it isn't UTF-8.
    #[error("malformed Protobuf: {0}")]
    Protobuf(#[source] prost::DecodeError),
}

/// Decodes the commands of one WebSocket message, or of one request body.
///
/// The frame is within the message size limit already: whoever read it from the wire sees to that. A
/// length prefix is held against the rest of the frame, so against that limit too.
pub fn decode_commands(encoding: Encoding, frame: &Bytes) -> Commands {
    Commands {
        items: Items::new(encoding, frame),
    }
}

/// The commands of a frame, in order; the first error is the last item.
#[derive(Clone, Debug)]
pub struct Commands {
    items: Items,
}

impl Iterator for Commands {
    type Item = Result<Command, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let command = self.items.next_message::<wire::Command>()?;
        Some(command.map(Command::from_wire))
    }
}

/// The messages of a frame, of either direction.
#[derive(Clone, Debug)]
pub(crate) struct Items {
    encoding: Encoding,
    rest: Bytes,
    finished: bool,
}

impl Items {
    pub(crate) fn new(encoding: Encoding, frame: &Bytes) -> Self {
        Self {
            encoding,
            rest: frame.clone(),
            finished: false,
        }
    }

    /// The next message, or the error that ends the frame.
    pub(crate) fn next_message<M>(&mut self) -> Option<Result<M, DecodeError>>
    where
        M: prost::Message + Default + DeserializeOwned,
    {
        if self.finished {
            return None;
        }
        let message = self.take_message();
        self.finished = message.is_err() || self.rest.is_empty();
        Some(message)
    }

    fn take_message<M>(&mut self) -> Result<M, DecodeError>
    where
        M: prost::Message + Default + DeserializeOwned,
    {
        match self.encoding {
            Encoding::Json => decode_json(&self.take_line()),
            Encoding::Protobuf => M::decode(&*self.take_prefixed()?).map_err(DecodeError::Protobuf),
        }
    }

    /// Cuts off what stands before the next newline; the newline goes.
    fn take_line(&mut self) -> Bytes {
        match self.rest.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                let line = self.rest.split_to(end);
                self.rest.advance(1);
                line
            }
            None => mem::take(&mut self.rest),
        }
    }

    /// Cuts off as many bytes as the length prefix says.
    fn take_prefixed(&mut self) -> Result<Bytes, DecodeError> {
        if self.rest.is_empty() {
            return Err(DecodeError::Empty);
        }
        let declared = decode_varint(&mut self.rest).map_err(|_| DecodeError::Length)?;
        let left = self.rest.len();
        match usize::try_from(declared) {
            Ok(length) if length <= left => Ok(self.rest.split_to(length)),
            Ok(_) | Err(_) => Err(DecodeError::Truncated { declared, left }),
        }
    }
}

fn decode_json<M: DeserializeOwned>(line: &[u8]) -> Result<M, DecodeError> {
    if line.is_empty() {
        return Err(DecodeError::Empty);
    }
    let mut reader = serde_json::Deserializer::from_slice(line);
    let message = json::message(&mut reader).map_err(DecodeError::Json)?;
    reader.end().map_err(DecodeError::Json)?;
    message.ok_or(DecodeError::NotAnObject)
}
