//! The links that are up, and the room on each: of its streams, and of the answers awaited.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;
use trunkline_shared::limits::LANES;
use trunkline_shared::queue::QueueAccount;
use trunkline_shared::{
    Channel, Incarnation, Instant, NodeId, RequestId, Slot, StreamId, ViewVersion,
};

use super::UpstreamConfig;

/// Why something isn't sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// The lane's queue is full.
    Lane,
    /// The answers awaited take all the room.
    Answers,
}

/// One link to a node.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) address: SmolStr,
    /// Who is at its other end, by its certificate.
    pub(super) node: NodeId,
    pub(super) incarnation: Incarnation,
    /// The newest view that the node has shown.
    pub(super) view: Option<ViewVersion>,
    /// The newest view that it was shown.
    pub(super) told: Option<ViewVersion>,
    pub(super) store_away: bool,
    /// Channels that are to be said on this link, as far as their slots are still its node's.
    pub(super) to_subscribe: BTreeSet<(Slot, Channel)>,
    /// Subscribes on it without an answer.
    pub(super) subscribes: BTreeSet<RequestId>,
    /// When each lane's positions are checked next.
    pub(super) position_checks: Vec<Instant>,
    /// Lanes on which something waits for room.
    pub(super) blocked: BTreeSet<u8>,
    /// Whether requests wait for the room of answers.
    pub(super) answers_blocked: bool,
    lanes: Vec<QueueAccount>,
    ephemeral: QueueAccount,
    control: QueueAccount,
    answers: QueueAccount,
    reserved: BTreeMap<RequestId, usize>,
}

impl Link {
    pub(super) fn new(
        config: &UpstreamConfig,
        address: SmolStr,
        node: NodeId,
        incarnation: Incarnation,
    ) -> Self {
        Self {
            address,
            node,
            incarnation,
            view: None,
            told: None,
            store_away: false,
            to_subscribe: BTreeSet::new(),
            subscribes: BTreeSet::new(),
            position_checks: Vec::new(),
            blocked: BTreeSet::new(),
            answers_blocked: false,
            lanes: vec![QueueAccount::new(config.lane_queue_bytes); usize::from(LANES)],
            ephemeral: QueueAccount::new(config.ephemeral_queue_bytes),
            control: QueueAccount::new(config.control_queue_bytes),
            answers: QueueAccount::new(config.answer_room_bytes),
            reserved: BTreeMap::new(),
        }
    }

    /// The account of a stream; `None` for a lane that the link hasn't.
    pub(super) fn account(&mut self, stream: StreamId) -> Option<&mut QueueAccount> {
        match stream {
            StreamId::Control => Some(&mut self.control),
            StreamId::Lane(lane) => self.lanes.get_mut(usize::from(lane)),
            StreamId::Ephemeral => Some(&mut self.ephemeral),
        }
    }

    /// Takes the room of a request and of its answer, both or none.
    pub(super) fn try_reserve(
        &mut self,
        request: RequestId,
        stream: StreamId,
        weight: usize,
        answer: usize,
    ) -> Result<(), NoRoom> {
        if !self.answers.try_take(answer) {
            return Err(NoRoom::Answers);
        }
        if !self
            .account(stream)
            .is_some_and(|account| account.try_take(weight))
        {
            self.answers.give_back(answer);
            return Err(NoRoom::Lane);
        }
        self.reserved.insert(request, answer);
        Ok(())
    }

    /// Gives back the room of an answer that has come whole.
    pub(super) fn release(&mut self, request: RequestId) {
        self.subscribes.remove(&request);
        if let Some(room) = self.reserved.remove(&request) {
            self.answers.give_back(room);
        }
    }

    /// Whether nothing waits for room before what comes now.
    pub(super) fn is_free(&self, lane: u8) -> bool {
        !self.answers_blocked && !self.blocked.contains(&lane)
    }

    /// Notes what waits for what.
    pub(super) fn block(&mut self, why: NoRoom, stream: StreamId) {
        match (why, stream) {
            (NoRoom::Answers, _) => self.answers_blocked = true,
            (NoRoom::Lane, StreamId::Lane(lane)) => {
                self.blocked.insert(lane);
            }
            (NoRoom::Lane, StreamId::Control | StreamId::Ephemeral) => {
                self.blocked.insert(LANES);
            }
        }
    }

    pub(super) fn lanes_bytes(&self) -> usize {
        self.lanes.iter().map(QueueAccount::bytes).sum()
    }

    pub(super) const fn ephemeral_bytes(&self) -> usize {
        self.ephemeral.bytes()
    }

    pub(super) const fn control_bytes(&self) -> usize {
        self.control.bytes()
    }

    pub(super) const fn answer_bytes(&self) -> usize {
        self.answers.bytes()
    }

    /// Checks that the room reserved is that of the requests.
    ///
    /// # Panics
    /// When it isn't.
    pub(super) fn check_invariants(&self) {
        let reserved: usize = self.reserved.values().sum();
        assert_eq!(
            reserved,
            self.answers.bytes(),
            "room of answers is reserved by requests only"
        );
        assert!(
            self.subscribes
                .iter()
                .all(|id| self.reserved.contains_key(id)),
            "a subscribe reserves its answer"
        );
    }
}
