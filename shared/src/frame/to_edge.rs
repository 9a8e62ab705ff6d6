//! What a backbone node says to an edge.

use rkyv::{Archive, Deserialize, Serialize};
use smol_str::SmolStr;

use super::to_node::EdgeStats;
use crate::channel::Channel;
use crate::id::{EdgeId, Incarnation, Region, RequestId};
use crate::position::{Epoch, Offset, Position};
use crate::publication::{ClientInfo, Payload, Payloads, Publication};
use crate::slot::Slot;
use crate::view::{RingView, ViewVersion};

/// Why an owner doesn't do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub enum Refusal {
    /// The slot has another owner in the view of this version; the edge waits for that view.
    Moved {
        /// A version in which it is so.
        version: ViewVersion,
    },
    /// The owner's claim is younger than the view named: the publish is to be sent again, marked as a repeat.
    StaleView,
    /// A queue or table is full, or the time is over: error 100.
    Busy,
    /// The store is away or refused it: error 100.
    StoreAway,
    /// The frame's slot isn't its channel's by the owner's rules: error 100 until the edge has them.
    WrongSlot,
    /// The owner's rules don't know the namespace: error 102.
    UnknownChannel,
    /// The namespace hasn't the feature: error 108.
    NotAvailable,
}

/// A channel's pushes begin.
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct Subscribed {
    /// The request's id.
    pub request: RequestId,
    /// The channel's slot.
    pub slot: Slot,
    /// Where the channel stands; `None` for an ephemeral one, which has no numbering.
    pub head: Option<Position>,
    /// Nothing at or below it is kept any more (`history_remove`); 0 when never raised.
    pub floor: Offset,
    /// Pushes don't begin yet: the edge's position, of this epoch, is below the head and it must pull first. With another
    /// epoch, or none, they begin at the head.
    pub lagging: bool,
}

/// Publications that a lagging edge has missed, ascending.
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct Pulled {
    /// The request's id.
    pub request: RequestId,
    /// The channel's slot.
    pub slot: Slot,
    /// Where the channel stands; another epoch than the edge's means that the edge starts anew from here.
    pub head: Position,
    /// Nothing at or below it is kept any more.
    pub floor: Offset,
    /// What was kept of the missed ones, a piece's worth; the first may lie beyond the one after the edge's position.
    pub publications: Vec<Publication>,
    /// This answer reaches the head: the lag is over and pushes follow from the head on.
    pub reached_head: bool,
}

/// A piece of a history answer.
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct HistoryPiece {
    /// The request's id.
    pub request: RequestId,
    /// The channel's slot.
    pub slot: Slot,
    /// Where the channel stands.
    pub head: Position,
    /// Nothing at or below it is kept any more.
    pub floor: Offset,
    /// In the order asked.
    pub publications: Vec<Publication>,
    /// Nothing follows.
    pub last: bool,
}

/// A piece of a presence answer.
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct PresencePiece {
    /// The request's id.
    pub request: RequestId,
    /// The channel's slot.
    pub slot: Slot,
    /// Who is present.
    pub clients: Vec<ClientInfo>,
    /// Nothing follows.
    pub last: bool,
}

/// One publication for an edge, however many of its clients subscribe.
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct Push {
    /// The channel's slot.
    pub slot: Slot,
    /// Which channel.
    pub channel: Channel,
    /// The numbering that its offset belongs to; `None` for one that isn't kept.
    pub epoch: Option<Epoch>,
    /// The message.
    pub publication: Publication,
}

/// There is room again for a channel that lagged: the edge pulls from its position.
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct Behind {
    /// The channel's slot.
    pub slot: Slot,
    /// Which channel.
    pub channel: Channel,
    /// Where it stands.
    pub head: Position,
    /// Nothing at or below it is kept any more.
    pub floor: Offset,
}

/// What a channel's history held has been removed up to an offset.
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct Floor {
    /// The channel's slot.
    pub slot: Slot,
    /// Which channel.
    pub channel: Channel,
    /// The numbering that the offset belongs to.
    pub epoch: Epoch,
    /// Nothing at or below it is kept any more.
    pub floor: Offset,
}

