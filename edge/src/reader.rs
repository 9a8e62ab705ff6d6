//! Reading WebSocket messages: tungstenite's parser without its buffers (`crates.md` §1b).
//!
//! A thread has one scratch buffer; a connection keeps only what belongs to a frame that hasn't come as a whole.

use std::io;

use bytes::Bytes;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tokio_tungstenite::tungstenite::{Error, Message};
use trunkline_shared::limits::PAYLOAD_BYTES_MAX;

/// Bytes that a connection's parser takes at a time; more only cost memory, since they come from a buffer anyway.
const READ_BUFFER: usize = 128;

/// Why nothing more is read from a connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadEnd {
    /// The client has sent a Close frame.
    #[error("closed by the client")]
    Closed,
    /// A message has more than 64 KiB.
    #[error("message too big")]
    TooBig,
    /// A text message isn't UTF-8.
    #[error("text is not UTF-8")]
    NotUtf8,
    /// Anything else that RFC 6455 doesn't allow.
    #[error("WebSocket protocol: {0}")]
    Protocol(String),
}

impl ReadEnd {
    /// The code of the Close frame that answers it, and its reason; none for a Close frame, which is echoed.
    pub(crate) const fn close(&self) -> Option<(u16, &'static str)> {
        match self {
            Self::Closed => None,
            Self::TooBig => Some((1009, "message too big")),
            Self::NotUtf8 => Some((1007, "text is not UTF-8")),
            Self::Protocol(_) => Some((1002, "protocol error")),
        }
    }
}

/// The parser of one connection.
#[derive(Debug)]
pub(crate) struct Reader {
    context: WebSocketContext,
}

impl Reader {
    /// Makes one that expects a frame's first byte.
    pub(crate) fn new() -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(1 << 20)
            .max_message_size(Some(PAYLOAD_BYTES_MAX))
            .max_frame_size(Some(PAYLOAD_BYTES_MAX));
        Self {
            context: WebSocketContext::new(Role::Server, Some(config)),
        }
    }

    /// Takes bytes that came and calls `on_message` for each message that they complete.
    ///
    /// Control frames that must be sent (pongs, the echo of a Close) are appended to `control`.
    ///
    /// # Errors
    /// When nothing more is to be read.
    pub(crate) fn feed(
        &mut self,
        input: &[u8],
        control: &mut Vec<u8>,
        mut on_message: impl FnMut(Bytes),
    ) -> Result<(), ReadEnd> {
        let mut stream = SliceIo {
            input,
            output: control,
        };
        loop {
            match self.context.read(&mut stream) {
                Ok(Message::Text(text)) => on_message(Bytes::copy_from_slice(text.as_bytes())),
                // Copied: the message is a slice of a buffer that would be kept whole as long as a part of it.
                Ok(Message::Binary(bytes)) => on_message(Bytes::copy_from_slice(&bytes)),
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Ok(Message::Close(_)) => {
                    let _ = self.context.flush(&mut stream);
                    return Err(ReadEnd::Closed);
                }
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    return self.context.flush(&mut stream).map_err(read_end);
                }
                Err(error) => return Err(read_end(error)),
            }
        }
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "tungstenite's errors beyond these are all protocol errors here"
)]
fn read_end(error: Error) -> ReadEnd {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => ReadEnd::Closed,
        Error::Capacity(CapacityError::MessageTooLong { .. }) => ReadEnd::TooBig,
        Error::Utf8(_) => ReadEnd::NotUtf8,
        other => ReadEnd::Protocol(other.to_string()),
    }
}

/// Bytes that came, as a stream that would block behind them; what is written is collected.
struct SliceIo<'a> {
    input: &'a [u8],
    output: &'a mut Vec<u8>,
}

impl io::Read for SliceIo<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = self.input.len().min(buffer.len());
        let (now, later) = self.input.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.input = later;
        Ok(count)
    }
}

impl io::Write for SliceIo<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[path = "reader_tests/mod.rs"]
pub(crate) mod tests;
