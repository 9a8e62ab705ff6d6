//! What clients observed: the only thing that checks look at, besides the log read back at the end.

mod ownership;
mod tries;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trunkline_shared::Instant;

pub(crate) use self::ownership::{Numbered, Ownership};
pub(crate) use self::tries::{Try, TryEnd};
use crate::network::SocketId;

/// What the payload of a message says: who published it, and its number among that publisher's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Label {
    /// The client, or publisher with keys, that published it.
    #[serde(rename = "p")]
    pub(crate) publisher: u32,
    /// Its number, from 1.
    #[serde(rename = "s")]
    pub(crate) sequence: u32,
}

impl Label {
    /// A payload that says it, with some ballast.
    pub(crate) fn payload(self, ballast: usize) -> String {
        let Self {
            publisher,
            sequence,
        } = self;
        let ballast = "x".repeat(ballast);
        format!(r#"{{"p":{publisher},"s":{sequence},"b":"{ballast}"}}"#)
    }

    /// The idempotency key of a message that says it; two in a row share one, since they go to two channels.
    pub(crate) fn key(self) -> String {
        format!("{}-{}", self.publisher, self.sequence / 2)
    }
}

/// A message as a client saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Its place; 0 for none.
    pub(crate) offset: u64,
    /// What it says.
    pub(crate) label: Label,
}

/// A place: a client's position as it sends it along when it subscribes again, or that of an acknowledged message.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Known {
    /// The numbering.
    pub(crate) epoch: String,
    /// The last message that it has.
    pub(crate) offset: u64,
}

/// A subscribe reply as a client saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subscribed {
    /// What the client wanted to recover from.
    pub(crate) asked: Option<Known>,
    /// Whether the edge says that nothing is missing.
    pub(crate) recovered: bool,
    /// Whether positions are kept at all.
    pub(crate) positioned: bool,
    /// The numbering.
    pub(crate) epoch: String,
    /// Where the subscription stands, before `publications`.
    pub(crate) offset: u64,
    /// What was missed.
    pub(crate) publications: Vec<Message>,
    /// The edge that answered.
    pub(crate) edge: usize,
    /// When the client asked.
    pub(crate) sent: Instant,
}

/// One thing that a client saw of one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The subscription began.
    Subscribed(Subscribed),
    /// The edge won't have it.
    Refused {
        /// The error's code.
        code: u32,
    },
    /// A message.
    Publication(Message),
    /// The edge ended the subscription.
    Unsubscribed {
        /// Why.
        code: u32,
    },
    /// The client ended the subscription, and the edge has confirmed it.
    Left,
    /// The connection ended.
    Lost,
}

/// What came of a publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Acknowledged.
    Acked,
    /// Answered with an error: not known to be kept.
    Refused(u32),
}

/// A publish.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Published {
    /// Which channel, by its place in the scenario.
    pub(crate) channel: usize,
    /// The connection that it was sent on; with a key there may be several, or none.
    pub(crate) connection: Option<SocketId>,
    /// When it was sent; with a key, for the first time.
    pub(crate) sent: Instant,
    /// Its answer, when there was one; with a key, the first acknowledgement if there was one.
    pub(crate) answer: Option<(Instant, Outcome)>,
}

/// A command and what became of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Command {
    /// Who asked.
    pub(crate) client: usize,
    /// What kind of command.
    pub(crate) kind: &'static str,
    /// When it was sent.
    pub(crate) sent: Instant,
    /// When its answer came, or its connection ended, or the client gave it up.
    pub(crate) ended: Instant,
    /// Whether an answer came.
    pub(crate) answered: bool,
    /// Whether the connection ended before.
    pub(crate) lost: bool,
    /// Whether the client was reading slowly.
    pub(crate) slow: bool,
}

/// The log of a channel as it was read back at the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    /// Its numbering.
    pub(crate) epoch: String,
    /// Its newest offset.
    pub(crate) head: u64,
    /// Everything up to it was removed, as far as the store says so.
    pub(crate) floor: u64,
    /// What is kept, ascending.
    pub(crate) messages: Vec<Message>,
}

/// A call that removes a channel's history.
#[derive(Clone, Debug)]
pub(crate) struct Removal {
    /// At which edge.
    pub(crate) edge: usize,
    /// Which channel.
    pub(crate) channel: usize,
    /// When it was called.
    pub(crate) sent: Instant,
    /// What it was told; `None` where it isn't known to be done.
    pub(crate) removed: Option<Removed>,
}

/// A removal that is done.
#[derive(Clone, Debug)]
pub(crate) struct Removed {
    /// When it was told so.
    pub(crate) at: Instant,
    /// The numbering.
    pub(crate) epoch: String,
    /// The newest message that was removed.
    pub(crate) floor: u64,
}

/// Who is present in a channel at the end: by the mesh and in fact.
#[derive(Clone, Debug)]
pub(crate) struct Presence {
    /// Which channel.
    pub(crate) channel: usize,
    /// Connection ids that the mesh names.
    pub(crate) named: Vec<String>,
    /// Connection ids of the clients that are subscribed.
    pub(crate) expected: Vec<String>,
}

/// A subscription at the end of the quiet time.
#[derive(Clone, Debug)]
pub(crate) struct Final {
    /// Whose.
    pub(crate) client: usize,
    /// Which channel.
    pub(crate) channel: usize,
    /// Whether it is subscribed.
    pub(crate) live: bool,
    /// Where it stands, where positions are kept.
    pub(crate) position: Option<Known>,
    /// Whether the last message of the channel's probe arrived.
    pub(crate) probed: bool,
}

/// Everything that was observed in a run.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// All publishes.
    pub(crate) publishes: BTreeMap<Label, Published>,
    /// All tries of messages with keys.
    pub(crate) tries: Vec<Try>,
    /// What each client saw of each channel.
    pub(crate) seen: BTreeMap<(usize, usize), Vec<(Instant, Seen)>>,
    /// All commands that ended.
    pub(crate) commands: Vec<Command>,
    /// Logs of durable channels, read from the store.
    pub(crate) stored: BTreeMap<usize, Log>,
    /// Logs of all channels, as a client reads them through the mesh.
    pub(crate) histories: BTreeMap<usize, Log>,
    /// All calls that remove a history.
    pub(crate) removals: Vec<Removal>,
    /// Presence at the end.
    pub(crate) presences: Vec<Presence>,
    /// Subscriptions at the end.
    pub(crate) finals: Vec<Final>,
    /// Since when each channel has its last owner, where it ever got another one.
    pub(crate) owned_since: BTreeMap<usize, Instant>,
    /// What the store has granted and taken, and who numbered what.
    pub(crate) ownership: Ownership,
    /// Things that no client should ever see, such as a payload that nobody sent.
    pub(crate) oddities: Vec<(Instant, String)>,
}

impl Record {
    /// Notes what a client saw.
    pub(crate) fn see(&mut self, at: Instant, client: usize, channel: usize, seen: Seen) {
        self.seen
            .entry((client, channel))
            .or_default()
            .push((at, seen));
    }
}
