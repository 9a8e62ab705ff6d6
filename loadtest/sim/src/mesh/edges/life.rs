//! How an edge's process begins, ends, and keeps its link.

use std::time::Duration;

use trunkline_edge_core::exchange::WorkerId;
use trunkline_edge_core::upstream::{self, Upstream};
use trunkline_edge_core::worker::{self, Worker};
use trunkline_shared::{Incarnation, LinkId};

use super::{Edge, Hop, Machines, Way, api, config};
use crate::clock::Clock;
use crate::mesh::event::Event;
use crate::mesh::node::{address, name};
use crate::mesh::{Covered, Mesh};

impl Way {
    /// The way of the next process: what cuts it off does so still.
    fn anew(&self) -> Self {
        Self {
            cut_until: self.cut_until,
            ..Self::default()
        }
    }
}

impl Mesh {
    pub(in crate::mesh) fn start_edge(&mut self, number: usize) {
        let clock = Clock::new(&mut self.dice, self.scenario.tuning.clock_skew);
        let now = clock.now(self.now);
        let incarnation = self.dice.incarnation();
        let upstream = Upstream::new(
            config::upstream(&self.scenario.tuning, self.nodes.len()),
            incarnation,
            self.dice.seed(),
            now,
        );
        let workers: Vec<Worker> = (0..self.scenario.edges[number])
            .map(|id| {
                Worker::new(
                    config::worker(&self.scenario.tuning),
                    WorkerId(id),
                    self.dice.seed_bytes(),
                    now,
                )
            })
            .collect();
        let machines = Machines {
            upstream,
            to_workers: workers.iter().map(|_| Hop::new()).collect(),
            to_upstream: workers.iter().map(|_| Hop::new()).collect(),
            workers,
        };
        let edge = &mut self.edges[number];
        *edge = Edge {
            life: edge.life + 1,
            ways: edge.ways.iter().map(Way::anew).collect(),
            machines: Some(machines),
            clock,
            incarnation,
            ..Edge::new(0)
        };
        if edge.life > 1 {
            self.coverage.count(Covered::EdgeRestart);
        }
        let workers = (0..self.scenario.edges[number]).map(WorkerId);
        for worker in workers.chain([api::API]) {
            self.tell_upstream(number, upstream::Input::WorkerAdded(worker));
        }
        self.drain_edge(number);
    }

    /// The process is gone.
    pub(in crate::mesh) fn kill_edge(&mut self, number: usize) {
        self.fold_edge_counters(number);
        let edge = &mut self.edges[number];
        edge.machines = None;
        edge.ways.iter_mut().for_each(|way| way.dials = false);
        edge.wake = None;
        edge.life += 1;
        self.lose_calls(number);
        self.cut_sockets(number);
    }

    /// A node's welcome is there.
    pub(in crate::mesh) fn edge_link_up(
        &mut self,
        number: usize,
        node: usize,
        link: LinkId,
        incarnation: Incarnation,
    ) {
        self.edges[number].way(node).failures = 0;
        let input = upstream::Input::LinkUp {
            link,
            address: address(node).into(),
            node: name(node),
            incarnation,
        };
        self.tell_upstream(number, input);
        self.drain_edge(number);
    }

    /// A link is down; the edge dials again if it still wants one.
    pub(in crate::mesh) fn edge_link_down(
        &mut self,
        number: usize,
        node: usize,
        link: LinkId,
        was_up: bool,
    ) {
        self.edges[number].way(node).link = None;
        if was_up {
            self.tell_upstream(number, upstream::Input::LinkDown { link });
            self.drain_edge(number);
        }
        self.redial(number, node);
    }

    /// Dials again after a while.
    pub(in crate::mesh) fn redial(&mut self, number: usize, node: usize) {
        if self.edges[number].may_dial(node) {
            let (edge, life) = (number, self.edges[number].life);
            let way = self.edges[number].way(node);
            way.failures += 1;
            let longest = (50 << way.failures.min(6)).min(2_000);
            let pause = self.dice.millis(0, longest);
            self.plan(pause, Event::Dial { edge, life, node });
        }
    }

    /// The edge tells everybody that it goes away.
    pub(in crate::mesh) fn edge_goodbye(&mut self, number: usize) {
        self.tell_upstream(number, upstream::Input::Goodbye);
        let now = self.edges[number].clock.now(self.now);
        for worker in self.edges[number]
            .machines
            .iter_mut()
            .flat_map(|machines| &mut machines.workers)
        {
            worker.handle_input(
                now,
                worker::Input::Drain {
                    over: Duration::from_millis(300),
                },
            );
        }
        self.drain_edge(number);
    }
}