/// Somebody joined or left a channel.
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct PresenceEvent {
    /// Who.
    pub client: ClientInfo,
    /// Joined, or left.
    pub joined: bool,
}

/// Where one channel stands for one edge.
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct ChannelHead {
    /// Which channel.
    pub channel: Channel,
    /// Where it stands; `None` when the owner doesn't push it to this edge.
    pub head: Option<Position>,
}

/// An edge that a node knows, for `/api/info`.
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct EdgeReport {
    /// Its life.
    pub incarnation: Incarnation,
    /// Its name, by its certificate.
    pub edge: EdgeId,
    /// Its region, by its certificate.
    pub region: Region,
    /// What it said last.
    pub stats: EdgeStats,
}

/// From a node to an edge.
#[expect(
    clippy::large_enum_variant,
    reason = "the large ones are the common ones; a box would cost an allocation for each message"
)]
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub enum ToEdge {
    /// Control: the newest ring view.
    View(RingView),
    /// Control: the rules of all namespaces, as JSON (they are configuration and grow).
    Rules(Payload),
    /// Control: whether the node can reach its store.
    Store {
        /// It can't.
        away: bool,
    },
    /// Control: the edges that the node knows.
    Info {
        /// The request's id.
        request: RequestId,
        /// One entry per edge.
        edges: Vec<EdgeReport>,
    },
    /// Control: the node goes away on purpose.
    Goodbye {
        /// Why, for a log line.
        reason: SmolStr,
    },
    /// Lane: a request won't be done.
    Refused {
        /// The request's id.
        request: RequestId,
        /// The slot that it named.
        slot: Slot,
        /// Why.
        refusal: Refusal,
    },
    /// Lane: a publish is kept as its class promises.
    Published {
        /// The request's id.
        request: RequestId,
        /// The channel's slot.
        slot: Slot,
        /// Where it stands.
        position: Position,
    },
    /// Lane: a channel's pushes begin.
    Subscribed(Subscribed),
    /// Lane: missed publications.
    Pulled(Pulled),
    /// Lane: history.
    History(HistoryPiece),
    /// Lane: who is present.
    Presence(PresencePiece),
    /// Lane: how many are present.
    PresenceStats {
        /// The request's id.
        request: RequestId,
        /// The channel's slot.
        slot: Slot,
        /// Connections.
        clients: u32,
        /// Distinct users.
        users: u32,
    },
    /// Lane: where channels stand.
    Positions {
        /// The request's id.
        request: RequestId,
        /// The lane's slot that was named first.
        slot: Slot,
        /// One entry per channel asked.
        heads: Vec<ChannelHead>,
    },
    /// Lane, or ephemeral stream: a publication.
    Push(Push),
    /// Lane: a channel that lagged may be pulled.
    Behind(Behind),
    /// Lane: joins and leaves of a channel, in order.
    PresenceEvents {
        /// The channel's slot.
        slot: Slot,
        /// Which channel.
        channel: Channel,
        /// What happened.
        events: Vec<PresenceEvent>,
    },
    /// Lane: the owner has forgotten what this edge subscribed in a slot; the edge says it again.
    Reset {
        /// Which slot.
        slot: Slot,
    },
    /// Lane: a channel's history is removed, as its class promises.
    HistoryRemoved {
        /// The request's id.
        request: RequestId,
        /// The channel's slot.
        slot: Slot,
        /// The numbering that the offset belongs to; it goes on.
        epoch: Epoch,
        /// Nothing at or below it is kept any more.
        floor: Offset,
    },
    /// Lane: somebody has removed a channel's history; for every edge that is pushed the channel.
    Floor(Floor),
}

impl ToEdge {
    /// The slot that it names; its lane follows from it. `None` belongs on the control stream.
    pub fn slot(&self) -> Option<Slot> {
        match self {
            Self::View(_)
            | Self::Rules(_)
            | Self::Store { .. }
            | Self::Info { .. }
            | Self::Goodbye { .. } => None,
            Self::Refused { slot, .. }
            | Self::Published { slot, .. }
            | Self::PresenceStats { slot, .. }
            | Self::Positions { slot, .. }
            | Self::PresenceEvents { slot, .. }
            | Self::HistoryRemoved { slot, .. }
            | Self::Reset { slot } => Some(*slot),
            Self::Subscribed(subscribed) => Some(subscribed.slot),
            Self::Pulled(pulled) => Some(pulled.slot),
            Self::History(piece) => Some(piece.slot),
            Self::Presence(piece) => Some(piece.slot),
            Self::Push(push) => Some(push.slot),
            Self::Behind(behind) => Some(behind.slot),
            Self::Floor(floor) => Some(floor.slot),
        }
    }

