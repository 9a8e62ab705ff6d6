//! Keys of the rows: the order of their bytes is the order of what they name (`names.md`, disk keys).

use trunkline_shared::{Channel, IdempotencyKey, Incarnation, Offset, PublishId, Slot};

/// `slot u16 | length u8 | name`: of a head, and what keys of a channel's messages begin with.
pub(super) fn channel(slot: Slot, channel: &Channel) -> Vec<u8> {
    let name = channel.as_str().as_bytes();
    let length = u8::try_from(name.len()).expect("a channel's name has at most 255 bytes");
    let mut key = Vec::with_capacity(3 + name.len() + 8);
    key.extend_from_slice(&self::slot(slot));
    key.push(length);
    key.extend_from_slice(name);
    key
}

/// `slot u16 | length u8 | name | offset u64`: of a message.
pub(super) fn message(slot: Slot, channel: &Channel, offset: Offset) -> Vec<u8> {
    let mut key = self::channel(slot, channel);
    key.extend_from_slice(&offset.0.to_be_bytes());
    key
}

/// `length u8 | name`: of a user. The length keeps a key from being empty, which no key may be.
///
/// # Panics
/// When the name has more than 255 bytes: such users aren't remembered.
pub(super) fn user(name: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).expect("longer names aren't remembered");
    [&[length], name.as_bytes()].concat()
}

/// The offset at the end of a message's key.
pub(super) fn offset_of(message_key: &[u8]) -> Option<Offset> {
    message_key
        .last_chunk()
        .map(|bytes| Offset(u64::from_be_bytes(*bytes)))
}

/// What a channel's key names; `None` for bytes that are no such key.
pub(super) fn parse_channel(key: &[u8]) -> Option<(Slot, Channel)> {
    let (slot, rest) = key.split_first_chunk::<2>()?;
    let (length, name) = rest.split_first()?;
    let name = std::str::from_utf8(name).ok()?;
    let fits = name.len() == usize::from(*length);
    fits.then_some((parse_slot(slot)?, Channel::parse(name).ok()?))
}

/// What a message's key names; `None` for bytes that are no such key.
pub(super) fn parse_message(key: &[u8]) -> Option<(Slot, Channel, Offset)> {
    let (channel, offset) = key.split_last_chunk()?;
    let (slot, channel) = parse_channel(channel)?;
    Some((slot, channel, Offset(u64::from_be_bytes(*offset))))
}

/// What a publish id's key names; `None` for bytes that are no such key.
pub(super) fn parse_publish_id(key: &[u8]) -> Option<(Slot, PublishId)> {
    let (slot, rest) = key.split_first_chunk::<2>()?;
    let (edge, counter) = rest.split_first_chunk()?;
    let id = PublishId {
        edge: Incarnation(*edge),
        counter: u64::from_be_bytes(counter.try_into().ok()?),
    };
    Some((parse_slot(slot)?, id))
}

/// The slot that a key names; `None` for bytes that are no such key.
pub(super) fn parse_slot(key: &[u8]) -> Option<Slot> {
    Slot::new(u16::from_be_bytes(key.try_into().ok()?))
}

/// `slot u16 | incarnation [16] | counter u64`: of a publish id.
pub(super) fn publish_id(slot: Slot, id: PublishId) -> Vec<u8> {
    let mut key = Vec::with_capacity(26);
    key.extend_from_slice(&self::slot(slot));
    key.extend_from_slice(&id.edge.0);
    key.extend_from_slice(&id.counter.to_be_bytes());
    key
}

/// `slot u16 | length u8 | name | key`: of an idempotency key.
pub(super) fn idempotency(slot: Slot, channel: &Channel, key: &IdempotencyKey) -> Vec<u8> {
    let mut bytes = self::channel(slot, channel);
    bytes.extend_from_slice(key.as_bytes());
    bytes
}

