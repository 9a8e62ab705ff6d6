//! Requests to a store and its answers.

use bytes::Bytes;
use trunkline_shared::{
    Channel, Epoch, IdempotencyKey, Offset, PublishId, RingView, Slot, UnixMillis, ViewVersion,
};

use crate::message::StoredMessage;

/// A slot's fencing number; grows by one at each claim, the first claim gives 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

/// One slot's share of an append: taken whole or refused whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotPart {
    /// The slot.
    pub slot: Slot,
    /// The generation of the owner's claim; another one in the store refuses the part.
    pub generation: Generation,
    /// The channels that get messages, each once.
    pub channels: Vec<ChannelAppend>,
}

/// Messages of one channel, contiguous.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelAppend {
    /// Which channel.
    pub channel: Channel,
    /// The head that they follow; another one in the store refuses the slot's part.
    pub follows: Offset,
    /// Ascending from `follows` + 1, at least one.
    pub messages: Vec<StoredMessage>,
    /// Idempotency keys of some of them, each key once; kept beside the messages, not in them.
    pub keys: Vec<(Offset, IdempotencyKey)>,
}

impl ChannelAppend {
    /// The keys with their messages; `None` for a key whose offset is no message's of this append.
    pub fn keyed(&self) -> impl Iterator<Item = (&IdempotencyKey, Option<&StoredMessage>)> {
        self.keys.iter().map(|(offset, key)| {
            let place = offset.0.checked_sub(self.follows.0.saturating_add(1));
            let place = place.and_then(|place| usize::try_from(place).ok());
            (key, place.and_then(|place| self.messages.get(place)))
        })
    }

    /// Bytes that it counts for in an append call.
    pub fn weight(&self) -> usize {
        let keys = self.keys.iter().map(|(_, key)| key.as_bytes().len());
        let messages = self.messages.iter().map(StoredMessage::weight);
        keys.chain(messages).sum()
    }
}

/// Why a slot's part was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The slot has another generation: somebody else, or a later life of the same node, owns it.
    Generation,
    /// A channel's head differs from the one that the messages follow.
    Head,
}

/// What became of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendOutcome {
    /// Durable, but for the slots named here, of which nothing was taken.
    Committed {
        /// Slots whose part was refused, and why.
        refused: Vec<(Slot, Refused)>,
    },
    /// Nothing was taken.
    Failed(crate::StoreError),
    /// The store can't say whether it was taken: the owner claims its slots again and reads their heads.
    Unknown(String),
}

/// Takes slots under a view: raises their generations and fences whoever had them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRequest {
    /// The view under which they are claimed; a slot claimed under a later one refuses it.
    pub view: ViewVersion,
    /// Which slots; `true` gives the slot a new epoch, because the store has lost what was acknowledged.
    pub slots: Vec<(Slot, bool)>,
}

/// A claimed slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The slot.
    pub slot: Slot,
    /// Its generation from now on.
    pub generation: Generation,
    /// The epoch of its durable channels; drawn when it was first claimed.
    pub epoch: Epoch,
}

/// Why slots couldn't be claimed; none was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// A slot was claimed under a later view.
    #[error("a slot was claimed under the later view {0}")]
    LaterView(ViewVersion),
    /// The store can't be reached or refused.
    #[error(transparent)]
    Store(#[from] crate::StoreError),
}

/// Forgets a channel's messages up to an offset; fenced like an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FloorRequest {
    /// The channel's slot.
    pub slot: Slot,
    /// The generation of the owner's claim.
    pub generation: Generation,
    /// Which channel.
    pub channel: Channel,
    /// The new floor; an offset above the head stands for the head, one below the present floor changes nothing.
    pub floor: Offset,
}

/// Why a floor wasn't raised.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FloorError {
    /// The slot has another generation.
    #[error("the slot has another generation")]
    Generation,
    /// The store can't be reached or refused; raising it again does no harm.
    #[error(transparent)]
    Store(#[from] crate::StoreError),
}

/// Reads a part of a channel's log.
///
/// The answer has no holes: ascending, expired messages before the first living one are passed over; descending, it ends
/// at the first expired one. So a clock that stepped back can't make a gap.
///
/// What size, TTL and floor exclude is not returned, though it may still lie there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeRequest {
    /// The channel's slot.
    pub slot: Slot,
    /// Which channel.
    pub channel: Channel,
    /// The lowest offset wanted.
    pub from: Offset,
    /// The highest offset wanted.
    pub to: Offset,
    /// Newest first.
    pub descending: bool,
    /// Messages at most.
    pub limit: u32,
    /// Bytes (weight) of messages at most; the first one comes however large it is.
    pub bytes_max: usize,
    /// Messages older than this are expired.
    pub not_before: UnixMillis,
}

/// What a message of a channel is known by to its publisher.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelKey {
    /// The channel's slot.
    pub slot: Slot,
    /// Which channel.
    pub channel: Channel,
    /// The publisher's name for the message.
    pub key: IdempotencyKey,
}

/// Asks for publishes that may have been taken before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindRequest {
    /// By their publish ids.
    pub ids: Vec<(Slot, PublishId)>,
    /// By their idempotency keys.
    pub keys: Vec<ChannelKey>,
    /// Keys of messages older than this are forgotten.
    pub keys_not_before: UnixMillis,
}

impl FindRequest {
    /// Asks for publish ids only.
    pub fn ids(ids: impl IntoIterator<Item = (Slot, PublishId)>) -> Self {
        Self {
            ids: ids.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.keys.is_empty()
    }
}

/// What was found of it, in the order asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllFound {
    /// By publish id.
    pub ids: Vec<Found>,
    /// By idempotency key.
    pub keys: Vec<FoundKey>,
}

/// Where an idempotency key was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundKey {
    /// What was asked for.
    pub key: ChannelKey,
    /// The offset of the first message with it.
    pub offset: Offset,
}

/// Where a publish id was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The id asked for.
    pub id: PublishId,
    /// Its message's channel.
    pub channel: Channel,
    /// Its message's offset.
    pub offset: Offset,
}

/// The row on which all nodes agree: who owns which slot, and the rules of the mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewRow {
    /// Who owns which slot.
    pub view: RingView,
    /// The rules as they were written last, which the store doesn't read; `None` where none ever were.
    pub rules: Option<Bytes>,
}

/// Replaces the ring view if it still has the version expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewChange {
    /// The version that the row must have; `None` when there must be no row.
    pub expected: Option<ViewVersion>,
    /// The new view.
    pub view: RingView,
    /// The new rules; `None` leaves those that are there.
    pub rules: Option<Bytes>,
}
