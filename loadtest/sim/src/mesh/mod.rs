//! The mesh of one run: real machines, and around them what a scenario makes of the world.

mod clients;
mod edges;
mod event;
mod faults;
mod finish;
mod links;
mod node;
mod publishers;
mod sockets;
mod store;
mod witness;

use std::collections::BTreeMap;
use std::time::Duration;

use trunkline_shared::{Instant, LinkId};

use crate::agenda::Agenda;
use crate::client::Client;
use crate::clock::BEGIN;
use crate::coverage::{Coverage, Event as Covered};
use crate::dice::Dice;
use crate::disk::Disk;
use crate::network::{Link, Socket, SocketId};
use crate::options::Options;
use crate::publisher::Publisher;
use crate::record::Record;
use crate::scenario::{HEALING, PROBING, Scenario, WARMING};
use crate::tamper::Tamper;
use crate::trace::Trace;
use edges::Edge;
use event::Event;
use node::Node;

/// Every so many events the machines check themselves.
const EVENTS_BETWEEN_CHECKS: u64 = 256;

/// The mesh of one run.
#[derive(Debug)]
pub(crate) struct Mesh {
    now: Instant,
    agenda: Agenda<Event>,
    scenario: Scenario,
    options: Options,
    nodes: Vec<Node>,
    /// Nodes that were asked to leave, and after how long each comes back.
    leaves: BTreeMap<usize, Duration>,
    edges: Vec<Edge>,
    links: BTreeMap<LinkId, Link>,
    next_link: u64,
    sockets: BTreeMap<SocketId, Socket>,
    next_socket: u64,
    clients: Vec<Client>,
    publishers: Vec<Publisher>,
    disk: Disk,
    dice: Dice,
    tamper: Tamper,
    /// What was observed.
    pub(crate) record: Record,
    /// What happened.
    pub(crate) coverage: Coverage,
    /// What happened, in lines.
    pub(crate) trace: Trace,
    events: u64,
}

impl Mesh {
    /// Makes the mesh of a seed; everything starts at once.
    pub(crate) fn new(seed: u64, options: Options) -> Self {
        let scenario = Scenario::new(seed);
        let mut dice = Dice::new(seed, 2);
        let client = |(number, plan): (usize, &_)| {
            let salt = 100 + u64::try_from(number).expect("few clients");
            Client::new(number, Clone::clone(plan), Dice::new(seed, salt))
        };
        let clients = scenario.clients.iter().enumerate().map(client).collect();
        let publisher = |(number, plan): (usize, &_)| {
            let salt = 200 + u64::try_from(number).expect("few publishers");
            Publisher::new(number, Clone::clone(plan), Dice::new(seed, salt))
        };
        let publishers = scenario.publishers.iter().enumerate();
        let publishers = publishers.map(publisher).collect();
        let count = scenario.nodes.len();
        let nodes = (0..count).map(|_| Node::new(&mut dice)).collect();
        let edges = scenario.edges.iter();
        let edges = edges.map(|_| Edge::new(count)).collect();
        let mut mesh = Self {
            now: Instant::ZERO,
            agenda: Agenda::new(),
            options,
            nodes,
            leaves: BTreeMap::new(),
            edges,
            links: BTreeMap::new(),
            next_link: 0,
            sockets: BTreeMap::new(),
            next_socket: 0,
            clients,
            publishers,
            disk: Disk::new(Dice::new(seed, 3), BEGIN, count, options.plant),
            dice,
            tamper: Tamper::new(options.plant, Dice::new(seed, 4)),
            record: Record::default(),
            coverage: Coverage::default(),
            trace: Trace::new(options.trace),
            events: 0,
            scenario,
        };
        mesh.begin();
        mesh
    }

    fn begin(&mut self) {
        if self.scenario.edges.contains(&2) {
            self.coverage.count(Covered::TwoWorkers);
        }
        for (node, after) in self.scenario.nodes.clone().into_iter().enumerate() {
            self.plan(after, Event::NodeStart { node });
        }
        for edge in 0..self.edges.len() {
            self.plan(Duration::ZERO, Event::EdgeStart { edge });
        }
        for client in 0..self.clients.len() {
            self.arm_client(client);
        }
        for publisher in 0..self.publishers.len() {
            self.arm_publisher(publisher);
        }
        for (at, fault) in self.scenario.faults.clone() {
            self.agenda.plan(at, Event::Fault(fault));
        }
        let calm = self.scenario.calm;
        self.agenda.plan(calm, Event::Calm);
        self.agenda.plan(calm + WARMING, Event::Probe);
        self.agenda.plan(calm + HEALING, Event::Probe);
        self.agenda
            .plan(calm + HEALING + PROBING / 2, Event::ReadBack);
        self.agenda.plan(calm + HEALING + PROBING, Event::End);
    }

    /// Runs until the end.
    pub(crate) fn run(&mut self) {
        while let Some((at, event)) = self.agenda.next() {
            self.now = at;
            if matches!(event, Event::End) {
                break;
            }
            self.handle(event);
            self.events += 1;
            if self.events.is_multiple_of(EVENTS_BETWEEN_CHECKS) {
                self.check_invariants();
            }
        }
        self.check_invariants();
        self.finish();
    }

    fn check_invariants(&self) {
        self.nodes.iter().for_each(Node::check_invariants);
        self.edges.iter().for_each(Edge::check_invariants);
    }

    /// What time it is.
    pub(crate) const fn now(&self) -> Instant {
        self.now
    }

    fn plan(&mut self, after: Duration, event: Event) {
        self.agenda.plan(self.now + after, event);
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        self.trace.note(self.now, line);
    }
}
