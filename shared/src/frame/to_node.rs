//! What an edge says to a backbone node.

use rkyv::{Archive, Deserialize, Serialize};

use crate::channel::Channel;
use crate::id::RequestId;
use crate::position::{Offset, Position};
use crate::publication::{ClientInfo, Payload, Payloads, Publication};
use crate::slot::Slot;
use crate::view::{RingView, ViewVersion};

/// One publish, on its slot's lane (those that aren't kept on the ephemeral stream).
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct Publish {
    /// The publish id's counter, and the id that the answer echoes; the edge's life is the link's.
    pub request: RequestId,
    /// The channel's slot by the edge's rules; an owner whose rules differ refuses it.
    pub slot: Slot,
    /// Where to.
    pub channel: Channel,
    /// The view under which the edge sends it; an owner whose claim is younger refuses a first sending.
    pub view: ViewVersion,
    /// Whether it may have been sent before: the owner then looks its id up before it numbers it.
    pub repeat: bool,
    /// The oldest publish of this slot that the edge has no answer to; ids below it are forgotten.
    pub oldest_unanswered: RequestId,
    /// Milliseconds that its publisher still waits; an owner starts no append for one whose time is over.
    pub time_left_ms: u32,
    /// The publisher's idempotency key, as bytes: its owner ends the link when they can't be one.
    pub key: Option<Vec<u8>>,
    /// The message, without offset and time.
    pub publication: Publication,
}

/// Asks for a channel's pushes, once per edge. Also says again what a new link or owner must know.
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct Subscribe {
    /// Echoed by the answer.
    pub request: RequestId,
    /// The channel's slot.
    pub slot: Slot,
    /// Which channel.
    pub channel: Channel,
    /// The view under which the edge sends it.
    pub view: ViewVersion,
    /// The last publication that the edge has, when it was subscribed before.
    pub at: Option<Position>,
}

/// Asks for publications that a lagging edge has missed; the one that reaches the head ends the lag.
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct Pull {
    /// Echoed by the answer.
    pub request: RequestId,
    /// The channel's slot.
    pub slot: Slot,
    /// Which channel.
    pub channel: Channel,
    /// The last publication that the edge has.
    pub after: Position,
}

/// Which part of a channel's history is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub enum HistoryQuery {
    /// Only where the channel stands.
    Position,
    /// The oldest `limit` after `after`, ascending.
    Forward {
        /// The offset before the first one wanted.
        after: Offset,
        /// How many at most.
        limit: u32,
    },
    /// The newest `limit` before `before` (`None`: from the head), descending.
    Backward {
        /// The offset after the first one wanted.
        before: Option<Offset>,
        /// How many at most.
        limit: u32,
    },
    /// The newest `limit` after `after`, ascending: what a recovery wants.
    Newest {
        /// The offset before the first one wanted.
        after: Offset,
        /// How many at most.
        limit: u32,
    },
}

/// Asks for a part of a channel's history; it is cut to `bytes_max`.
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct History {
    /// Echoed by every piece of the answer.
    pub request: RequestId,
    /// The channel's slot.
    pub slot: Slot,
    /// Which channel.
    pub channel: Channel,
    /// Which part.
    pub query: HistoryQuery,
    /// Bytes of publications (their weight) in the whole answer; what is beyond it is left out.
    pub bytes_max: u32,
}

/// Removes what a channel's history holds (`history_remove`): everything up to where it stands when the owner begins with it.
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct RemoveHistory {
    /// Echoed by the answer.
    pub request: RequestId,
    /// The channel's slot.
    pub slot: Slot,
    /// Which channel.
    pub channel: Channel,
    /// Milliseconds that its caller still waits; an owner doesn't begin with one whose time is over, for what has been
    /// published since its caller was told of an error is not to be removed.
    pub time_left_ms: u32,
}

