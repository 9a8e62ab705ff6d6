//! Encoding of what a server sends: replies into a buffer, pushes into shared bytes.

use bytes::Bytes;
use thiserror::Error;

use crate::envelope::{Numbered, Pushed};
use crate::{Encoding, Push, Reply};

/// Why a message can't be written for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// A payload in it isn't JSON and the client speaks JSON: its connection ends with 3506.
    #[error("payload is not JSON")]
    NotJson,
}

/// Appends one reply to `out` as one item: no separator, with its length in Protobuf.
///
/// # Errors
/// [`EncodeError::NotJson`]; `out` is then as it was.
pub fn encode_reply(
    encoding: Encoding,
    reply: &Reply,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let kept = out.len();
    let result = reply.body.write(Numbered {
        encoding,
        id: reply.id,
        out: &mut *out,
    });
    if result.is_err() {
        out.truncate(kept);
    }
    result
}

/// Encodes one push as one item, the same for every subscriber of the channel.
///
/// `channel` is empty for pushes that concern none.
///
/// # Errors
/// [`EncodeError::NotJson`].
pub fn encode_push(encoding: Encoding, channel: &str, push: &Push) -> Result<Bytes, EncodeError> {
    let mut out = Vec::with_capacity(push.size_hint() + channel.len());
    push.write(Pushed {
        encoding,
        channel,
        out: &mut out,
    })?;
    Ok(Bytes::from(out))
}
