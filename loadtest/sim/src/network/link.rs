//! A link between one life of an edge and one process of a node.

use trunkline_shared::frame::{ToEdge, ToNode};
use trunkline_shared::{Incarnation, Instant, LinkId};

use super::Direction;
use crate::scenario::Tuning;

/// An end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// The edge's.
    Edge,
    /// The node's.
    Node,
}

/// A link.
#[derive(Debug)]
pub(crate) struct Link {
    /// Its name at both ends.
    pub(crate) id: LinkId,
    /// Whose it is.
    pub(crate) edge: usize,
    /// Which life of the edge.
    pub(crate) edge_life: u64,
    /// Which node.
    pub(crate) node: usize,
    /// Which process of the node.
    pub(crate) node_process: u64,
    /// The life of the node that its hello names.
    pub(crate) said: Incarnation,
    /// The edge knows it as up.
    pub(crate) edge_up: bool,
    /// The edge has seen its end, or is gone itself.
    pub(crate) edge_over: bool,
    /// The node knows it as up.
    pub(crate) node_up: bool,
    /// Nothing passes any more.
    pub(crate) broken: bool,
    /// The edge said goodbye on it.
    pub(crate) goodbye: bool,
    /// From the edge to the node.
    pub(crate) to_node: Direction<ToNode>,
    /// From the node to the edge.
    pub(crate) to_edge: Direction<ToEdge>,
}

impl Link {
    /// Makes a link that the node knows as up, and the edge will from `opens` on.
    pub(crate) fn new(
        id: LinkId,
        edge: (usize, u64),
        node: (usize, u64, Incarnation),
        tuning: &Tuning,
        opens: Instant,
    ) -> Self {
        Self {
            id,
            edge: edge.0,
            edge_life: edge.1,
            node: node.0,
            node_process: node.1,
            said: node.2,
            edge_up: false,
            edge_over: false,
            node_up: true,
            broken: false,
            goodbye: false,
            to_node: Direction::new(tuning.bandwidth_up, Instant::ZERO),
            to_edge: Direction::new(tuning.bandwidth_down, opens),
        }
    }

    /// Loses everything under way, and everything to come.
    pub(crate) fn break_off(&mut self) {
        self.broken = true;
        self.to_node.break_off();
        self.to_edge.break_off();
    }
}
