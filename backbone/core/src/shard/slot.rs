//! A slot that the node's view gives to it: the claim it holds, and everything of its channels.
//!
//! Giving a slot up drops one of these, and nothing of it stays elsewhere.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use smol_str::SmolStr;
use trunkline_shared::{Channel, Epoch, Incarnation, PublishId, ViewVersion};
use trunkline_store_core::Generation;

use super::channel::ChannelState;
use super::key_memory::KeyMemory;
use super::keys::Keyed;
use super::pending::{Flight, Held};
use super::presence::Present;
use super::repeats::BufferedIds;

/// What a shard keeps of a slot.
#[derive(Debug)]
pub(super) struct SlotState {
    /// The fencing number of its last claim; 0 until the first one.
    pub(super) generation: Generation,
    /// The epoch of the slot's durable channels, once it is claimed.
    pub(super) epoch: Epoch,
    /// The view under which it was claimed or, until it is, that it is to be claimed under.
    pub(super) claimed_under: ViewVersion,
    /// It must be claimed before anything is numbered.
    pub(super) reclaim: Option<Reclaim>,
    /// A view has given it away while an append was in flight: it is dropped when that has ended.
    pub(super) is_leaving: bool,
    pub(super) channels: BTreeMap<Channel, ChannelState>,
    /// Publishes that aren't numbered yet, in order.
    pub(super) waiting: VecDeque<Held>,
    /// The slot's only append in flight.
    pub(super) flight: Option<Flight>,
    /// The ids of everything that waits, is in flight, or was lost.
    pub(super) held: BTreeSet<PublishId>,
    /// The bytes of it.
    pub(super) held_bytes: usize,
    /// The keys of durable publishes among them.
    pub(super) keyed: Keyed,
    pub(super) ids: BufferedIds,
    /// The keys of buffered publishes and of those that aren't kept.
    pub(super) keys: KeyMemory,
    pub(super) presence: BTreeMap<Channel, BTreeMap<SmolStr, Present>>,
    /// Edges in the middle of a presence snapshot, and the number at which it began.
    pub(super) snapshots: BTreeMap<Incarnation, u64>,
}

/// Why and how a slot is claimed again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reclaim {
    /// The store has lost what was acknowledged: the claim takes a new epoch.
    pub(super) new_epoch: bool,
    /// Somebody else may have written: heads and look-ups from before count no more.
    pub(super) foreign: bool,
}

impl SlotState {
    /// A slot that is to be claimed under a view.
    pub(super) fn new(view: ViewVersion) -> Self {
        Self {
            generation: Generation::default(),
            epoch: Epoch::new(0),
            claimed_under: view,
            reclaim: Some(Reclaim::default()),
            is_leaving: false,
            channels: BTreeMap::new(),
            waiting: VecDeque::new(),
            flight: None,
            held: BTreeSet::new(),
            held_bytes: 0,
            keyed: Keyed::default(),
            ids: BufferedIds::default(),
            keys: KeyMemory::default(),
            presence: BTreeMap::new(),
            snapshots: BTreeMap::new(),
        }
    }

    /// Whether it has been claimed since the node has it.
    pub(super) fn is_claimed(&self) -> bool {
        self.generation > Generation::default()
    }

    /// Whether its claim is one of the store, and of the server, that a view is of: of others the epochs have changed.
    pub(super) fn is_claimed_in(&self, view: ViewVersion) -> bool {
        let under = self.claimed_under;
        self.is_claimed() && (under.birth, under.timeline) == (view.birth, view.timeline)
    }

    /// Whether something may be numbered and looked up under the claim.
    pub(super) const fn is_ready(&self) -> bool {
        self.reclaim.is_none()
    }

    /// Whether a repeat's look-up holds back what comes behind it.
    pub(super) fn is_gated(&self) -> bool {
        self.is_ready() && self.waiting.iter().any(Held::is_sought)
    }
}
