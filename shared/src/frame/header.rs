//! The first eight bytes of a frame.

use super::FrameError;
use crate::limits::FRAME_BYTES_MAX;

/// Bytes of a header.
pub const HEADER_BYTES: usize = 8;

/// The version of the frames that this code speaks; the hello settles it. Version 2 knows idempotency keys.
pub const VERSION: u8 = 2;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The first frame on the control stream, both ways; readable by every version.
    Hello,
    /// From an edge to a node.
    ToNode,
    /// From a node to an edge.
    ToEdge,
}

impl Kind {
    const fn number(self) -> u8 {
        match self {
            Self::Hello => 0,
            Self::ToNode => 1,
            Self::ToEdge => 2,
        }
    }

    const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Hello),
            1 => Some(Self::ToNode),
            2 => Some(Self::ToEdge),
            _ => None,
        }
    }
}

/// A frame's header: `length u32 | kind u8 | version u8 | envelope u16`, little-endian.
///
/// `length` counts what follows the header; `envelope` counts the envelope's 8-byte words (an archived envelope is
/// aligned to 8, so its size is a multiple of it), the payloads are the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the frame is.
    pub kind: Kind,
    /// The version of its envelope.
    pub version: u8,
    /// Bytes of the envelope.
    pub envelope: usize,
    /// Bytes of all payloads.
    pub payload: usize,
}

impl Header {
    /// Writes the header.
    ///
    /// # Errors
    /// When the frame is larger than [`FRAME_BYTES_MAX`].
    pub fn encode(self) -> Result<[u8; HEADER_BYTES], FrameError> {
        let bytes = HEADER_BYTES + self.envelope + self.payload;
        if bytes > FRAME_BYTES_MAX {
            return Err(FrameError::TooLarge { bytes });
        }
        let too_large = |_| FrameError::TooLarge { bytes };
        let length = u32::try_from(self.envelope + self.payload)
            .map_err(too_large)?
            .to_le_bytes();
        let words = u16::try_from(self.envelope / 8)
            .map_err(too_large)?
            .to_le_bytes();
        let [a, b, c, d] = length;
        Ok([
            a,
            b,
            c,
            d,
            self.kind.number(),
            self.version,
            words[0],
            words[1],
        ])
    }

    /// Reads a header; bounds its lengths before anything is allocated.
    ///
    /// # Errors
    /// When the kind is unknown, the frame too large, or the envelope longer than the frame.
    pub fn decode(bytes: [u8; HEADER_BYTES]) -> Result<Self, FrameError> {
        let [a, b, c, d, kind, version, e, f] = bytes;
        let kind = Kind::from_number(kind).ok_or(FrameError::UnknownKind(kind))?;
        let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if length > FRAME_BYTES_MAX - HEADER_BYTES {
            return Err(FrameError::TooLarge { bytes: length });
        }
        let envelope = usize::from(u16::from_le_bytes([e, f])) * 8;
        let payload = length.checked_sub(envelope).ok_or(FrameError::Malformed)?;
        Ok(Self {
            kind,
            version,
            envelope,
            payload,
        })
    }

    /// Bytes that follow the header.
    pub const fn body(&self) -> usize {
        self.envelope + self.payload
    }
}
