//! Cuts what a socket gives into WebSocket messages: only what an edge sends, so no masks and no fragments.

use bytes::{Buf, Bytes, BytesMut};

/// Bytes of a socket that aren't a whole frame yet.
#[derive(Debug, Default)]
pub(crate) struct FrameReader {
    bytes: BytesMut,
}

impl FrameReader {
    /// Adds what the socket gave.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Takes the payload of the next whole frame.
    pub(crate) fn next(&mut self) -> Option<Bytes> {
        let (header, length) = header(&self.bytes)?;
        if self.bytes.len() < header + length {
            return None;
        }
        self.bytes.advance(header);
        Some(self.bytes.split_to(length).freeze())
    }
}

/// Bytes of the header and of the payload behind it.
fn header(bytes: &[u8]) -> Option<(usize, usize)> {
    let short = usize::from(bytes.get(1)? & 0x7f);
    match short {
        126 => {
            let long: [u8; 2] = bytes.get(2..4)?.try_into().ok()?;
            Some((4, usize::from(u16::from_be_bytes(long))))
        }
        127 => {
            let long: [u8; 8] = bytes.get(2..10)?.try_into().ok()?;
            Some((10, usize::try_from(u64::from_be_bytes(long)).ok()?))
        }
        length => Some((2, length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_whole_however_they_are_cut() {
        let mut wire = vec![0x81, 2, b'h', b'i', 0x82, 126, 1, 0];
        wire.extend_from_slice(&[7; 256]);
        let mut reader = FrameReader::default();
        let mut lengths = Vec::new();
        for byte in wire {
            reader.push(&[byte]);
            lengths.extend(reader.next().map(|frame| frame.len()));
        }
        assert_eq!(lengths, [2, 256]);
    }
}