    /// Bytes that it counts for in a queue: its payloads and texts, and a fixed share for the rest.
    pub fn weight(&self) -> usize {
        const FIXED: usize = 128;
        FIXED
            + match self {
                Self::View(_) => 9 << 10,
                Self::Rules(json) => json.bytes().len(),
                Self::Info { edges, .. } => edges.len() * FIXED,
                Self::Store { .. }
                | Self::Goodbye { .. }
                | Self::Refused { .. }
                | Self::Published { .. }
                | Self::Subscribed(_)
                | Self::PresenceStats { .. }
                | Self::HistoryRemoved { .. }
                | Self::Reset { .. } => 0,
                Self::Pulled(pulled) => pulled.publications.iter().map(Publication::weight).sum(),
                Self::History(piece) => piece.publications.iter().map(Publication::weight).sum(),
                Self::Presence(piece) => piece
                    .clients
                    .iter()
                    .map(|client| FIXED + client.weight())
                    .sum(),
                Self::Positions { heads, .. } => {
                    heads.iter().map(|h| 32 + h.channel.as_str().len()).sum()
                }
                Self::Push(push) => push.channel.as_str().len() + push.publication.weight(),
                Self::Behind(behind) => behind.channel.as_str().len(),
                Self::Floor(floor) => floor.channel.as_str().len(),
                Self::PresenceEvents { events, .. } => {
                    events.iter().map(|e| FIXED + e.client.weight()).sum()
                }
            }
    }
}

impl Payloads for ToEdge {
    fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Payload)) {
        match self {
            Self::Rules(json) => visit(json),
            Self::Pulled(pulled) => pulled.publications.iter().for_each(|p| p.visit(visit)),
            Self::History(piece) => piece.publications.iter().for_each(|p| p.visit(visit)),
            Self::Presence(piece) => piece.clients.iter().for_each(|c| c.visit(visit)),
            Self::Push(push) => push.publication.visit(visit),
            Self::PresenceEvents { events, .. } => {
                events.iter().for_each(|e| e.client.visit(visit))
            }
            Self::View(_)
            | Self::Store { .. }
            | Self::Info { .. }
            | Self::Goodbye { .. }
            | Self::Refused { .. }
            | Self::Published { .. }
            | Self::Subscribed(_)
            | Self::PresenceStats { .. }
            | Self::Positions { .. }
            | Self::Behind(_)
            | Self::HistoryRemoved { .. }
            | Self::Floor(_)
            | Self::Reset { .. } => {}
        }
    }

    fn visit_mut(&mut self, visit: &mut dyn FnMut(&mut Payload)) {
        match self {
            Self::Rules(json) => visit(json),
            Self::Pulled(pulled) => pulled
                .publications
                .iter_mut()
                .for_each(|p| p.visit_mut(visit)),
            Self::History(piece) => piece
                .publications
                .iter_mut()
                .for_each(|p| p.visit_mut(visit)),
            Self::Presence(piece) => piece.clients.iter_mut().for_each(|c| c.visit_mut(visit)),
            Self::Push(push) => push.publication.visit_mut(visit),
            Self::PresenceEvents { events, .. } => {
                events.iter_mut().for_each(|e| e.client.visit_mut(visit))
            }
            Self::View(_)
            | Self::Store { .. }
            | Self::Info { .. }
            | Self::Goodbye { .. }
            | Self::Refused { .. }
            | Self::Published { .. }
            | Self::Subscribed(_)
            | Self::PresenceStats { .. }
            | Self::Positions { .. }
            | Self::Behind(_)
            | Self::HistoryRemoved { .. }
            | Self::Floor(_)
            | Self::Reset { .. } => {}
        }
    }
}
