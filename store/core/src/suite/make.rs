//! Values of the suite, short to write; implementations use them for tests of their own.

use bytes::Bytes;
use trunkline_shared::{
    Channel, Epoch, IdempotencyKey, Incarnation, Member, NodeId, Offset, Payload, Publication,
    PublishId, RingView, Slot, Trace, UnixMillis, ViewVersion,
};

use crate::message::StoredMessage;
use crate::request::{
    ChannelAppend, ChannelKey, Claimed, FindRequest, Generation, RangeRequest, SlotPart,
};

/// The slot of a number.
pub fn slot(number: u16) -> Slot {
    Slot::new(number).expect("tests use numbers below 4096")
}

/// The channel of a name.
pub fn channel(name: &str) -> Channel {
    Channel::parse(name).expect("tests use good names")
}

/// The view version of a number.
pub const fn view(number: u64) -> ViewVersion {
    ViewVersion {
        birth: UnixMillis(1),
        timeline: 0,
        number,
    }
}

/// An id of one edge.
pub const fn id(counter: u64) -> PublishId {
    PublishId {
        edge: Incarnation([7; 16]),
        counter,
    }
}

/// A message whose data, id and time tell its offset.
pub fn message(offset: u64) -> StoredMessage {
    let publication = Publication {
        offset: Offset(offset),
        data: Payload::new(Bytes::from(format!("message {offset}"))),
        is_json: false,
        info: None,
        tags: Vec::new(),
        time: UnixMillis(1000 + offset),
        origin: "eu-west".into(),
        trace: Trace::default(),
    };
    StoredMessage {
        id: id(offset),
        publication,
    }
}

/// An append to one channel, after a head.
pub fn messages(name: &str, follows: u64, count: u64) -> ChannelAppend {
    let messages = (follows + 1..=follows + count).map(message).collect();
    ChannelAppend {
        channel: channel(name),
        follows: Offset(follows),
        messages,
        keys: Vec::new(),
    }
}

/// An idempotency key.
pub fn key(bytes: &[u8]) -> IdempotencyKey {
    IdempotencyKey::new(bytes).expect("tests use good keys")
}

/// An append of one message with a key.
pub fn keyed(name: &str, follows: u64, bytes: &[u8]) -> ChannelAppend {
    ChannelAppend {
        keys: vec![(Offset(follows + 1), key(bytes))],
        ..messages(name, follows, 1)
    }
}

/// A question for keys of one channel, however old.
pub fn keys_of(slot: Slot, name: &str, all: &[&[u8]]) -> FindRequest {
    let key = |bytes: &&[u8]| ChannelKey {
        slot,
        channel: channel(name),
        key: key(bytes),
    };
    FindRequest {
        keys: all.iter().map(key).collect(),
        ..FindRequest::default()
    }
}

/// A slot's part.
pub fn part(claimed: Claimed, channels: Vec<ChannelAppend>) -> SlotPart {
    SlotPart {
        slot: claimed.slot,
        generation: claimed.generation,
        channels,
    }
}

/// A request for offsets, ascending, without other bounds.
pub fn offsets(slot: Slot, name: &str, from: u64, to: u64) -> RangeRequest {
    RangeRequest {
        slot,
        channel: channel(name),
        from: Offset(from),
        to: Offset(to),
        descending: false,
        limit: 1000,
        bytes_max: usize::MAX,
        not_before: UnixMillis(0),
    }
}

/// A claim that was never made.
pub fn unclaimed(number: u16, generation: u64) -> Claimed {
    let epoch = Epoch::new(0);
    Claimed {
        slot: slot(number),
        generation: Generation(generation),
        epoch,
    }
}

/// The ring view of one node, under view version `number`.
pub fn ring_view(number: u64) -> RingView {
    let member = Member {
        name: NodeId::parse("backbone-1").expect("a good name"),
        incarnation: Incarnation([9; 16]),
        address: "127.0.0.1:7443".into(),
    };
    RingView::of_one(view(number), 3, member)
}
