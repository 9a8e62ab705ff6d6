//! Frames out of a stream's chunks, wherever those are cut.

use bytes::{Buf, Bytes};
use trunkline_shared::frame::{self, FrameError, HEADER_BYTES, Header};

use crate::frames::LinkFrame;

/// Puts frames together; total on any bytes.
///
/// A body gets an allocation of its own, of exactly its size: a payload that is kept for long then never holds more
/// than its frame (QUIC's chunks are slices of whole receive buffers).
pub(crate) struct Assembler {
    version: u8,
    header: [u8; HEADER_BYTES],
    header_filled: usize,
    body: Option<(Header, Vec<u8>)>,
}

impl Assembler {
    /// Makes one that expects a frame's first byte; `version` is the one that the hello settled.
    pub(crate) const fn new(version: u8) -> Self {
        Self {
            version,
            header: [0; HEADER_BYTES],
            header_filled: 0,
            body: None,
        }
    }

    /// Takes a chunk and appends the frames that it completes.
    ///
    /// # Errors
    /// When the bytes are no frame of the expected kind and version; the link can't go on then.
    pub(crate) fn push<F: LinkFrame>(
        &mut self,
        mut chunk: Bytes,
        frames: &mut Vec<F>,
    ) -> Result<(), FrameError> {
        while !chunk.is_empty() {
            let (header, mut body) = match self.body.take() {
                Some(begun) => begun,
                None => match self.take_header(&mut chunk)? {
                    Some(header) => (header, Vec::with_capacity(header.body())),
                    None => return Ok(()),
                },
            };
            let wanted = (header.body() - body.len()).min(chunk.len());
            body.extend_from_slice(&chunk[..wanted]);
            chunk.advance(wanted);
            if body.len() == header.body() {
                frames.push(frame::decode(header, self.version, &Bytes::from(body))?);
            } else {
                self.body = Some((header, body));
            }
        }
        Ok(())
    }

    fn take_header(&mut self, chunk: &mut Bytes) -> Result<Option<Header>, FrameError> {
        let wanted = (HEADER_BYTES - self.header_filled).min(chunk.len());
        chunk.copy_to_slice(&mut self.header[self.header_filled..self.header_filled + wanted]);
        self.header_filled += wanted;
        if self.header_filled < HEADER_BYTES {
            return Ok(None);
        }
        self.header_filled = 0;
        Header::decode(self.header).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trunkline_shared::RequestId;
    use trunkline_shared::frame::{ToEdge, ToNode, VERSION};

    fn bytes_of(frames: &[ToNode]) -> Bytes {
        let mut chunks = Vec::new();
        for frame in frames {
            frame::encode(frame, &mut chunks).expect("a small frame");
        }
        chunks.concat().into()
    }

    fn some_frames() -> Vec<ToNode> {
        vec![
            ToNode::Goodbye,
            ToNode::Info {
                request: RequestId(7),
            },
            ToNode::Goodbye,
        ]
    }

    #[test]
    fn frames_come_out_wherever_chunks_are_cut() {
        let bytes = bytes_of(&some_frames());
        for size in 1..=bytes.len() {
            let (mut assembler, mut frames) = (Assembler::new(VERSION), Vec::<ToNode>::new());
            for chunk in bytes.chunks(size) {
                assembler
                    .push(Bytes::copy_from_slice(chunk), &mut frames)
                    .expect("good frames");
            }
            assert_eq!(frames, some_frames(), "chunks of {size}");
        }
    }

    #[test]
    fn a_frame_of_the_other_direction_is_refused() {
        let mut frames = Vec::<ToEdge>::new();
        let error = Assembler::new(VERSION).push(bytes_of(&some_frames()), &mut frames);
        assert!(
            matches!(error, Err(FrameError::WrongKind { .. })),
            "{error:?}"
        );
    }

    #[test]
    fn no_single_flipped_byte_panics() {
        let bytes = bytes_of(&some_frames());
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut bad = bytes.to_vec();
                bad[place] ^= 1 << bit;
                let _ = Assembler::new(VERSION).push::<ToNode>(bad.into(), &mut Vec::new());
            }
        }
    }
}
