//! Frames to bytes and back.

use bytes::{BufMut, Bytes, BytesMut};
use rkyv::api::high::{HighDeserializer, HighSerializer, HighValidator};
use rkyv::bytecheck::CheckBytes;
use rkyv::rancor::Failure;
use rkyv::ser::allocator::ArenaHandle;
use rkyv::util::AlignedVec;
use rkyv::{Archive, Deserialize, Serialize};

use super::header::{HEADER_BYTES, Header, Kind, VERSION};
use super::{Hello, ToEdge, ToNode};
use crate::publication::{Payload, Payloads};

/// Why bytes are no frame, or a value can't become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// More than a frame may have.
    #[error("frame of {bytes} bytes is larger than 1 MiB")]
    TooLarge {
        /// Bytes that it has, or says to have.
        bytes: usize,
    },
    /// A kind that no version knows.
    #[error("frame of unknown kind {0}")]
    UnknownKind(u8),
    /// Another kind than may come here.
    #[error("frame of kind {got:?} where {wanted:?} is expected")]
    WrongKind {
        /// What may come here.
        wanted: Kind,
        /// What came.
        got: Kind,
    },
    /// A version that wasn't settled by the hello.
    #[error("frame of version {0}, which was not settled by the hello")]
    WrongVersion(u8),
    /// Lengths that contradict each other, or an envelope that fails validation.
    #[error("malformed frame")]
    Malformed,
}

/// A value that travels as a frame.
pub trait Frame: Payloads + Sized {
    /// Its kind.
    const KIND: Kind;
    /// The version of its envelope.
    const VERSION: u8;

    /// Archives the envelope.
    ///
    /// # Errors
    /// When it can't be archived.
    fn envelope(&self) -> Result<AlignedVec, FrameError>;

    /// Validates an envelope and makes an owned value of it; its payloads are still empty.
    ///
    /// # Errors
    /// When validation fails.
    fn from_envelope(envelope: &[u8]) -> Result<Self, FrameError>;
}

macro_rules! frame {
    ($name:ident, $version:expr) => {
        impl Frame for $name {
            const KIND: Kind = Kind::$name;
            const VERSION: u8 = $version;

            fn envelope(&self) -> Result<AlignedVec, FrameError> {
                to_envelope(self)
            }

            fn from_envelope(envelope: &[u8]) -> Result<Self, FrameError> {
                from_envelope(envelope)
            }
        }
    };
}

frame!(Hello, 0);
frame!(ToNode, VERSION);
frame!(ToEdge, VERSION);

fn to_envelope<T>(value: &T) -> Result<AlignedVec, FrameError>
where
    T: for<'a> Serialize<HighSerializer<AlignedVec, ArenaHandle<'a>, Failure>>,
{
    rkyv::api::high::to_bytes_in(value, AlignedVec::new()).map_err(|_| FrameError::Malformed)
}

fn from_envelope<T>(envelope: &[u8]) -> Result<T, FrameError>
where
    T: Archive,
    T::Archived:
        for<'a> CheckBytes<HighValidator<'a, Failure>> + Deserialize<T, HighDeserializer<Failure>>,
{
    let mut aligned = AlignedVec::<16>::with_capacity(envelope.len());
    aligned.extend_from_slice(envelope);
    let archived =
        rkyv::access::<T::Archived, Failure>(&aligned).map_err(|_| FrameError::Malformed)?;
    rkyv::deserialize::<T, Failure>(archived).map_err(|_| FrameError::Malformed)
}

/// Payloads of at least this many bytes leave as chunks of their own, smaller ones are copied behind the envelope.
const UNCOPIED_FROM: usize = 1024;

/// Appends a frame's bytes to `chunks` and returns how many bytes they are together.
///
/// # Errors
/// When the frame is larger than 1 MiB; `chunks` is unchanged then.
pub fn encode<F: Frame>(frame: &F, chunks: &mut Vec<Bytes>) -> Result<usize, FrameError> {
    let mut envelope = frame.envelope()?;
    // The root lies at the end, aligned to its type; a type without u64 would end off the 8-byte grid.
    assert!(
        envelope.len().is_multiple_of(8),
        "envelopes hold u64 and are aligned to 8"
    );
    let mut payload = 0;
    frame.visit(&mut |part| payload += part.bytes().len());
    let header = Header {
        kind: F::KIND,
        version: F::VERSION,
        envelope: envelope.len(),
        payload,
    };
    let header = header.encode()?;
    let total = HEADER_BYTES + envelope.len() + payload;
    let mut buffer =
        BytesMut::with_capacity(HEADER_BYTES + envelope.len() + payload.min(4 * UNCOPIED_FROM));
    buffer.put_slice(&header);
    buffer.put_slice(&envelope);
    envelope.clear();
    frame.visit(&mut |part| put_payload(part, &mut buffer, chunks));
    chunks.push(buffer.freeze());
    Ok(total)
}

fn put_payload(part: &Payload, buffer: &mut BytesMut, chunks: &mut Vec<Bytes>) {
    if part.bytes().len() < UNCOPIED_FROM {
        buffer.put_slice(part.bytes());
    } else {
        chunks.push(buffer.split().freeze());
        chunks.push(part.bytes().clone());
    }
}

/// Makes an owned value of a frame's body; payloads are slices of `body`.
///
/// `version` is the one that the hello settled (0 for the hello itself).
///
/// # Errors
/// When the kind or version isn't the one expected, or the body is malformed.
pub fn decode<F: Frame>(header: Header, version: u8, body: &Bytes) -> Result<F, FrameError> {
    if header.kind != F::KIND {
        return Err(FrameError::WrongKind {
            wanted: F::KIND,
            got: header.kind,
        });
    }
    if header.version != version || version != F::VERSION {
        return Err(FrameError::WrongVersion(header.version));
    }
    if body.len() != header.body() {
        return Err(FrameError::Malformed);
    }
    let mut frame = F::from_envelope(&body[..header.envelope])?;
    attach(&mut frame, body.slice(header.envelope..))?;
    Ok(frame)
}

fn attach<F: Frame>(frame: &mut F, mut rest: Bytes) -> Result<(), FrameError> {
    let mut short = false;
    frame.visit_mut(&mut |part| {
        let length = usize::try_from(part.length).unwrap_or(usize::MAX);
        if length <= rest.len() {
            part.bytes = rest.split_to(length);
        } else {
            short = true;
        }
    });
    if short || !rest.is_empty() {
        Err(FrameError::Malformed)
    } else {
        Ok(())
    }
}
