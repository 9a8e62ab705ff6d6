//! What a worker and the way upstream say to each other: values, never references.
//!
//! Each direction is an ordered queue. The HTTP API of an edge speaks as a worker of its own without sessions.

use std::sync::Arc;
use std::time::Duration;

use trunkline_shared::frame::{EdgeReport, HistoryQuery, PresenceEvent};
use trunkline_shared::rules::Rules;
use trunkline_shared::{
    Channel, ClientInfo, Epoch, IdempotencyKey, Instant, Offset, Position, Publication,
};

use crate::shared_publication::SharedPublication;

/// Names a worker of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId(pub u16);

/// Names a request of one worker; its answer carries the same number. Never used twice by a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What a subscriber wants to catch up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recover {
    /// The numbering of `after`; `None` takes any.
    pub epoch: Option<Epoch>,
    /// The last publication that it has.
    pub after: Offset,
    /// Publications at most; with more missed it isn't recovered.
    pub limit: u32,
}

/// From a worker.
#[derive(Clone, Debug)]
pub enum ToUpstream {
    /// A session wants a channel. The answer is [`Answer::Subscribed`] or [`Answer::Refused`].
    ///
    /// From the answer on the worker gets the channel's publications, until it says [`ToUpstream::Unsubscribe`].
    Subscribe {
        /// Echoed by the answer.
        ticket: Ticket,
        /// When it is answered at the latest.
        deadline: Instant,
        /// Which channel.
        channel: Channel,
        /// Where the session wants to go on.
        recover: Option<Recover>,
    },
    /// The worker has no session left that is subscribed, or about to be.
    Unsubscribe {
        /// Which channel.
        channel: Channel,
    },
    /// A publish. The answer is [`Answer::Published`] or [`Answer::Refused`].
    Publish {
        /// Echoed by the answer.
        ticket: Ticket,
        /// When it is answered at the latest.
        deadline: Instant,
        /// Which channel.
        channel: Channel,
        /// The publisher's name for the message: a second one with it isn't taken.
        key: Option<IdempotencyKey>,
        /// Whether the channel's history is not to keep it: only who is there gets it, at most once, and it has no position.
        skip_history: bool,
        /// The message; offset, time and origin are filled on the way.
        publication: Publication,
    },
    /// Asks for history. The answer is [`Answer::History`] or [`Answer::Refused`].
    History {
        /// Echoed by the answer.
        ticket: Ticket,
        /// When it is answered at the latest.
        deadline: Instant,
        /// Which channel.
        channel: Channel,
        /// Which part.
        query: HistoryQuery,
        /// Bytes of publications at most.
        bytes_max: u32,
    },
    /// Removes a channel's history. The answer is [`Answer::HistoryRemoved`] or [`Answer::Refused`]: not known to be done.
    RemoveHistory {
        /// Echoed by the answer.
        ticket: Ticket,
        /// When it is answered at the latest.
        deadline: Instant,
        /// Which channel.
        channel: Channel,
    },
    /// Asks who is present. The answer is [`Answer::Presence`] or [`Answer::Refused`].
    Presence {
        /// Echoed by the answer.
        ticket: Ticket,
        /// When it is answered at the latest.
        deadline: Instant,
        /// Which channel.
        channel: Channel,
    },
    /// Asks how many are present. The answer is [`Answer::PresenceStats`] or [`Answer::Refused`].
    PresenceStats {
        /// Echoed by the answer.
        ticket: Ticket,
        /// When it is answered at the latest.
        deadline: Instant,
        /// Which channel.
        channel: Channel,
    },
    /// Asks for the edges of the mesh. The answer is [`Answer::Info`] or [`Answer::Refused`].
    Info {
        /// Echoed by the answer.
        ticket: Ticket,
        /// When it is answered at the latest.
        deadline: Instant,
    },
    /// A connection began to be present in a channel.
    Joined {
        /// Where.
        channel: Channel,
        /// Who.
        client: ClientInfo,
    },
    /// A connection ended to be present in a channel.
    Left {
        /// Where.
        channel: Channel,
        /// Who.
        client: ClientInfo,
    },
    /// The worker has worked on messages of this weight together: there is room for as much again.
    Consumed {
        /// The sum of [`ToWorker::weight`].
        weight: usize,
    },
}

