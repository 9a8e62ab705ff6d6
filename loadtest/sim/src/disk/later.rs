//! Who asked the store, and what it will do later.

use std::time::Duration;

use trunkline_backbone_core::io::{StoreAnswer, StoreRequest, StoreTicket};
use trunkline_backbone_core::membership::io::{
    MembershipAnswer, MembershipRequest, MembershipTicket,
};
use trunkline_shared::{Incarnation, NodeId};
use trunkline_store_core::FloorRequest;

/// Who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// A shard of a node.
    Shard {
        /// Which node.
        node: usize,
        /// Which life of its process.
        process: u64,
        /// Which shard.
        shard: usize,
        /// Its number for the request.
        ticket: StoreTicket,
    },
    /// Somebody else, who doesn't wait for the answer.
    Foreign,
}

/// A node's membership that asked.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// Which node.
    pub(crate) node: usize,
    /// Its name.
    pub(crate) name: NodeId,
    /// Which life.
    pub(crate) life: Incarnation,
    /// Its number for the request.
    pub(crate) ticket: MembershipTicket,
}

/// Something that the store will do later.
#[derive(Debug)]
pub(crate) enum Later {
    /// Gives an answer that is known already.
    Answer(Asker, StoreAnswer),
    /// Reads, and answers.
    Read(Asker, StoreRequest),
    /// Raises a floor; tells what came of it, or only that nobody knows.
    RaiseFloor {
        asker: Asker,
        raise: FloorRequest,
        told: bool,
    },
    /// Ends the call of this number of a writer, unless it died with its process.
    Work { writer: usize, call: u64 },
    /// Ends appends whose outcome stayed unknown.
    Settle,
    /// Does what a membership asked, and answers after some time.
    Perform {
        member: Member,
        request: Box<MembershipRequest>,
        back: Duration,
    },
    /// Answers a membership.
    Tell(Member, Box<MembershipAnswer>),
    /// Tells a node that the view has changed.
    Notify { node: usize },
}

impl Later {
    /// The node that it is told to, where it is nothing but that.
    pub(crate) const fn told_to(&self) -> Option<usize> {
        match self {
            Self::Answer(Asker::Shard { node, .. }, _) | Self::Notify { node } => Some(*node),
            Self::Tell(member, _) => Some(member.node),
            Self::Answer(Asker::Foreign, _)
            | Self::Read(..)
            | Self::RaiseFloor { .. }
            | Self::Work { .. }
            | Self::Settle
            | Self::Perform { .. } => None,
        }
    }
}
