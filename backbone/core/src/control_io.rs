//! What goes into the machine of the control streams and what comes out of it.

use std::sync::Arc;
use std::time::Duration;

use trunkline_shared::frame::{ToEdge, ToNode};
use trunkline_shared::rules::Rules;
use trunkline_shared::{LinkId, RingView, limits};

use crate::io::EdgeIdentity;

/// Bounds and times of the control streams.
#[derive(Clone, Debug)]
pub struct ControlConfig {
    /// Time after which an edge without a link is no longer known. Default 10 s.
    pub edge_lease: Duration,
    /// Lives of edges that are known at a time; a link of one more is closed. Default 4096.
    pub edges_max: usize,
    /// Bytes that may wait for one control stream; beyond it the link is closed, its edge doesn't read. Default 4 MiB.
    pub queue_bytes: usize,
}

impl Default for ControlConfig {
    fn default() -> Self {
        Self {
            edge_lease: limits::EDGE_LEASE,
            edges_max: 4096,
            queue_bytes: limits::LANE_QUEUE_BYTES_MAX,
        }
    }
}

/// Into the machine.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a frame is the usual case, and there are few"
)]
pub enum ControlInput {
    /// An edge's link is up. An older link of the same life is down before.
    LinkUp {
        /// Names the link.
        link: LinkId,
        /// Who is at its other end.
        edge: EdgeIdentity,
    },
    /// A link is down.
    LinkDown {
        /// Which link.
        link: LinkId,
    },
    /// A frame of a control stream.
    Frame {
        /// Where from.
        link: LinkId,
        /// What.
        frame: ToNode,
    },
    /// The shell has written what was sent earlier.
    Sent {
        /// Which link.
        link: LinkId,
        /// The sum of [`ToEdge::weight`] of what was written.
        weight: usize,
    },
    /// The ring view that the node holds from now on.
    View(Arc<RingView>),
    /// The rules that hold from now on.
    Rules(Arc<Rules>),
    /// Whether the node can reach its store.
    Store {
        /// It can't.
        away: bool,
    },
}

/// Out of the machine.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a frame is the usual case, and there are few"
)]
pub enum ControlOutput {
    /// Send a frame on a link's control stream.
    Send {
        /// Which link.
        link: LinkId,
        /// What.
        frame: ToEdge,
    },
    /// An edge goes away on purpose: the shards are told so when its link is down.
    Goodbye {
        /// Which link.
        link: LinkId,
    },
    /// An edge has shown a newer view than the node's; membership decides what that means.
    NewerView(Box<RingView>),
    /// Close a link: its edge breaks the protocol, or there are too many.
    Close {
        /// Which link.
        link: LinkId,
        /// Why, for a log line and the close frame.
        reason: &'static str,
    },
}

/// What the machine has counted since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ControlCounters {
    /// Newer views that edges have shown.
    pub newer_views_shown: u64,
    /// Answers to [`ToNode::Info`].
    pub info_answers: u64,
    /// Links closed for what their edge did.
    pub closed: u64,
}
