//! A channel at its owner: where it stands, who is subscribed, what waits for its head.

use std::collections::BTreeMap;

use trunkline_shared::Position;
use trunkline_shared::frame::HistoryQuery;
use trunkline_shared::rules::Class;
use trunkline_shared::{Channel, Epoch, Incarnation, Instant, Offset, RequestId, Slot};

use super::edges::Caller;
use super::pending::Held;
use super::replay::Log;
use crate::io::StoreTicket;

/// What a shard keeps of a channel.
#[derive(Debug)]
pub(super) struct ChannelState {
    /// Names this stay in memory, so that a read begun in an earlier one is known.
    pub(super) born: u64,
    pub(super) class: Class,
    pub(super) subscribers: BTreeMap<Incarnation, Subscriber>,
    /// `None` for an ephemeral channel.
    pub(super) log: Option<Log>,
    pub(super) load: Load,
    /// The head was known before; a lower one from the store means that it lost what was acknowledged.
    pub(super) was_loaded: bool,
    /// Publishes of an append of which nobody knows, until the head tells.
    pub(super) lost: Vec<Held>,
    /// What waits for the head, in order.
    pub(super) awaiting: Vec<Request>,
    /// Publishes that wait or are in flight.
    pub(super) held: usize,
    /// Requests for which the store has been asked, heads apart.
    pub(super) reading: usize,
    /// Its place among the idle channels.
    pub(super) idle: Option<u64>,
}

/// Whether the head is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Load {
    /// It is.
    Loaded,
    /// It must be read once the slot is claimed.
    Wanted,
    /// The store has been asked.
    Asked(StoreTicket),
}

/// A subscribed edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Subscriber {
    pub(super) lag: Option<Lag>,
}

/// Nothing is pushed until a pull has reached the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lag {
    /// The edge will be told `Behind`; the number is its turn.
    Untold(u64),
    /// The edge knows and pulls.
    Told,
}

/// A request that needs a channel's head.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) caller: Caller,
    pub(super) id: RequestId,
    pub(super) slot: Slot,
    pub(super) channel: Channel,
    pub(super) ask: Ask,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ask {
    Subscribe {
        at: Option<Position>,
    },
    Pull {
        after: Position,
    },
    History {
        query: HistoryQuery,
        bytes_max: usize,
    },
    RemoveHistory {
        /// When its caller has waited long enough.
        deadline: Instant,
    },
}

impl ChannelState {
    pub(super) const fn ephemeral(born: u64) -> Self {
        Self::new(born, Class::Ephemeral, None, Load::Loaded)
    }

    pub(super) const fn buffered(born: u64, epoch: Epoch) -> Self {
        Self::new(
            born,
            Class::Buffered,
            Some(Log::buffered(epoch)),
            Load::Loaded,
        )
    }

    pub(super) const fn durable(born: u64, epoch: Epoch) -> Self {
        Self::new(
            born,
            Class::Durable,
            Some(Log::durable(epoch)),
            Load::Wanted,
        )
    }

    const fn new(born: u64, class: Class, log: Option<Log>, load: Load) -> Self {
        Self {
            born,
            class,
            subscribers: BTreeMap::new(),
            log,
            load,
            was_loaded: false,
            lost: Vec::new(),
            awaiting: Vec::new(),
            held: 0,
            reading: 0,
            idle: None,
        }
    }

    /// Nothing would be lost that somebody waits for if the channel were dropped from memory.
    pub(super) fn is_idle(&self) -> bool {
        self.subscribers.is_empty()
            && self.load == Load::Loaded
            && self.held == 0
            && self.reading == 0
            && self.awaiting.is_empty()
    }

    pub(super) fn head(&self) -> Option<Position> {
        self.log.as_ref().map(Log::position)
    }

    pub(super) fn floor(&self) -> Offset {
        self.log.as_ref().map_or(Offset::ZERO, |log| log.floor)
    }
}