/// What an idempotency key's key names; `None` for bytes that are no such key.
pub(super) fn parse_idempotency(key: &[u8]) -> Option<(Slot, Channel, IdempotencyKey)> {
    let length = usize::from(*key.get(2)?);
    let (channel, name) = key.split_at_checked(3 + length)?;
    let (slot, channel) = parse_channel(channel)?;
    Some((slot, channel, IdempotencyKey::new(name).ok()?))
}

/// What the key of a row names, for people; the user whose row it is stays unnamed.
pub(super) fn describe(keyspace: &str, key: &[u8]) -> String {
    let channel =
        |(slot, channel): (Slot, Channel)| format!("channel {channel}, slot {}", slot.number());
    let described = match keyspace {
        "messages" => parse_message(key)
            .map(|(slot, name, offset)| format!("{}, offset {}", channel((slot, name)), offset.0)),
        "heads" => parse_channel(key).map(channel),
        "idempotency_keys" => parse_idempotency(key).map(|(slot, name, _)| channel((slot, name))),
        "publish_ids" => parse_publish_id(key).map(|(slot, id)| {
            format!(
                "slot {}, edge {}, publish {}",
                slot.number(),
                id.edge,
                id.counter
            )
        }),
        "slots" => parse_slot(key).map(|slot| format!("slot {}", slot.number())),
        "last_seen" => Some("row of a user".to_owned()),
        "view" => str::from_utf8(key).ok().map(str::to_owned),
        _ => None,
    };
    described.unwrap_or_else(|| format!("key {}", hex::encode(key)))
}

/// `slot u16`.
pub(super) const fn slot(slot: Slot) -> [u8; 2] {
    slot.number().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use trunkline_store_core::suite::make;

    #[test]
    fn keys_have_the_bytes_that_were_fixed() {
        let (slot, channel) = (make::slot(258), make::channel("a\0b"));
        let message = message(slot, &channel, Offset(3));
        assert_eq!(message, [1, 2, 3, b'a', 0, b'b', 0, 0, 0, 0, 0, 0, 0, 3]);
        assert_eq!(offset_of(&message), Some(Offset(3)));
        assert_eq!(publish_id(slot, make::id(9))[..3], [1, 2, 7]);
        assert_eq!(
            publish_id(slot, make::id(9))[18..],
            [0, 0, 0, 0, 0, 0, 0, 9]
        );
    }

    #[test]
    fn keys_are_read_as_they_are_written() {
        let (slot, channel) = (make::slot(258), make::channel("a\0b"));
        assert_eq!(parse_slot(&super::slot(slot)), Some(slot));
        assert_eq!(
            parse_channel(&super::channel(slot, &channel)),
            Some((slot, channel.clone()))
        );
        let key = message(slot, &channel, Offset(3));
        assert_eq!(parse_message(&key), Some((slot, channel, Offset(3))));
        let key = publish_id(slot, make::id(9));
        assert_eq!(parse_publish_id(&key), Some((slot, make::id(9))));
        let (channel, name) = (make::channel("a\0b"), make::key(b"\xff\0"));
        let key = idempotency(slot, &channel, &name);
        assert_eq!(key, [1, 2, 3, b'a', 0, b'b', 255, 0]);
        assert_eq!(parse_idempotency(&key), Some((slot, channel, name)));
    }

    #[test]
    fn what_is_no_key_is_not_read() {
        for bytes in [&[][..], &[255, 255], &[0, 1, 2, b'a'], &[0, 1, 0]] {
            assert_eq!(parse_channel(bytes), None);
            assert_eq!(parse_message(bytes), None);
            assert_eq!(parse_publish_id(bytes), None);
            assert_eq!(parse_idempotency(bytes), None);
        }
        assert_eq!(parse_slot(&[255, 255]), None);
    }

    #[test]
    fn a_channels_messages_lie_together_in_order() {
        let key = |name, offset| message(make::slot(1), &make::channel(name), Offset(offset));
        let sorted = [
            key("a", 1),
            key("a", 256),
            key("b", 0),
            key("a\0", 0),
            key("aa", 0),
        ];
        assert!(sorted.is_sorted());
    }
}
