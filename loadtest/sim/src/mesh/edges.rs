//! An edge's process: its way upstream and its workers, each in a thread of its own, as the shell drives them.

use std::collections::VecDeque;

use trunkline_backbone_core::io::EdgeIdentity;
use trunkline_edge_core::exchange::{ToUpstream, ToWorker, WorkerId};
use trunkline_edge_core::upstream::{self, Upstream};
use trunkline_edge_core::worker::{self, Worker};
use trunkline_shared::frame::ToEdge;
use trunkline_shared::{EdgeId, Incarnation, Instant, LinkId, Region};

use super::{Covered, Mesh};
use crate::clock::Clock;
use crate::network::Written;

mod api;
mod config;
mod drive;
mod life;

/// An edge, or the place where it will be.
#[derive(Debug)]
pub(super) struct Edge {
    /// Which life.
    pub(super) life: u64,
    /// By node.
    ways: Vec<Way>,
    machines: Option<Machines>,
    clock: Clock,
    incarnation: Incarnation,
    wake: Option<Instant>,
    calls: api::Calls,
}

/// An edge's way to a node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Way {
    /// The link that it has, or is about to have.
    pub(super) link: Option<LinkId>,
    /// Nothing passes until then.
    pub(super) cut_until: Instant,
    dials: bool,
    failures: u32,
}

struct Machines {
    upstream: Upstream,
    workers: Vec<Worker>,
    to_workers: Vec<Hop<ToWorker>>,
    to_upstream: Vec<Hop<ToUpstream>>,
}

impl std::fmt::Debug for Machines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machines")
            .field("workers", &self.workers.len())
            .finish_non_exhaustive()
    }
}

/// A queue between two threads.
#[derive(Debug)]
struct Hop<T> {
    queue: VecDeque<T>,
    last: Instant,
}

impl<T> Hop<T> {
    const fn new() -> Self {
        Self {
            queue: VecDeque::new(),
            last: Instant::ZERO,
        }
    }
}

impl Edge {
    /// Makes a place for the process.
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            life: 0,
            ways: vec![Way::default(); nodes],
            machines: None,
            clock: Clock::right(),
            incarnation: Incarnation([0; 16]),
            wake: None,
            calls: api::Calls::default(),
        }
    }

    /// Whether its process runs.
    pub(super) const fn is_up(&self) -> bool {
        self.machines.is_some()
    }

    /// Its way to a node.
    pub(super) fn way(&mut self, node: usize) -> &mut Way {
        &mut self.ways[node]
    }

    /// Its link to a node.
    pub(super) fn link(&self, node: usize) -> Option<LinkId> {
        self.ways[node].link
    }

    /// Whether nothing passes between it and a node.
    pub(super) fn is_cut_from(&self, node: usize, now: Instant) -> bool {
        now < self.ways[node].cut_until
    }

    /// Whether it wants a link to a node and has none.
    pub(super) fn may_dial(&self, node: usize) -> bool {
        let way = &self.ways[node];
        self.machines.is_some() && way.dials && way.link.is_none()
    }

    /// As what the node knows it.
    pub(super) fn identity(&self, number: usize) -> EdgeIdentity {
        EdgeIdentity {
            edge: EdgeId::parse(&format!("edge-{number}")).expect("a good name"),
            region: Region::parse("eu-west").expect("a good name"),
            incarnation: self.incarnation,
        }
    }

    /// Lets its machines check themselves.
    pub(super) fn check_invariants(&self) {
        if let Some(machines) = &self.machines {
            machines.upstream.check_invariants();
            for worker in &machines.workers {
                if let Err(what) = worker.check_invariants() {
                    panic!("worker {:?}: {what}", worker.id());
                }
            }
        }
    }
}

impl Mesh {
    /// A frame has arrived at an edge.
    pub(super) fn edge_frame(&mut self, number: usize, link: LinkId, frame: ToEdge) {
        self.tell_upstream(number, upstream::Input::Frame { link, frame });
        self.drain_edge(number);
    }

