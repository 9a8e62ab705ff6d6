//! What goes wrong with nodes and their ways to the store.

use std::time::Duration;

use trunkline_backbone_core::membership::io::MembershipInput;
use trunkline_shared::limits::NODE_LEASE;

use crate::mesh::event::Event;
use crate::mesh::{Covered, Mesh};

impl Mesh {
    /// The node that a number stands for.
    pub(super) const fn node_of(&self, number: usize) -> usize {
        number % self.nodes.len()
    }

    pub(super) fn leave(&mut self, number: usize, both: bool, lasts: Duration) {
        self.leave_node(self.node_of(number), lasts);
        if both {
            self.leave_node(self.node_of(number + 1), lasts);
        }
    }

    pub(super) fn zombie(&mut self, node: usize, lasts: Duration) {
        if lasts > NODE_LEASE {
            self.coverage.count(Covered::Zombie);
        }
        self.freeze_node(node, lasts);
    }

    /// Nobody reaches the store.
    pub(super) fn store_away(&mut self, lasts: Duration) {
        self.disk.go_away_for_all(self.now + lasts);
        for node in 0..self.nodes.len() {
            self.node_store_away(node, true);
            self.plan(lasts, Event::StoreBack { node });
        }
    }

    pub(super) fn store_cut(&mut self, node: usize, but_members: bool, lasts: Duration) {
        self.coverage.count(Covered::StoreCut);
        self.disk.go_away(node, self.now + lasts);
        if !but_members {
            self.disk.go_away_for_member(node, self.now + lasts);
        }
        self.node_store_away(node, true);
        self.plan(lasts, Event::StoreBack { node });
    }

    pub(super) fn slow_heartbeats(&mut self, node: usize, lasts: Duration) {
        self.disk.slow_members(node, self.now + lasts);
    }

    pub(super) fn cut_edges(&mut self, node: usize, edges: usize, lasts: Duration) {
        self.coverage.count(Covered::EdgesCut);
        for edge in 0..=edges.min(self.edges.len() - 2) {
            self.freeze(edge, node, lasts);
        }
    }

    /// Another server of the store takes over: every node hears of it when it connects.
    pub(super) fn fail_over(&mut self) {
        self.disk.fail_over();
        let identity = self.disk.identity();
        for node in 0..self.nodes.len() {
            self.tell_membership(node, MembershipInput::Store(identity));
        }
    }
}