/// To a worker.
#[derive(Clone, Debug)]
pub enum ToWorker {
    /// A request is done.
    Answer {
        /// The request's ticket.
        ticket: Ticket,
        /// What came of it.
        answer: Answer,
    },
    /// A publication of a channel that the worker is subscribed to, in order.
    Publication(Arc<SharedPublication>),
    /// Publications of the channel were missed for good: what follows continues from `position`, and a positioned session
    /// that hasn't everything up to it must be told (2500).
    Gap {
        /// Which channel.
        channel: Channel,
        /// Where it goes on.
        position: Position,
    },
    /// The channel has another numbering: every positioned session must be told (2500), spread over `spread`.
    EpochChanged {
        /// Which channel.
        channel: Channel,
        /// Where the new numbering stands.
        position: Position,
        /// The time over which to tell.
        spread: Duration,
    },
    /// Joins and leaves of a channel.
    PresenceEvents {
        /// Which channel.
        channel: Channel,
        /// What happened, in order.
        events: Arc<Vec<PresenceEvent>>,
    },
    /// The rules that hold from now on.
    Rules(Arc<Rules>),
    /// Whether the edge is cut off from the backbone, so that its clients are better off elsewhere; until this is said for
    /// the first time it isn't.
    Isolated(bool),
}

impl ToWorker {
    /// Bytes that it counts for in the queue to a worker.
    pub fn weight(&self) -> usize {
        const FIXED: usize = 64;
        FIXED
            + match self {
                Self::Answer { answer, .. } => answer.weight(),
                Self::Publication(shared) => shared.publication.weight(),
                Self::PresenceEvents { events, .. } => {
                    events.iter().map(|e| FIXED + e.client.weight()).sum()
                }
                Self::Gap { .. }
                | Self::EpochChanged { .. }
                | Self::Rules(_)
                | Self::Isolated(_) => 0,
            }
    }
}

/// What came of a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Publications of the channel follow from `position` on.
    Subscribed {
        /// Where the channel stands for this subscriber, `caught_up` included; `None` for an ephemeral channel.
        position: Option<Position>,
        /// What came after the position that was to be recovered, ascending, up to `position`; `None` when that can't be
        /// given (another epoch, trimmed, too many, or nothing was to be recovered).
        caught_up: Option<Vec<Arc<SharedPublication>>>,
    },
    /// The publish is kept as its class promises.
    Published {
        /// Where it stands; `None` for one that isn't kept.
        position: Option<Position>,
    },
    /// A part of a channel's history.
    History {
        /// Where the channel stands.
        head: Position,
        /// Nothing at or below it is kept any more.
        floor: Offset,
        /// In the order asked.
        publications: Vec<Publication>,
    },
    /// Everything up to `floor` is removed from the channel's history.
    HistoryRemoved {
        /// The numbering that the offset belongs to; it goes on.
        epoch: Epoch,
        /// Nothing at or below it is kept any more.
        floor: Offset,
    },
    /// Who is present.
    Presence(Vec<ClientInfo>),
    /// How many are present.
    PresenceStats {
        /// Connections.
        clients: u32,
        /// Distinct users.
        users: u32,
    },
    /// The edges of the mesh.
    Info(Vec<EdgeReport>),
    /// It won't be done.
    Refused(RefusedBecause),
}

impl Answer {
    fn weight(&self) -> usize {
        match self {
            Self::Subscribed { caught_up, .. } => caught_up
                .iter()
                .flatten()
                .map(|shared| shared.publication.weight())
                .sum(),
            Self::History { publications, .. } => {
                publications.iter().map(Publication::weight).sum()
            }
            Self::Presence(clients) => clients.iter().map(|client| 64 + client.weight()).sum(),
            Self::Info(edges) => edges.len() * 128,
            Self::Published { .. }
            | Self::HistoryRemoved { .. }
            | Self::PresenceStats { .. }
            | Self::Refused(_) => 0,
        }
    }
}

/// Why a request won't be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedBecause {
    /// No owner, no link, no room, no store, or no time left: error 100, temporary.
    Temporary,
    /// The owner doesn't know the namespace: error 102.
    UnknownChannel,
    /// The namespace hasn't the feature: error 108.
    NotAvailable,
}
