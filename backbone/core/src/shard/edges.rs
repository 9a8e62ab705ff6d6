//! The edges that a shard knows, and the one place that says which link an edge has now.
//!
//! Every other table names an edge by its incarnation.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use trunkline_shared::frame::ToEdge;
use trunkline_shared::limits::LANES;
use trunkline_shared::queue::QueueAccount;
use trunkline_shared::{Channel, Incarnation, Instant, LinkId, Slot, StreamId};

use super::sent_back::SentBack;
use crate::config::ShardConfig;
use crate::io::{EdgeIdentity, Output};

/// Who asks: an edge, and the link that it asks on, so that an answer never goes to a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) edge: Incarnation,
    pub(super) link: LinkId,
}

/// All edges that are known, with or without a link.
#[derive(Debug, Default)]
pub(super) struct Edges {
    pub(super) by_life: BTreeMap<Incarnation, Edge>,
    by_link: BTreeMap<LinkId, Incarnation>,
}

/// One life of an edge.
#[derive(Debug)]
pub(super) struct Edge {
    pub(super) identity: EdgeIdentity,
    pub(super) link: Option<Link>,
    /// When the next step of its absence or return is due; see `life.rs`.
    pub(super) due: Option<(Instant, Due)>,
    /// What it said about presence before this number was not said on its present link.
    pub(super) up_since: u64,
}

/// What happens to an edge next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// It has had no link for the lease: it is dead.
    Death,
    /// It has been dead for the debounce: its connections leave.
    Leave,
    /// It came back, and what it hasn't restated since leaves.
    Restated,
}

/// The link of an edge: what waits for it, and what is pushed on it.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) id: LinkId,
    pub(super) lanes: Vec<Lane>,
    pub(super) ephemeral: QueueAccount,
    pub(super) subscriptions: BTreeSet<(Slot, Channel)>,
    pub(super) sent_back: SentBack,
}

/// One lane of a link.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) account: QueueAccount,
    /// Channels that lag and haven't been told `Behind`, by the order in which they began to.
    pub(super) behind: BTreeMap<u64, (Slot, Channel)>,
}

impl Edges {
    pub(super) fn caller(&self, link: LinkId) -> Option<Caller> {
        self.by_link
            .get(&link)
            .map(|edge| Caller { edge: *edge, link })
    }

    pub(super) fn links(&self) -> usize {
        self.by_link.len()
    }

    pub(super) fn is_current(&self, caller: Caller) -> bool {
        self.by_link.get(&caller.link) == Some(&caller.edge)
    }

    pub(super) fn link(&self, edge: Incarnation) -> Option<&Link> {
        self.by_life.get(&edge)?.link.as_ref()
    }

    pub(super) fn link_mut(&mut self, edge: Incarnation) -> Option<&mut Link> {
        self.by_life.get_mut(&edge)?.link.as_mut()
    }

    /// Puts a link in the place of an edge's; the old one, if any, is gone.
    pub(super) fn connect(
        &mut self,
        config: &ShardConfig,
        link: LinkId,
        identity: EdgeIdentity,
        up_since: u64,
    ) {
        let life = identity.incarnation;
        let edge = Edge {
            identity,
            link: Some(Link::new(config, link)),
            due: None,
            up_since,
        };
        self.by_life.insert(life, edge);
        self.by_link.insert(link, life);
    }

    /// Takes a link out of the tables and returns it with its edge.
    pub(super) fn disconnect(&mut self, link: LinkId) -> Option<(Incarnation, Link)> {
        let life = self.by_link.remove(&link)?;
        let link = self.link_of_life(life);
        Some((life, link))
    }

    fn link_of_life(&mut self, life: Incarnation) -> Link {
        let edge = self
            .by_life
            .get_mut(&life)
            .expect("a link in the table has its edge");
        edge.link.take().expect("a link in the table is its edge's")
    }

    /// Sends what is never refused on the edge's present link; without one it is dropped.
    pub(super) fn send(
        &mut self,
        outputs: &mut VecDeque<Output>,
        edge: Incarnation,
        frame: ToEdge,
    ) {
        let Some(link) = self.link_mut(edge) else {
            return;
        };
        let Some(slot) = frame.slot() else { return };
        link.lane_mut(slot).account.take(frame.weight());
        outputs.push_back(Output::Send {
            link: link.id,
            stream: StreamId::of(slot),
            frame,
        });
    }

    /// Sends what may be refused; false when the lane has no room, or the edge no link.
    pub(super) fn try_send(
        &mut self,
        outputs: &mut VecDeque<Output>,
        edge: Incarnation,
        frame: ToEdge,
    ) -> bool {
        let Some(link) = self.link_mut(edge) else {
            return false;
        };
        let Some(slot) = frame.slot() else {
            return false;
        };
        if !link.lane_mut(slot).account.try_take(frame.weight()) {
            return false;
        }
        outputs.push_back(Output::Send {
            link: link.id,
            stream: StreamId::of(slot),
            frame,
        });
        true
    }

    /// Sends on the ephemeral stream; false when it has no room, or the edge no link.
    pub(super) fn try_send_ephemeral(
        &mut self,
        outputs: &mut VecDeque<Output>,
        edge: Incarnation,
        frame: ToEdge,
    ) -> bool {
        let Some(link) = self.link_mut(edge) else {
            return false;
        };
        if !link.ephemeral.try_take(frame.weight()) {
            return false;
        }
        outputs.push_back(Output::Send {
            link: link.id,
            stream: StreamId::Ephemeral,
            frame,
        });
        true
    }
}

impl Link {
    fn new(config: &ShardConfig, id: LinkId) -> Self {
        let lane = || Lane {
            account: QueueAccount::new(config.lane_queue_bytes),
            behind: BTreeMap::new(),
        };
        Self {
            id,
            lanes: (0..LANES).map(|_| lane()).collect(),
            ephemeral: QueueAccount::new(config.ephemeral_queue_bytes),
            subscriptions: BTreeSet::new(),
            sent_back: SentBack::default(),
        }
    }

    pub(super) fn lane_mut(&mut self, slot: Slot) -> &mut Lane {
        &mut self.lanes[usize::from(slot.lane(LANES))]
    }
}
