//! Every request to an owner that has no answer yet, publishes apart, and which of them wait to be sent.

use std::collections::{BTreeMap, BTreeSet};

use trunkline_shared::frame::HistoryQuery;
use trunkline_shared::limits::LANES;
use trunkline_shared::{
    Channel, ClientInfo, Instant, LinkId, Offset, Publication, RequestId, Slot,
};

use super::Asker;

/// What is asked.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    /// A channel's pushes.
    Subscribe(Channel),
    /// What a channel has missed.
    Pull(Channel),
    /// What the subscribers that wait on a channel have missed.
    Recover {
        channel: Channel,
        after: Offset,
        limit: u32,
    },
    /// Where channels of a lane stand, at the node of one link.
    Positions {
        link: LinkId,
        channels: Vec<(Slot, Channel)>,
    },
    History {
        asker: Asker,
        channel: Channel,
        query: HistoryQuery,
        bytes_max: u32,
    },
    RemoveHistory {
        asker: Asker,
        channel: Channel,
    },
    Presence {
        asker: Asker,
        channel: Channel,
    },
    PresenceStats {
        asker: Asker,
        channel: Channel,
    },
    Info {
        asker: Asker,
    },
}

impl Ask {
    /// The worker's request behind it; `None` for a question of the edge's own.
    pub(super) const fn asker(&self) -> Option<Asker> {
        match self {
            Self::Subscribe(_) | Self::Pull(_) | Self::Recover { .. } | Self::Positions { .. } => {
                None
            }
            Self::History { asker, .. }
            | Self::RemoveHistory { asker, .. }
            | Self::Presence { asker, .. }
            | Self::PresenceStats { asker, .. }
            | Self::Info { asker } => Some(*asker),
        }
    }
}

/// A request and the pieces of its answer that have come.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) ask: Ask,
    /// `None` for what any node can answer.
    pub(super) slot: Option<Slot>,
    pub(super) deadline: Instant,
    /// The link that it was handed to.
    pub(super) link: Option<LinkId>,
    pub(super) publications: Vec<Publication>,
    pub(super) clients: Vec<ClientInfo>,
}

impl Request {
    pub(super) const fn new(ask: Ask, slot: Option<Slot>, deadline: Instant) -> Self {
        Self {
            ask,
            slot,
            deadline,
            link: None,
            publications: Vec::new(),
            clients: Vec::new(),
        }
    }

    /// Where it waits: its lane, or the place behind the last lane for the control stream.
    pub(super) fn lane(&self) -> u8 {
        self.slot.map_or(LANES, |slot| slot.lane(LANES))
    }
}

/// The table of requests.
#[derive(Debug)]
pub(super) struct Requests {
    table: BTreeMap<RequestId, Request>,
    waiting: Vec<BTreeSet<RequestId>>,
    of_workers: usize,
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            table: BTreeMap::new(),
            waiting: vec![BTreeSet::new(); usize::from(LANES) + 1],
            of_workers: 0,
        }
    }
}

impl Requests {
    /// Requests of workers.
    pub(super) const fn len(&self) -> usize {
        self.of_workers
    }

    /// Adds a request, which waits to be sent unless it has its link already.
    pub(super) fn insert(&mut self, id: RequestId, request: Request) {
        self.of_workers += usize::from(request.ask.asker().is_some());
        if request.link.is_none() {
            self.waiting[usize::from(request.lane())].insert(id);
        }
        self.table.insert(id, request);
    }

    pub(super) fn remove(&mut self, id: RequestId) -> Option<Request> {
        let request = self.table.remove(&id)?;
        self.of_workers -= usize::from(request.ask.asker().is_some());
        self.waiting[usize::from(request.lane())].remove(&id);
        Some(request)
    }

    pub(super) fn get(&self, id: RequestId) -> Option<&Request> {
        self.table.get(&id)
    }

    /// A request that was handed to this link; `None` when nobody waits for its answer from there.
    pub(super) fn sent_on(&mut self, link: LinkId, id: RequestId) -> Option<&mut Request> {
        self.table
            .get_mut(&id)
            .filter(|request| request.link == Some(link))
    }

    pub(super) fn mark_sent(&mut self, id: RequestId, link: LinkId) {
        if let Some(request) = self.table.get_mut(&id) {
            request.link = Some(link);
            self.waiting[usize::from(request.lane())].remove(&id);
        }
    }

    /// The first request that waits on a lane behind another one.
    pub(super) fn next_waiting(&self, lane: u8, behind: RequestId) -> Option<RequestId> {
        self.waiting[usize::from(lane)]
            .range(RequestId(behind.0 + 1)..)
            .next()
            .copied()
    }

    /// Requests that were handed to a link which `is_lost` for their slot.
    pub(super) fn lost(&self, is_lost: impl Fn(LinkId, Option<Slot>) -> bool) -> Vec<RequestId> {
        let of = |(id, request): (&RequestId, &Request)| {
            request
                .link
                .is_some_and(|link| is_lost(link, request.slot))
                .then_some(*id)
        };
        self.table.iter().filter_map(of).collect()
    }

    /// Checks the indexes against the table.
    ///
    /// # Panics
    /// When they differ.
    pub(super) fn check_invariants(&self, armed: impl Fn(Instant, RequestId) -> bool) {
        for (id, request) in &self.table {
            assert!(armed(request.deadline, *id), "each request has a deadline");
            let waits = self.waiting[usize::from(request.lane())].contains(id);
            assert_eq!(waits, request.link.is_none(), "a request waits or is sent");
        }
        let waiting: usize = self.waiting.iter().map(BTreeSet::len).sum();
        assert!(waiting <= self.table.len(), "only requests wait");
        let of_workers = self
            .table
            .values()
            .filter(|request| request.ask.asker().is_some())
            .count();
        assert_eq!(
            of_workers, self.of_workers,
            "requests of workers are counted"
        );
    }
}
