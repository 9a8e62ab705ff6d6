//! What goes wrong, done to the mesh.

use std::time::Duration;

use trunkline_backbone_core::io::StoreRequest;
use trunkline_shared::{LinkId, Slot};
use trunkline_store_core::ClaimRequest;

mod nodes;

use super::event::Event;
use super::{Covered, Mesh};
use crate::disk::Asker;
use crate::network::Side;
use crate::scenario::Fault;

impl Mesh {
    pub(super) fn go_wrong(&mut self, fault: Fault) {
        self.note(|| format!("FAULT {fault:?}"));
        match fault {
            Fault::HalfOpen {
                edge,
                node,
                edge_first,
            } => self.half_open(edge, self.node_of(node), edge_first),
            Fault::Freeze { edge, node, lasts } => self.freeze(edge, self.node_of(node), lasts),
            Fault::NodeCrash { node, lasts, reset } => {
                self.crash_node(self.node_of(node), lasts, reset)
            }
            Fault::AllCrash { lasts } => {
                for node in 0..self.nodes.len() {
                    self.crash_node(node, lasts, true);
                }
            }
            Fault::NodeLeave { node, both, lasts } => self.leave(node, both, lasts),
            Fault::Zombie { node, lasts } => self.zombie(self.node_of(node), lasts),
            Fault::StoreCut {
                node,
                but_members,
                lasts,
            } => self.store_cut(self.node_of(node), but_members, lasts),
            Fault::SlowHeartbeats { node, lasts } => {
                self.slow_heartbeats(self.node_of(node), lasts)
            }
            Fault::EdgesCut { node, edges, lasts } => {
                self.cut_edges(self.node_of(node), edges, lasts)
            }
            Fault::EdgeCrash {
                edge,
                lasts,
                goodbye,
            } => self.edge_crash(edge, lasts, goodbye),
            Fault::StoreAway { lasts } => self.store_away(lasts),
            Fault::Unknown { calls } => self.disk.lose_outcomes(calls),
            Fault::FailOver => self.fail_over(),
            Fault::ForeignClaim { new_epochs } => self.foreign_claim(new_epochs),
            Fault::Storm {
                client,
                channel,
                messages,
            } => {
                self.with_client(client, |client, around| {
                    client.publish(around, channel, messages, 400)
                });
            }
            Fault::Crowd { channel, messages } => {
                for client in 0..self.clients.len() {
                    self.with_client(client, |client, around| {
                        client.publish(around, channel, messages, 400)
                    });
                }
            }
            Fault::Drop {
                client,
                edge,
                silent,
            } => {
                self.with_client(client, |client, around| {
                    client.move_to(around, edge, silent)
                });
            }
            Fault::Slow { client, lasts } => {
                if self.clients[client].plan.slow {
                    self.slow(client, true);
                    self.plan(lasts, Event::SlowEnds { client });
                }
            }
            Fault::Leave {
                client,
                channel,
                lasts,
            } => {
                self.with_client(client, |client, around| client.leave(around, channel));
                self.plan(lasts, Event::ComeBack { client, channel });
            }
            Fault::RemoveHistory { edge, channel } => self.remove_history(edge, channel),
        }
    }

    fn half_open(&mut self, edge: usize, node: usize, edge_first: bool) {
        let Some(id) = self.link_of(edge, node) else {
            return;
        };
        self.coverage.count(Covered::HalfOpen);
        self.links.get_mut(&id).expect("it is there").break_off();
        let sides = if edge_first {
            [Side::Edge, Side::Node]
        } else {
            [Side::Node, Side::Edge]
        };
        self.plan(
            Duration::ZERO,
            Event::LinkLost {
                link: id,
                side: sides[0],
            },
        );
        self.plan(
            self.scenario.tuning.idle_timeout,
            Event::LinkLost {
                link: id,
                side: sides[1],
            },
        );
    }

    /// A short silence is only a delay; a long one both sides see as the end.
    pub(super) fn freeze(&mut self, edge: usize, node: usize, lasts: Duration) {
        self.edges[edge].way(node).cut_until = self.now + lasts;
        let Some(id) = self.link_of(edge, node) else {
            return;
        };
        let idle = self.scenario.tuning.idle_timeout;
        let link = self.links.get_mut(&id).expect("it is there");
        if lasts < idle {
            link.to_node.freeze(self.now + lasts);
            link.to_edge.freeze(self.now + lasts);
        } else {
            link.break_off();
            self.plan(
                idle,
                Event::LinkLost {
                    link: id,
                    side: Side::Edge,
                },
            );
            self.plan(
                idle,
                Event::LinkLost {
                    link: id,
                    side: Side::Node,
                },
            );
        }
    }

    fn edge_crash(&mut self, edge: usize, lasts: Duration, goodbye: bool) {
        if !self.edges[edge].is_up() {
            return;
        }
        if goodbye {
            self.edge_goodbye(edge);
            self.plan(
                Duration::from_millis(500),
                Event::Fault(Fault::EdgeCrash {
                    edge,
                    lasts,
                    goodbye: false,
                }),
            );
            return;
        }
        let links: Vec<LinkId> = self
            .links
            .values()
            .filter(|link| link.edge == edge)
            .map(|link| link.id)
            .collect();
        self.kill_edge(edge);
        for id in links {
            let link = self.links.get_mut(&id).expect("found just now");
            let told = link.goodbye;
            link.break_off();
            link.edge_up = false;
            link.edge_over = true;
            let after = if told { 1 } else { self.idle_millis() };
            self.plan(
                Duration::from_millis(after),
                Event::LinkLost {
                    link: id,
                    side: Side::Node,
                },
            );
        }
        self.plan(lasts, Event::EdgeStart { edge });
    }

    fn foreign_claim(&mut self, new_epochs: bool) {
        let Some(view) = self.disk.state().view_now().map(|view| view.version) else {
            return;
        };
        let slots = Slot::all().map(|slot| (slot, new_epochs)).collect();
        self.ask_store(
            Asker::Foreign,
            StoreRequest::Claim(ClaimRequest { view, slots }),
        );
    }

    fn idle_millis(&self) -> u64 {
        u64::try_from(self.scenario.tuning.idle_timeout.as_millis()).expect("some seconds")
    }
}
