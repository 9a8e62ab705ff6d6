//! What goes into a shard and what comes out of it.

use std::sync::Arc;

use trunkline_shared::frame::{ToEdge, ToNode};
use trunkline_shared::rules::Rules;
use trunkline_shared::{
    Channel, EdgeId, Incarnation, LinkId, Region, RingView, Slot, StreamId, ViewVersion,
};
use trunkline_store_core::{
    AllFound, ClaimError, ClaimRequest, Claimed, FindRequest, FloorError, FloorRequest, Head,
    RangeRequest, Refused, SlotPart, StoreError, StoredMessage,
};

/// An edge as its certificate and hello name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeIdentity {
    /// Its name, by its certificate.
    pub edge: EdgeId,
    /// Its region, by its certificate.
    pub region: Region,
    /// Its life, by its hello.
    pub incarnation: Incarnation,
}

/// Names a request of one shard to the store; its answer carries the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreTicket(pub u64);

/// Into a shard.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a frame is the usual case, and moves once from one queue to the next"
)]
pub enum Input {
    /// An edge's link is up. An older link of the same life is down before (the shell waits for its readers to end).
    LinkUp {
        /// Names the link.
        link: LinkId,
        /// Who is at its other end.
        edge: EdgeIdentity,
    },
    /// A link is down; nothing of it comes any more.
    LinkDown {
        /// Which link.
        link: LinkId,
        /// The edge went away on purpose: it needn't be waited for.
        goodbye: bool,
    },
    /// A frame of one of the shard's lanes, or an ephemeral publish of one of its slots, in the order received.
    Frame {
        /// Where from.
        link: LinkId,
        /// What.
        frame: ToNode,
    },
    /// The shell has written what was sent earlier: its room is free again.
    Sent {
        /// Which link.
        link: LinkId,
        /// Which stream.
        stream: StreamId,
        /// The sum of [`ToEdge::weight`] of what was written.
        weight: usize,
    },
    /// The view that the node holds from now on: of its lanes the shard claims the slots that it gains and gives up those
    /// that another has. An older one is ignored.
    View {
        /// Also the view that others are pointed to for slots not owned.
        view: Arc<RingView>,
        /// The node's present life; of the slots of any other nothing is kept.
        me: Incarnation,
    },
    /// Whether the node's lease holds, as it does at first. Without it no append, claim or floor begins, and what needs
    /// one is refused at once.
    Lease {
        /// It does.
        held: bool,
    },
    /// The rules that hold from now on.
    Rules(Arc<Rules>),
    /// The store has answered.
    Store(StoreTicket, StoreAnswer),
}

/// Out of a shard.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a frame is the usual case, and moves once from one queue to the next"
)]
pub enum Output {
    /// Send a frame. It never waits: what may be refused was accounted before.
    Send {
        /// Which link.
        link: LinkId,
        /// Which stream.
        stream: StreamId,
        /// What.
        frame: ToEdge,
    },
    /// Ask the store.
    Store(StoreTicket, StoreRequest),
    /// Every slot that the view of this version gives to the node is claimed, of the shard's lanes, and nothing of a slot
    /// given up is in flight any more. Said once for each version that is held long enough.
    Settled {
        /// The present view's.
        version: ViewVersion,
    },
    /// Somebody has a later view than the node: frames or claims wait until one of at least this version comes. Said once
    /// for each version.
    NeedView {
        /// The version named.
        version: ViewVersion,
    },
    /// Close a link: its edge breaks the protocol.
    Close {
        /// Which link.
        link: LinkId,
        /// Why, for a log line and the close frame.
        reason: &'static str,
    },
}

/// What a shard asks the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreRequest {
    /// Append one slot's part; each slot has one in flight at most.
    Append(SlotPart),
    /// Claim slots that a view has given to the node, or again after an unknown append or to begin new epochs.
    Claim(ClaimRequest),
    /// Read heads.
    Heads(Vec<(Slot, Channel)>),
    /// Read a part of a log.
    Range(RangeRequest),
    /// Look publishes up that may have been taken before.
    Find(FindRequest),
    /// Raise a channel's floor.
    RaiseFloor(FloorRequest),
}

/// What the store answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreAnswer {
    /// To an append.
    Appended(PartOutcome),
    /// To a claim.
    Claimed(Result<Vec<Claimed>, ClaimError>),
    /// To a read of heads.
    Heads(Result<Vec<Head>, StoreError>),
    /// To a read of a log.
    Range(Result<Vec<StoredMessage>, StoreError>),
    /// To a look-up.
    Found(Result<AllFound, StoreError>),
    /// To a floor: the head as it is then.
    FloorRaised(Result<Head, FloorError>),
}

/// What became of one slot's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartOutcome {
    /// Durable.
    Committed,
    /// Nothing was taken, for this reason.
    Refused(Refused),
    /// Nothing was taken.
    Failed(StoreError),
    /// Nobody knows.
    Unknown,
}