/// A connection of the edge that began or ended to be present in a channel.
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct PresenceChange {
    /// Where.
    pub channel: Channel,
    /// Who.
    pub client: ClientInfo,
    /// Joined, or left.
    pub joined: bool,
}

/// Joins and leaves of one slot, in order.
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct PresenceChanges {
    /// The slot of all the channels.
    pub slot: Slot,
    /// What happened.
    pub changes: Vec<PresenceChange>,
}

/// A piece of everything that an edge knows of presence in one slot, restated on a new link.
///
/// After the last piece the owner takes what this edge neither restated nor changed since the first as having left.
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct PresenceSnapshot {
    /// The slot of all the channels.
    pub slot: Slot,
    /// The first piece.
    pub first: bool,
    /// The last piece; a snapshot of one piece is both.
    pub last: bool,
    /// Who is present where.
    pub entries: Vec<(Channel, ClientInfo)>,
}

/// How an edge is doing, for `/api/info`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct EdgeStats {
    /// Connections.
    pub clients: u32,
    /// Distinct users among them.
    pub users: u32,
    /// Channels with a subscriber.
    pub channels: u32,
    /// Subscriptions.
    pub subscriptions: u32,
    /// Seconds since the process started.
    pub uptime_secs: u32,
}

/// From an edge to a node.
#[derive(Clone, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub enum ToNode {
    /// Control: the newest view that the edge has, for a node with an older one.
    ShowView(RingView),
    /// Control: how the edge is doing, every few seconds.
    Stats(EdgeStats),
    /// Control: asks for the edges that the node knows.
    Info {
        /// Echoed by the answer.
        request: RequestId,
    },
    /// Control: the edge goes away on purpose.
    Goodbye,
    /// Lane, or ephemeral stream: a publish.
    Publish(Publish),
    /// Lane: asks for a channel's pushes.
    Subscribe(Subscribe),
    /// Lane: ends a channel's pushes; has no answer.
    Unsubscribe {
        /// The channel's slot.
        slot: Slot,
        /// Which channel.
        channel: Channel,
    },
    /// Lane: asks for missed publications.
    Pull(Pull),
    /// Lane: asks for history.
    History(History),
    /// Lane: asks who is present.
    Presence {
        /// Echoed by every piece of the answer.
        request: RequestId,
        /// The channel's slot.
        slot: Slot,
        /// Which channel.
        channel: Channel,
    },
    /// Lane: asks how many are present.
    PresenceStats {
        /// Echoed by the answer.
        request: RequestId,
        /// The channel's slot.
        slot: Slot,
        /// Which channel.
        channel: Channel,
    },
    /// Lane: joins and leaves.
    PresenceChanges(PresenceChanges),
    /// Lane: a piece of the presence snapshot.
    PresenceSnapshot(PresenceSnapshot),
    /// Lane: asks where channels of one lane stand.
    CheckPositions {
        /// Echoed by the answer.
        request: RequestId,
        /// Which channels, each with its slot.
        channels: Vec<(Slot, Channel)>,
    },
    /// Lane: removes a channel's history.
    RemoveHistory(RemoveHistory),
    /// Ephemeral stream: a publish that history doesn't keep, whatever its namespace's class: it gets no place in the channel,
    /// and has no answer.
    PublishUnkept(Publish),
}

impl ToNode {
    /// The slot that it names; its lane follows from it. `None` belongs on the control stream.
    pub fn slot(&self) -> Option<Slot> {
        match self {
            Self::ShowView(_) | Self::Stats(_) | Self::Info { .. } | Self::Goodbye => None,
            Self::Publish(publish) | Self::PublishUnkept(publish) => Some(publish.slot),
            Self::Subscribe(subscribe) => Some(subscribe.slot),
            Self::Pull(pull) => Some(pull.slot),
            Self::History(history) => Some(history.slot),
            Self::RemoveHistory(remove) => Some(remove.slot),
            Self::Unsubscribe { slot, .. }
            | Self::Presence { slot, .. }
            | Self::PresenceStats { slot, .. } => Some(*slot),
            Self::PresenceChanges(changes) => Some(changes.slot),
            Self::PresenceSnapshot(snapshot) => Some(snapshot.slot),
            Self::CheckPositions { channels, .. } => channels.first().map(|(slot, _)| *slot),
        }
    }

