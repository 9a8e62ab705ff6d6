//! The name that a publisher gives a message so that it is taken once however often it is sent.

use crate::limits::IDEMPOTENCY_KEY_BYTES_MAX;

/// Bytes that can't be an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdempotencyKeyError {
    /// No bytes at all.
    #[error("idempotency key is empty")]
    Empty,
    /// More bytes than [`IDEMPOTENCY_KEY_BYTES_MAX`].
    #[error("idempotency key has {bytes} bytes, more than 255")]
    TooLong {
        /// Bytes of the key.
        bytes: usize,
    },
}

/// An idempotency key: 1 to 255 bytes of any kind, compared byte by byte.
///
/// A second message with the same key in the same channel within [`IDEMPOTENCY_KEY_TTL`](crate::limits::IDEMPOTENCY_KEY_TTL)
/// isn't taken: it is answered as the first one was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(Box<[u8]>);

impl IdempotencyKey {
    /// Takes bytes as a key.
    ///
    /// # Errors
    /// When there are none, or more than 255.
    pub fn new(bytes: &[u8]) -> Result<Self, IdempotencyKeyError> {
        match bytes.len() {
            0 => Err(IdempotencyKeyError::Empty),
            1..=IDEMPOTENCY_KEY_BYTES_MAX => Ok(Self(bytes.into())),
            bytes => Err(IdempotencyKeyError::TooLong { bytes }),
        }
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_1_to_255_bytes_of_any_kind() {
        let key = |bytes: &[u8]| IdempotencyKey::new(bytes).map(|key| key.as_bytes().len());
        assert_eq!(key(b""), Err(IdempotencyKeyError::Empty));
        assert_eq!(key(b"\0"), Ok(1));
        assert_eq!(key(&[0xff; 255]), Ok(255));
        assert_eq!(
            key(&[0; 256]),
            Err(IdempotencyKeyError::TooLong { bytes: 256 })
        );
    }
}
