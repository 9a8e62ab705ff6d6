//! What goes into the way upstream and what comes out of it.

use smol_str::SmolStr;
use trunkline_shared::frame::{EdgeStats, ToEdge, ToNode};
use trunkline_shared::{Incarnation, LinkId, NodeId, StreamId};

use crate::exchange::{ToUpstream, ToWorker, WorkerId};

/// Into the way upstream.
#[derive(Clone, Debug)]
pub enum Input {
    /// A worker is there; it is told the rules. One that was never added is told nothing.
    WorkerAdded(WorkerId),
    /// A worker says something.
    Worker {
        /// Which worker.
        worker: WorkerId,
        /// What.
        message: ToUpstream,
    },
    /// A link is up: both hellos are said.
    LinkUp {
        /// Names the link.
        link: LinkId,
        /// The address that was dialled.
        address: SmolStr,
        /// Who is at its other end, by its certificate.
        node: NodeId,
        /// The node's life, by its hello.
        incarnation: Incarnation,
    },
    /// A link is down; nothing of it comes any more.
    LinkDown {
        /// Which link.
        link: LinkId,
    },
    /// A frame, in the order received on its stream.
    Frame {
        /// Where from.
        link: LinkId,
        /// What.
        frame: ToEdge,
    },
    /// The shell has written what was sent earlier: its room is free again.
    Sent {
        /// Which link.
        link: LinkId,
        /// Which stream.
        stream: StreamId,
        /// The sum of [`ToNode::weight`] of what was written.
        weight: usize,
    },
    /// How the edge is doing; told to all nodes.
    Stats(EdgeStats),
    /// The edge goes away on purpose; told to all nodes.
    Goodbye,
}

/// Out of the way upstream.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "almost every output is a frame or a message, used at once"
)]
pub enum Output {
    /// Tell a worker something. Its room comes back by [`ToUpstream::Consumed`].
    Worker {
        /// Which worker.
        worker: WorkerId,
        /// What.
        message: ToWorker,
    },
    /// Send a frame. Its room comes back by [`Input::Sent`].
    Send {
        /// Which link.
        link: LinkId,
        /// Which stream.
        stream: StreamId,
        /// What.
        frame: ToNode,
    },
    /// Keep a link to this address, dialling again with back-off whenever there is none, until [`Output::Hangup`].
    Dial {
        /// `host:port`.
        address: SmolStr,
    },
    /// Don't dial this address any more; a link that is up over it stays until it is closed.
    Hangup {
        /// `host:port`.
        address: SmolStr,
    },
    /// Close a link; what it says from now on is ignored.
    CloseLink {
        /// Which link.
        link: LinkId,
        /// Why, for a log line and the close frame.
        reason: &'static str,
    },
}
