//! Links between edges and nodes: dialing, writing, arriving, breaking.

mod counting;

use std::time::Duration;

use bytes::Bytes;
use trunkline_backbone_core::io::EdgeIdentity;
use trunkline_shared::frame::{
    Frame, HEADER_BYTES, Header, ToEdge, ToNode, VERSION, decode, encode,
};
use trunkline_shared::{LinkId, StreamId};

use super::event::Event;
use super::node::of_view;
use super::{Covered, Mesh};
use crate::network::{Link, Side};
use crate::tamper::Fate;

impl Mesh {
    /// An edge dials a node; its hello is under way, or there is no way.
    pub(super) fn dial(&mut self, edge: usize, life: u64, node: usize) {
        if self.edges[edge].life != life || !self.edges[edge].may_dial(node) {
            return;
        }
        let delay = self.link_delay();
        if self.edges[edge].is_cut_from(node, self.now) {
            return self.redial(edge, node);
        }
        self.plan(delay, Event::Hello { edge, life, node });
    }

    /// An edge's hello reaches a node: older links of its life end here first.
    pub(super) fn hello(&mut self, edge: usize, life: u64, node: usize) {
        if self.edges[edge].life != life || !self.edges[edge].may_dial(node) {
            return;
        }
        let is_frozen = self.now < self.nodes[node].frozen_until;
        if !self.nodes[node].takes_links() || is_frozen {
            return self.redial(edge, node);
        }
        let of_edge = |link: &Link| link.edge == edge && link.edge_life == life;
        let older: Vec<LinkId> = self
            .links_of_node(node)
            .into_iter()
            .filter(|id| of_edge(&self.links[id]))
            .collect();
        for link in older {
            self.links
                .get_mut(&link)
                .expect("found just now")
                .break_off();
            self.lose_link(link, Side::Node);
        }
        self.welcome_later(edge, life, node);
    }

    fn welcome_later(&mut self, edge: usize, life: u64, node: usize) {
        let Some(said) = self.nodes[node].life() else {
            return;
        };
        self.next_link += 1;
        let id = LinkId(self.next_link);
        let delay = self.link_delay();
        let link = Link::new(
            id,
            (edge, life),
            (node, self.nodes[node].process, said),
            &self.scenario.tuning,
            self.now + delay,
        );
        self.links.insert(id, link);
        self.edges[edge].way(node).link = Some(id);
        let identity: EdgeIdentity = self.edges[edge].identity(edge);
        self.note(|| format!("link {id:?} up at node {node} for {identity:?}"));
        self.plan(delay, Event::Welcome { link: id });
        self.node_link_up(node, id, &identity);
    }

    /// A node's welcome reaches the edge.
    pub(super) fn welcome(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(&id).filter(|link| !link.broken) else {
            return;
        };
        let (edge, life, node, said) = (link.edge, link.edge_life, link.node, link.said);
        if self.edges[edge].life != life || self.edges[edge].link(node) != Some(id) {
            return;
        }
        link.edge_up = true;
        self.coverage.count(Covered::LinkUp);
        self.edge_link_up(edge, node, id, said);
    }

