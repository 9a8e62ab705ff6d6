//! Complete WebSocket frames for clients, made once and shared by all who are sent them.
//!
//! A server's frames are never masked, and ours are never fragmented: a header and the message.

use bytes::{BufMut, Bytes, BytesMut};
use trunkline_protocol::Encoding;

/// Bytes of the longest header of an unmasked frame.
const HEADER_BYTES_MAX: usize = 10;

/// Makes the frame of one message: text for JSON, binary for Protobuf.
pub fn frame(encoding: Encoding, message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(message.len() + HEADER_BYTES_MAX);
    frame.put_u8(first_byte(encoding));
    put_length(&mut frame, message.len());
    frame.put_slice(message);
    frame.freeze()
}

/// The frame of a ping of the client protocol, which is not a ping frame of WebSocket.
pub const fn ping(encoding: Encoding) -> Bytes {
    match encoding {
        Encoding::Json => Bytes::from_static(b"\x81\x02{}"),
        Encoding::Protobuf => Bytes::from_static(b"\x82\x01\0"),
    }
}

/// FIN and the opcode.
const fn first_byte(encoding: Encoding) -> u8 {
    match encoding {
        Encoding::Json => 0x81,
        Encoding::Protobuf => 0x82,
    }
}

fn put_length(frame: &mut BytesMut, length: usize) {
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ ..=125), _) => frame.put_u8(short),
        (_, Ok(medium)) => {
            frame.put_u8(126);
            frame.put_u16(medium);
        }
        (_, Err(_)) => {
            frame.put_u8(127);
            frame.put_u64(length as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(length: usize, header: &[u8]) {
        let message = vec![b'x'; length];
        let frame = frame(Encoding::Json, &message);
        assert_eq!(frame[..header.len()], *header);
        assert_eq!(frame[header.len()..], message);
    }

    #[test]
    fn the_length_takes_as_few_bytes_as_it_may() {
        check(0, &[0x81, 0]);
        check(125, &[0x81, 125]);
        check(126, &[0x81, 126, 0, 126]);
        check(65_535, &[0x81, 126, 0xff, 0xff]);
        check(65_536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn a_ping_is_the_frame_of_the_protocols_ping() {
        for encoding in Encoding::ALL {
            assert_eq!(ping(encoding), frame(encoding, encoding.ping()));
        }
    }
}
