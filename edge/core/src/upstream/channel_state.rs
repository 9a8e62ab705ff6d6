//! One channel: how it stands with its owner, what is had of it, who waits for it and who reads it.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_shared::{Epoch, Instant, LinkId, Offset, Position, RequestId, Slot};

use super::Asker;
use super::ring::Ring;
use crate::exchange::{Recover, WorkerId};
use crate::shared_publication::SharedPublication;

/// How a channel stands with its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// It is to be asked for.
    Idle,
    /// It is asked for, or waits for room to be.
    Asked(RequestId),
    /// Its pushes come from this link, and are taken from no other.
    Live(LinkId),
}

/// How far one worker has a channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader {
    /// The last publication that it was given.
    pub(super) sent: Offset,
    /// It is given nothing until its queue has room again.
    pub(super) lagging: bool,
}

/// A worker's subscribe that isn't answered yet.
#[derive(Clone, Debug)]
pub(super) struct Waiter {
    pub(super) asker: Asker,
    pub(super) deadline: Instant,
    pub(super) recover: Option<Recover>,
    /// The request whose answer says what it has missed.
    pub(super) asked: Option<RequestId>,
}

/// An owner's answer to a recovery, kept until the channel's pushes come.
#[derive(Clone, Debug)]
pub(super) struct Recovered {
    pub(super) request: RequestId,
    pub(super) head: Position,
    pub(super) publications: Vec<Arc<SharedPublication>>,
}

/// One channel.
#[derive(Debug)]
pub(super) struct ChannelState {
    pub(super) slot: Slot,
    pub(super) stand: Stand,
    /// Whether an owner has ever answered.
    pub(super) known: bool,
    /// The numbering; `None` while unknown, and for an ephemeral channel.
    pub(super) epoch: Option<Epoch>,
    pub(super) ring: Ring,
    /// When its ring was used last, to the second; `None` while it holds nothing.
    pub(super) ring_used: Option<Instant>,
    /// Something was missed that isn't pulled yet.
    pub(super) behind: bool,
    pub(super) pull: Option<RequestId>,
    pub(super) recovery: Option<RequestId>,
    pub(super) recovered: Option<Recovered>,
    pub(super) waiters: Vec<Waiter>,
    pub(super) readers: BTreeMap<WorkerId, Reader>,
    pub(super) linger: Option<Instant>,
    pub(super) retry: Option<Instant>,
}

impl ChannelState {
    pub(super) fn new(slot: Slot) -> Self {
        Self {
            slot,
            stand: Stand::Idle,
            known: false,
            epoch: None,
            ring: Ring::default(),
            ring_used: None,
            behind: false,
            pull: None,
            recovery: None,
            recovered: None,
            waiters: Vec::new(),
            readers: BTreeMap::new(),
            linger: None,
            retry: None,
        }
    }

    /// The last publication that the edge has; `None` while unknown, and for an ephemeral channel.
    pub(super) fn position(&self) -> Option<Position> {
        self.epoch.map(|epoch| Position {
            epoch,
            offset: self.ring.top(),
        })
    }

    pub(super) fn is_live_on(&self, link: LinkId) -> bool {
        self.stand == Stand::Live(link)
    }

    pub(super) const fn is_live(&self) -> bool {
        matches!(self.stand, Stand::Live(_))
    }

    pub(super) fn is_asked(&self, request: RequestId) -> bool {
        self.stand == Stand::Asked(request)
    }

    /// Forgets what was asked and told; what is had stays.
    pub(super) fn forget_stand(&mut self) {
        self.stand = Stand::Idle;
        self.behind = false;
        self.pull = None;
        self.recovery = None;
        self.recovered = None;
        for waiter in &mut self.waiters {
            waiter.asked = None;
        }
    }
}
