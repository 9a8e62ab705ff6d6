//! Idempotency keys in disguise: an owner takes each for another one, and the store, which sees through it, doesn't.

use trunkline_shared::IdempotencyKey;

/// Between a key and its disguise; no publisher's key has it.
const MASK: u8 = 0;

/// Gives a key a disguise of its own.
pub(crate) fn disguise(key: &mut Vec<u8>, number: u64) {
    key.push(MASK);
    key.extend(number.to_be_bytes());
}

/// The key without its disguise.
pub(crate) fn undisguised(key: &IdempotencyKey) -> IdempotencyKey {
    let mut parts = key.as_bytes().split(|byte| *byte == MASK);
    let bare = parts.next().expect("a split has a first part");
    IdempotencyKey::new(bare).expect("a part of a key")
}
