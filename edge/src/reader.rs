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
pub(crate) mod tests {
    use super::*;

    /// A client's frame: masked, with the given first byte.
    pub(crate) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [0x12, 0x34, 0x56, 0x78];
        let mut frame = vec![first];
        match payload.len() {
            length @ 0..=125 => frame.push(0x80 | length as u8),
            length @ 126..=65_535 => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&(length as u16).to_be_bytes());
            }
            length => {
                frame.push(0x80 | 127);
                frame.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        frame.extend_from_slice(&mask);
        frame.extend(
            payload
                .iter()
                .zip(mask.iter().cycle())
                .map(|(byte, mask)| byte ^ mask),
        );
        frame
    }

    /// What comes of feeding bytes: messages, control frames to send, and the end.
    fn fed(chunks: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<u8>, Option<ReadEnd>) {
        let (mut reader, mut messages, mut control) = (Reader::new(), Vec::new(), Vec::new());
        for chunk in chunks {
            let result = reader.feed(chunk, &mut control, |message| {
                messages.push(message.to_vec())
            });
            if let Err(end) = result {
                return (messages, control, Some(end));
            }
        }
        (messages, control, None)
    }

    #[track_caller]
    fn check_end(frames: &[u8], code: u16) {
        let (_, _, end) = fed(&[frames]);
        let end = end.expect("the end");
        assert_eq!(end.close().map(|(code, _)| code), Some(code), "{end:?}");
    }

    #[test]
    fn messages_come_out_wherever_they_are_cut() {
        let bytes = [
            masked(0x81, b"one"),
            masked(0x82, b"\xff"),
            masked(0x81, b""),
        ]
        .concat();
        for size in 1..=bytes.len() {
            let chunks: Vec<&[u8]> = bytes.chunks(size).collect();
            let expected = vec![b"one".to_vec(), b"\xff".to_vec(), Vec::new()];
            assert_eq!(
                fed(&chunks),
                (expected, Vec::new(), None),
                "chunks of {size}"
            );
        }
    }

    #[test]
    fn a_fragmented_message_is_put_together_around_control_frames() {
        let bytes = [
            masked(0x01, b"a"),
            masked(0x89, b"p"),
            masked(0x00, b"b"),
            masked(0x80, b"c"),
        ]
        .concat();
        assert_eq!(
            fed(&[&bytes]),
            (vec![b"abc".to_vec()], vec![0x8a, 1, b'p'], None)
        );
    }

    #[test]
    fn a_ping_is_answered_and_a_pong_is_not() {
        assert_eq!(fed(&[&masked(0x89, b"hi")]).1, b"\x8a\x02hi");
        assert_eq!(fed(&[&masked(0x8a, b"hi")]), (Vec::new(), Vec::new(), None));
    }

    #[test]
    fn a_close_is_echoed_and_is_the_end() {
        let (messages, control, end) =
            fed(&[&masked(0x88, b"\x03\xe8bye"), &masked(0x81, b"late")]);
        assert_eq!((messages, end), (Vec::new(), Some(ReadEnd::Closed)));
        assert_eq!(control[0], 0x88);
        assert_eq!(control[2..4], [0x03, 0xe8]);
    }

    #[test]
    fn what_the_protocol_forbids_ends_with_1002() {
        check_end(b"\x81\x01a", 1002);
        check_end(&masked(0xc1, b"a"), 1002);
        check_end(&masked(0x83, b"a"), 1002);
        check_end(&masked(0x80, b"a"), 1002);
        check_end(&masked(0x09, b"a"), 1002);
        check_end(&masked(0x89, &[0; 126]), 1002);
        check_end(&[masked(0x01, b"a"), masked(0x81, b"b")].concat(), 1002);
    }

    #[test]
    fn text_that_is_not_utf8_ends_with_1007() {
        check_end(&masked(0x81, b"\xff"), 1007);
        check_end(
            &[masked(0x01, b"\xe2\x82"), masked(0x80, b"\x28")].concat(),
            1007,
        );
    }

    #[test]
    fn a_character_may_be_cut_between_fragments() {
        let bytes = [masked(0x01, b"\xe2\x82"), masked(0x80, b"\xac")].concat();
        assert_eq!(fed(&[&bytes]).0, vec!["€".as_bytes().to_vec()]);
    }

    #[test]
    fn a_message_may_have_64_kib_and_no_byte_more() {
        let (messages, _, end) = fed(&[&masked(0x82, &vec![7; PAYLOAD_BYTES_MAX])]);
        assert_eq!((messages[0].len(), end), (PAYLOAD_BYTES_MAX, None));
        check_end(&masked(0x82, &vec![7; PAYLOAD_BYTES_MAX + 1]), 1009);
        let half = vec![7; PAYLOAD_BYTES_MAX / 2 + 1];
        check_end(&[masked(0x02, &half), masked(0x80, &half)].concat(), 1009);
    }

    #[test]
    fn no_bytes_panic() {
        let bytes = [
            masked(0x81, b"one"),
            masked(0x89, b"p"),
            masked(0x88, b"\x03\xe8"),
        ]
        .concat();
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut bad = bytes.clone();
                bad[place] ^= 1 << bit;
                fed(&[&bad]);
            }
        }
    }
}
