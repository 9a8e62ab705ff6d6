//! Doing what an edge's machines want.

use std::time::Duration;

use trunkline_edge_core::exchange::{ToUpstream, ToWorker};
use trunkline_edge_core::upstream;
use trunkline_edge_core::worker::{self, Worker};
use trunkline_shared::frame::ToNode;
use trunkline_shared::{Instant, LinkId, StreamId};

use super::api;
use crate::mesh::Mesh;
use crate::mesh::event::Event;
use crate::mesh::links::shown;
use crate::mesh::node::address;
use crate::network::{Side, SocketId};

impl Mesh {
    /// Does what the edge's machines want, until they want nothing more.
    pub(in crate::mesh) fn drain_edge(&mut self, number: usize) {
        while let Some(output) = self.edges[number]
            .machines
            .as_mut()
            .and_then(|m| m.upstream.poll_output())
        {
            self.perform_upstream(number, output);
        }
        for worker in 0..usize::from(self.scenario.edges[number]) {
            self.drain_worker(number, worker);
        }
        self.arm_edge(number);
    }

    fn drain_worker(&mut self, number: usize, worker: usize) {
        loop {
            while let Some(output) = self.edges[number]
                .machines
                .as_mut()
                .and_then(|m| m.workers[worker].poll_output())
            {
                self.perform_worker(number, worker, output);
            }
            let Some(conn) = self.edges[number]
                .machines
                .as_mut()
                .and_then(|m| m.workers[worker].take_dirty())
            else {
                return;
            };
            self.flush(SocketId(conn.0));
        }
    }

    fn perform_upstream(&mut self, number: usize, output: upstream::Output) {
        match output {
            upstream::Output::Worker {
                worker: api::API,
                message,
            } => self.api_takes(number, &message),
            upstream::Output::Worker { worker, message } => {
                self.hop_to_worker(number, usize::from(worker.0), message)
            }
            upstream::Output::Send {
                link,
                stream,
                frame,
            } => self.send_to_node(link, stream, frame),
            upstream::Output::Dial { address } => {
                let node = self.node_at(&address);
                self.edges[number].way(node).dials = true;
                let (edge, life) = (number, self.edges[number].life);
                self.plan(Duration::ZERO, Event::Dial { edge, life, node });
            }
            upstream::Output::Hangup { address } => {
                let node = self.node_at(&address);
                self.edges[number].way(node).dials = false;
            }
            upstream::Output::CloseLink { link, reason } => {
                self.close_link(link, Side::Edge, reason)
            }
        }
    }

    fn perform_worker(&mut self, number: usize, worker: usize, output: worker::Output) {
        match output {
            worker::Output::Upstream(message) => self.hop_to_upstream(number, worker, message),
            worker::Output::Close { conn, code, flush } => {
                self.close_socket(SocketId(conn.0), code, flush)
            }
            worker::Output::Refused(_)
            | worker::Output::PauseReading { .. }
            | worker::Output::ResumeReading { .. } => {}
        }
    }

    fn node_at(&self, at: &str) -> usize {
        let mut nodes = 0..self.nodes.len();
        nodes
            .find(|node| address(*node) == at)
            .expect("views name nodes of the run")
    }

    fn send_to_node(&mut self, id: LinkId, stream: StreamId, frame: ToNode) {
        self.count_to_node(&frame);
        self.note(|| format!("{id:?} ← edge {stream:?} {}", shown(&frame)));
        if let Some(link) = self.links.get_mut(&id)
            && let Some(after) = link
                .to_node
                .push(stream, (frame.weight(), frame.slot()), frame)
        {
            self.plan(
                after,
                Event::Write {
                    link: id,
                    side: Side::Edge,
                },
            );
        }
    }

    fn hop_to_worker(&mut self, number: usize, worker: usize, mut message: ToWorker) {
        self.tamper.worker_message(number, &mut message);
        let at = self.hop_time();
        let edge = &mut self.edges[number];
        let Some(machines) = &mut edge.machines else {
            return;
        };
        let hop = &mut machines.to_workers[worker];
        hop.queue.push_back(message);
        hop.last = hop.last.max(at);
        self.agenda.plan(
            hop.last,
            Event::ToWorker {
                edge: number,
                life: edge.life,
                worker,
            },
        );
    }

    fn hop_to_upstream(&mut self, number: usize, worker: usize, message: ToUpstream) {
        let at = self.hop_time();
        let edge = &mut self.edges[number];
        let Some(machines) = &mut edge.machines else {
            return;
        };
        let hop = &mut machines.to_upstream[worker];
        hop.queue.push_back(message);
        hop.last = hop.last.max(at);
        self.agenda.plan(
            hop.last,
            Event::ToUpstream {
                edge: number,
                life: edge.life,
                worker,
            },
        );
    }

    /// From thread to thread takes microseconds, but now and then a thread is busy.
    fn hop_time(&mut self) -> Instant {
        let busy = self.dice.permille(10) && self.now < self.scenario.calm;
        self.now
            + if busy {
                self.dice.millis(5, 100)
            } else {
                self.dice.micros(2, 60)
            }
    }

    fn arm_edge(&mut self, number: usize) {
        let edge = &mut self.edges[number];
        let Some(machines) = &edge.machines else {
            return;
        };
        let workers = machines.workers.iter().filter_map(Worker::poll_timeout);
        let Some((first, _)) = workers.chain(machines.upstream.poll_timeout()).min() else {
            return;
        };
        let at = edge.clock.when(first).max(self.now);
        if edge.wake.is_none_or(|wake| at < wake) {
            edge.wake = Some(at);
            self.agenda.plan(
                at,
                Event::EdgeWake {
                    edge: number,
                    life: edge.life,
                },
            );
        }
    }
}