    /// The writer has written something of an edge.
    pub(super) fn edge_sent(&mut self, number: usize, link: LinkId, written: &Written) {
        let Written { stream, weight, .. } = *written;
        self.tell_upstream(
            number,
            upstream::Input::Sent {
                link,
                stream,
                weight,
            },
        );
        self.drain_edge(number);
    }

    pub(super) fn wake_edge(&mut self, number: usize, life: u64) {
        let edge = &mut self.edges[number];
        if edge.life != life {
            return;
        }
        edge.wake = None;
        let now = edge.clock.now(self.now);
        let due =
            |timeout: Option<(Instant, &str)>| timeout.is_some_and(|(at, _)| at <= now.instant);
        if let Some(machines) = &mut edge.machines {
            if due(machines.upstream.poll_timeout()) {
                machines.upstream.handle_timeout(now);
            }
            for worker in &mut machines.workers {
                if due(worker.poll_timeout()) {
                    worker.handle_timeout(now);
                }
            }
        }
        self.drain_edge(number);
    }

    /// A worker takes what the way upstream said.
    pub(super) fn worker_takes(&mut self, number: usize, life: u64, worker: usize) {
        let edge = &mut self.edges[number];
        let now = edge.clock.now(self.now);
        let Some(machines) = edge.machines.as_mut().filter(|_| edge.life == life) else {
            return;
        };
        let message = machines.to_workers[worker]
            .queue
            .pop_front()
            .expect("one event per message");
        self.trace.note(self.now, || {
            format!("edge {number} worker {worker} ← {message:?}")
        });
        machines.workers[worker].handle_input(now, worker::Input::Upstream(message));
        self.drain_edge(number);
    }

    /// The way upstream takes what a worker said.
    pub(super) fn upstream_takes(&mut self, number: usize, life: u64, worker: usize) {
        let edge = &mut self.edges[number];
        let Some(machines) = edge.machines.as_mut().filter(|_| edge.life == life) else {
            return;
        };
        let message = machines.to_upstream[worker]
            .queue
            .pop_front()
            .expect("one event per message");
        self.trace.note(self.now, || {
            format!("edge {number} worker {worker} → {message:?}")
        });
        let worker = WorkerId(u16::try_from(worker).expect("few workers"));
        self.tell_upstream(number, upstream::Input::Worker { worker, message });
        self.drain_edge(number);
    }

    /// Something happens to a worker.
    pub(super) fn tell_worker(&mut self, number: usize, worker: usize, input: worker::Input) {
        let edge = &mut self.edges[number];
        let now = edge.clock.now(self.now);
        if let Some(machines) = &mut edge.machines {
            machines.workers[worker].handle_input(now, input);
            self.drain_edge(number);
        }
    }

    pub(super) fn tell_upstream(&mut self, number: usize, input: upstream::Input) {
        let edge = &mut self.edges[number];
        let now = edge.clock.now(self.now);
        if let Some(machines) = &mut edge.machines {
            machines.upstream.handle_input(now, input);
        }
    }

    /// A worker of an edge, to look at its outboxes.
    pub(super) fn worker(
        &mut self,
        edge: usize,
        worker: usize,
    ) -> Option<(&mut Worker, trunkline_shared::Now)> {
        let now = self.edges[edge].clock.now(self.now);
        self.edges[edge]
            .machines
            .as_mut()
            .map(|machines| (&mut machines.workers[worker], now))
    }

    /// Counts what the way upstream has counted.
    pub(super) fn fold_edge_counters(&mut self, number: usize) {
        let Some(machines) = &self.edges[number].machines else {
            return;
        };
        let counters = machines.upstream.counters();
        self.coverage
            .add(Covered::PushForeign, counters.pushes_foreign);
        self.coverage.add(Covered::WorkerLag, counters.worker_lags);
        self.coverage
            .add(Covered::ResumedAtEdge, counters.resumes_at_edge);
        self.coverage
            .add(Covered::ResumedAtOwner, counters.resumes_at_owner);
    }
}
