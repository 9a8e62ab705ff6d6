//! What every store checks of a request before it looks at its data.
//!
//! An owner that asks for nonsense is an owner with a bug: it is told so, and nothing is taken.

use std::collections::BTreeSet;

use trunkline_shared::{IdempotencyKey, Offset};

use crate::request::{ChannelAppend, ClaimRequest, SlotPart};
use crate::traits::StoreError;

/// Checks that slots, channels and a channel's keys come once, that messages are contiguous from the head that they follow,
/// and that keys are those of messages.
///
/// # Errors
/// [`StoreError::Data`] otherwise.
pub fn check_append(parts: &[SlotPart]) -> Result<(), StoreError> {
    let mut slots = BTreeSet::new();
    for part in parts {
        if !slots.insert(part.slot) {
            return Err(StoreError::Data(format!(
                "slot {} comes twice in one append",
                part.slot.number()
            )));
        }
        check_part(part)?;
    }
    Ok(())
}

fn check_part(part: &SlotPart) -> Result<(), StoreError> {
    let mut channels = BTreeSet::new();
    for append in &part.channels {
        if !channels.insert(&append.channel) {
            return Err(StoreError::Data(format!(
                "a channel of slot {} comes twice in one append",
                part.slot.number()
            )));
        }
        if append.messages.is_empty() || !is_contiguous(append) {
            return Err(StoreError::Data(format!(
                "messages for slot {} don't follow their head",
                part.slot.number()
            )));
        }
        if !has_good_keys(append) {
            return Err(StoreError::Data(format!(
                "idempotency keys for slot {} aren't those of messages, or come twice",
                part.slot.number()
            )));
        }
    }
    Ok(())
}

fn is_contiguous(append: &ChannelAppend) -> bool {
    let mut last = append.follows;
    append.messages.iter().all(|message| {
        let follows = last.0.checked_add(1).map(Offset) == Some(message.publication.offset);
        last = message.publication.offset;
        follows
    })
}

fn has_good_keys(append: &ChannelAppend) -> bool {
    let mut keys: BTreeSet<&IdempotencyKey> = BTreeSet::new();
    append
        .keyed()
        .all(|(key, message)| message.is_some() && keys.insert(key))
}

/// Checks that each slot comes once.
///
/// # Errors
/// [`StoreError::Data`] otherwise.
pub fn check_claim(request: &ClaimRequest) -> Result<(), StoreError> {
    let mut slots = BTreeSet::new();
    match request.slots.iter().find(|(slot, _)| !slots.insert(*slot)) {
        Some((slot, _)) => Err(StoreError::Data(format!(
            "slot {} comes twice in one claim",
            slot.number()
        ))),
        None => Ok(()),
    }
}