    /// The writer of a side is done with a frame.
    pub(super) fn write(&mut self, id: LinkId, side: Side) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let (tuning, dice) = (&self.scenario.tuning, &mut self.dice);
        let (written, next) = match side {
            Side::Edge => (
                link.to_node.write(self.now, tuning, dice),
                link.to_node.start(),
            ),
            Side::Node => (
                link.to_edge.write(self.now, tuning, dice),
                link.to_edge.start(),
            ),
        };
        if let Some(after) = next {
            self.plan(after, Event::Write { link: id, side });
        }
        let Some(written) = written else { return };
        if let Some(arrives) = written.arrives {
            let to = if side == Side::Edge {
                Side::Node
            } else {
                Side::Edge
            };
            self.agenda.plan(
                arrives,
                Event::Arrive {
                    link: id,
                    to,
                    stream: written.stream,
                },
            );
        }
        let link = &self.links[&id];
        match side {
            Side::Node if link.node_up => self.node_sent(link.node, id, &written),
            Side::Edge if link.edge_up => self.edge_sent(link.edge, id, &written),
            Side::Node | Side::Edge => {}
        }
    }

    pub(super) fn arrive_at_node(&mut self, id: LinkId, stream: StreamId) {
        let Some(link) = self.links.get_mut(&id).filter(|link| link.node_up) else {
            return;
        };
        let node = link.node;
        let Some(frame) = link.to_node.arrive(stream) else {
            return;
        };
        let frame = self.through_bytes(frame);
        match self.tamper.node_frame(frame) {
            Fate::Arrives(frame) => {
                self.note(|| format!("{id:?} → node {node} {stream:?} {}", shown(&frame)));
                self.node_frame(node, id, stream, frame);
            }
            Fate::Lost => {}
            Fate::Answered(answer) => {
                let edge = self.links[&id].edge;
                self.edge_frame(edge, id, answer);
            }
        }
    }

    pub(super) fn arrive_at_edge(&mut self, id: LinkId, stream: StreamId) {
        let Some(link) = self.links.get_mut(&id).filter(|link| link.edge_up) else {
            return;
        };
        let edge = link.edge;
        let Some(frame) = link.to_edge.arrive(stream) else {
            return;
        };
        let frame = self.through_bytes(frame);
        for frame in self.tamper.edge_frame(frame) {
            self.note(|| format!("{id:?} → edge {edge} {stream:?} {}", shown_to_edge(&frame)));
            self.edge_frame(edge, id, frame);
        }
    }

    /// A side sees that its link is gone.
    pub(super) fn lose_link(&mut self, id: LinkId, side: Side) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let (edge, node, goodbye) = (link.edge, link.node, link.goodbye);
        let was_up = match side {
            Side::Edge => {
                link.edge_over = true;
                std::mem::take(&mut link.edge_up)
            }
            Side::Node => std::mem::take(&mut link.node_up),
        };
        let mine =
            link.edge_life == self.edges[edge].life && self.edges[edge].link(node) == Some(id);
        let current = link.node_process == self.nodes[node].process;
        if link.edge_over && !link.node_up && link.broken {
            self.links.remove(&id);
        }
        self.note(|| format!("{id:?} down for {side:?} (was up: {was_up})"));
        match side {
            Side::Edge if mine => self.edge_link_down(edge, node, id, was_up),
            Side::Node if was_up && current => self.node_link_down(node, id, goodbye),
            Side::Edge | Side::Node => {}
        }
    }

    /// A side closes its link: it is down there at once, and at the other side soon.
    pub(super) fn close_link(&mut self, id: LinkId, side: Side, reason: &str) {
        self.note(|| format!("{side:?} closes {id:?}: {reason}"));
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        link.break_off();
        let other = if side == Side::Edge {
            Side::Node
        } else {
            Side::Edge
        };
        let delay = self.link_delay();
        self.plan(
            delay,
            Event::LinkLost {
                link: id,
                side: other,
            },
        );
        self.lose_link(id, side);
    }

    /// A node hasn't been heard for too long: its edge sees the link end, and the node when it lives again.
    pub(super) fn silent_link(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.broken = true;
            self.lose_link(id, Side::Edge);
            let side = Side::Node;
            self.plan(Duration::ZERO, Event::LinkLost { link: id, side });
        }
    }

    /// The link of an edge to a node that it has, or is about to have.
    pub(super) fn link_of(&self, edge: usize, node: usize) -> Option<LinkId> {
        self.edges[edge]
            .link(node)
            .filter(|link| self.links.contains_key(link))
    }

    pub(super) fn link_delay(&mut self) -> Duration {
        let (low, high) = self.scenario.tuning.link_delay;
        self.dice.micros(low, high)
    }

    /// Makes bytes of a frame and a frame of the bytes, where the scenario wants it.
    fn through_bytes<F: Frame + PartialEq + std::fmt::Debug>(&mut self, frame: F) -> F {
        if !self.scenario.codec {
            return frame;
        }
        self.coverage.count(Covered::Coded);
        let mut chunks = Vec::new();
        encode(&frame, &mut chunks).expect("what a machine sends fits a frame");
        let bytes: Bytes = chunks.concat().into();
        let header = Header::decode(bytes[..HEADER_BYTES].try_into().expect("8 bytes"))
            .expect("a good header");
        let back = decode(header, VERSION, &bytes.slice(HEADER_BYTES..))
            .expect("what was encoded decodes");
        assert_eq!(frame, back, "a frame survives its bytes");
        back
    }
}

/// A frame for a node in a line of a trace: a view without its table.
pub(super) fn shown(frame: &ToNode) -> String {
    if let ToNode::ShowView(view) = frame {
        format!("ShowView {}", of_view(view))
    } else {
        format!("{frame:?}")
    }
}

/// A frame for an edge in a line of a trace: a view without its table.
pub(super) fn shown_to_edge(frame: &ToEdge) -> String {
    if let ToEdge::View(view) = frame {
        format!("View {}", of_view(view))
    } else {
        format!("{frame:?}")
    }
}