    /// Bytes that it counts for in a queue: its payloads and texts, and a fixed share for the rest.
    pub fn weight(&self) -> usize {
        const FIXED: usize = 128;
        FIXED
            + match self {
                Self::ShowView(_) => 9 << 10,
                Self::Stats(_) | Self::Info { .. } | Self::Goodbye => 0,
                Self::Publish(publish) | Self::PublishUnkept(publish) => {
                    let key = publish.key.as_ref();
                    key.map_or(0, Vec::len)
                        + publish.channel.as_str().len()
                        + publish.publication.weight()
                }
                Self::Subscribe(subscribe) => subscribe.channel.as_str().len(),
                Self::Pull(pull) => pull.channel.as_str().len(),
                Self::History(history) => history.channel.as_str().len(),
                Self::RemoveHistory(remove) => remove.channel.as_str().len(),
                Self::Unsubscribe { channel, .. }
                | Self::Presence { channel, .. }
                | Self::PresenceStats { channel, .. } => channel.as_str().len(),
                Self::PresenceChanges(changes) => {
                    let of = |change: &PresenceChange| {
                        FIXED + change.channel.as_str().len() + change.client.weight()
                    };
                    changes.changes.iter().map(of).sum()
                }
                Self::PresenceSnapshot(snapshot) => {
                    let of = |(channel, client): &(Channel, ClientInfo)| {
                        FIXED + channel.as_str().len() + client.weight()
                    };
                    snapshot.entries.iter().map(of).sum()
                }
                Self::CheckPositions { channels, .. } => channels
                    .iter()
                    .map(|(_, channel)| 16 + channel.as_str().len())
                    .sum(),
            }
    }
}

impl Payloads for ToNode {
    fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Payload)) {
        match self {
            Self::Publish(publish) | Self::PublishUnkept(publish) => {
                publish.publication.visit(visit)
            }
            Self::PresenceChanges(changes) => {
                changes.changes.iter().for_each(|c| c.client.visit(visit))
            }
            Self::PresenceSnapshot(snapshot) => {
                snapshot.entries.iter().for_each(|(_, c)| c.visit(visit))
            }
            Self::ShowView(_)
            | Self::Stats(_)
            | Self::Info { .. }
            | Self::Goodbye
            | Self::Subscribe(_)
            | Self::Unsubscribe { .. }
            | Self::Pull(_)
            | Self::History(_)
            | Self::RemoveHistory(_)
            | Self::Presence { .. }
            | Self::PresenceStats { .. }
            | Self::CheckPositions { .. } => {}
        }
    }

    fn visit_mut(&mut self, visit: &mut dyn FnMut(&mut Payload)) {
        match self {
            Self::Publish(publish) | Self::PublishUnkept(publish) => {
                publish.publication.visit_mut(visit)
            }
            Self::PresenceChanges(changes) => changes
                .changes
                .iter_mut()
                .for_each(|c| c.client.visit_mut(visit)),
            Self::PresenceSnapshot(snapshot) => snapshot
                .entries
                .iter_mut()
                .for_each(|(_, c)| c.visit_mut(visit)),
            Self::ShowView(_)
            | Self::Stats(_)
            | Self::Info { .. }
            | Self::Goodbye
            | Self::Subscribe(_)
            | Self::Unsubscribe { .. }
            | Self::Pull(_)
            | Self::History(_)
            | Self::RemoveHistory(_)
            | Self::Presence { .. }
            | Self::PresenceStats { .. }
            | Self::CheckPositions { .. } => {}
        }
    }
}
