//! Drives the way upstream: between the workers, the server API and the links.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};
use tracing::{debug, info};
use trunkline_edge_core::exchange::{Answer, Ticket, ToUpstream, ToWorker, WorkerId};
use trunkline_edge_core::upstream::{Counters, Gauges, Input, Output, Upstream};
use trunkline_link::{
    Dialer, EdgeLink, Introduction, LinkClient, LinkCounters, LinkSender, Outgoing, PeerIdentity,
    Sent,
};
use trunkline_process::Clock;
use trunkline_shared::frame::{EdgeStats, ToNode};
use trunkline_shared::rules::Rules;
use trunkline_shared::{LinkId, StreamId, ViewVersion};

use crate::ask::Ask;
use crate::health::Readiness;
use crate::links::{EdgeSink, LinkEvent, dial};
use crate::worker_thread::{Said, ToThread};

/// Why an edge that stops isn't ready.
const STOPPING: &str = "stopping";

/// What whoever runs the edge tells the task.
#[derive(Debug)]
pub(crate) enum Command {
    /// How the edge is doing, for the nodes.
    Stats(EdgeStats),
    /// Say how you are.
    Report(oneshot::Sender<UpstreamReport>),
    /// The edge begins to stop: it isn't ready any more.
    Stopping,
    /// Say goodbye on all links; the answer comes when they have ended.
    Goodbye(oneshot::Sender<()>),
}

/// How the way upstream is.
#[derive(Clone, Debug, Default)]
pub(crate) struct UpstreamReport {
    pub(crate) counters: Counters,
    pub(crate) gauges: Gauges,
    pub(crate) readiness: Readiness,
    /// By the node's name.
    pub(crate) links: Vec<(String, LinkCounters)>,
}

/// The queues into the task. What is in them is bounded by the machines and links at their other ends.
pub(crate) struct Inboxes {
    pub(crate) said: mpsc::UnboundedReceiver<Said>,
    pub(crate) asks: mpsc::UnboundedReceiver<Ask>,
    pub(crate) commands: mpsc::UnboundedReceiver<Command>,
}

/// What the task tells others.
pub(crate) struct Outlets {
    pub(crate) workers: Vec<mpsc::UnboundedSender<ToThread>>,
    pub(crate) rules: watch::Sender<Option<Arc<Rules>>>,
    pub(crate) readiness: watch::Sender<Readiness>,
}

/// The machine with its links.
pub(crate) struct UpstreamTask {
    machine: Upstream,
    clock: Clock,
    client: LinkClient,
    outlets: Outlets,
    /// Questions of the server API, which is the worker behind the last real one.
    asked: BTreeMap<Ticket, oneshot::Sender<Answer>>,
    links: HashMap<LinkId, (String, LinkSender<ToNode>)>,
    dialers: HashMap<String, AbortHandle>,
    link_events: mpsc::UnboundedSender<LinkEvent>,
    last_link: u64,
    stopping: bool,
}

impl UpstreamTask {
    /// Makes the task; the second value is the queue that its links fill.
    pub(crate) fn new(
        machine: Upstream,
        clock: Clock,
        client: LinkClient,
        outlets: Outlets,
    ) -> (Self, mpsc::UnboundedReceiver<LinkEvent>) {
        let (link_events, inbox) = mpsc::unbounded_channel();
        let task = Self {
            machine,
            clock,
            client,
            outlets,
            asked: BTreeMap::new(),
            links: HashMap::new(),
            dialers: HashMap::new(),
            link_events,
            last_link: 0,
            stopping: false,
        };
        (task, inbox)
    }

    /// Runs until nobody can tell it anything any more.
    pub(crate) async fn run(
        mut self,
        mut inboxes: Inboxes,
        mut links: mpsc::UnboundedReceiver<LinkEvent>,
    ) {
        for worker in (0..self.outlets.workers.len())
            .map(worker_id)
            .chain([self.api()])
        {
            self.input(Input::WorkerAdded(worker));
        }
        loop {
            let due = self
                .machine
                .poll_timeout()
                .map(|(at, _)| self.clock.to_tokio(at));
            tokio::select! {
                Some((worker, message)) = inboxes.said.recv() => self.input(Input::Worker { worker, message }),
                Some(ask) = inboxes.asks.recv() => self.on_ask(ask),
                Some(event) = links.recv() => self.on_link_event(event),
                command = inboxes.commands.recv() => match command {
                    Some(command) => self.on_command(command),
                    None => return,
                },
                () = until(due) => self.on_timeout(),
            }
            self.tell_readiness();
        }
    }

    /// The server API's name among the workers.
    fn api(&self) -> WorkerId {
        worker_id(self.outlets.workers.len())
    }

    fn on_timeout(&mut self) {
        self.machine.handle_timeout(self.clock.now());
        self.perform_all();
    }

    fn input(&mut self, input: Input) {
        self.machine.handle_input(self.clock.now(), input);
        self.perform_all();
    }

    fn perform_all(&mut self) {
        while let Some(output) = self.machine.poll_output() {
            self.perform(output);
        }
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Worker { worker, message } => self.tell(worker, message),
            Output::Send {
                link,
                stream,
                frame,
            } => self.send(link, stream, &frame),
            Output::Dial { address } => self.dial(address.into()),
            Output::Hangup { address } => {
                if let Some(dialer) = self.dialers.remove(address.as_str()) {
                    dialer.abort();
                }
            }
            Output::CloseLink { link, reason } => {
                if let Some((_, sender)) = self.links.get(&link) {
                    sender.close(reason);
                }
            }
        }
    }

    fn tell(&mut self, worker: WorkerId, message: ToWorker) {
        match self.outlets.workers.get(usize::from(worker.0)) {
            // A worker that is gone ends the edge; its messages are nobody's.
            Some(worker) => drop(worker.send(ToThread::Upstream(message))),
            None => self.tell_api(message),
        }
    }

    fn tell_api(&mut self, message: ToWorker) {
        let weight = message.weight();
        match message {
            ToWorker::Answer { ticket, answer } => {
                if let Some(reply) = self.asked.remove(&ticket) {
                    // Whoever asked may have gone away.
                    drop(reply.send(answer));
                }
            }
            ToWorker::Rules(rules) => drop(self.outlets.rules.send_replace(Some(rules))),
            ToWorker::Publication(_)
            | ToWorker::Gap { .. }
            | ToWorker::EpochChanged { .. }
            | ToWorker::PresenceEvents { .. } => {
                debug!("the server API is told of a channel that it doesn't have")
            }
        }
        let consumed = Input::Worker {
            worker: self.api(),
            message: ToUpstream::Consumed { weight },
        };
        self.machine.handle_input(self.clock.now(), consumed);
    }

    fn on_ask(&mut self, ask: Ask) {
        self.asked.insert(ask.ticket, ask.reply);
        self.input(Input::Worker {
            worker: self.api(),
            message: ask.message,
        });
    }

    fn send(&mut self, link: LinkId, stream: StreamId, frame: &ToNode) {
        let Some((_, sender)) = self.links.get(&link) else {
            return;
        };
        let sent = match Outgoing::encode(frame) {
            Ok(outgoing) => sender.send(stream, &outgoing),
            Err(error) => {
                sender.close(&format!("a frame for the node can't be encoded: {error}"));
                Sent::Closed
            }
        };
        match sent {
            Sent::Queued | Sent::Closed => {}
            Sent::Dropped => {
                let weight = frame.weight();
                self.machine.handle_input(
                    self.clock.now(),
                    Input::Sent {
                        link,
                        stream,
                        weight,
                    },
                );
            }
        }
    }

    fn dial(&mut self, address: String) {
        let incarnation = self.machine.incarnation();
        let introduce = move || Introduction {
            incarnation,
            view: ViewVersion::default(),
        };
        let dialer = Dialer::new(self.client.clone(), address.clone(), introduce);
        let task = tokio::spawn(dial(dialer, self.link_events.clone()));
        self.dialers.insert(address, task.abort_handle());
    }

    fn on_link_event(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Up { address, link } => self.on_link_up(&address, *link),
            LinkEvent::Frames { link, frames } => {
                frames
                    .into_iter()
                    .for_each(|frame| self.input(Input::Frame { link, frame }));
            }
            LinkEvent::Sent {
                link,
                stream,
                weight,
            } => self.input(Input::Sent {
                link,
                stream,
                weight,
            }),
            LinkEvent::Down { link } => {
                self.links.remove(&link);
                self.input(Input::LinkDown { link });
            }
        }
    }

    fn on_link_up(&mut self, address: &str, link: EdgeLink) {
        let PeerIdentity::Backbone { node } = link.peer().clone() else {
            return debug!(peer = %link.peer(), "a link to nobody's node");
        };
        self.last_link += 1;
        let id = LinkId(self.last_link);
        let incarnation = link.introduction().incarnation;
        let events = self.link_events.clone();
        let sender = link.start(|_| Arc::new(EdgeSink { link: id, events }));
        self.links.insert(id, (node.to_string(), sender));
        self.input(Input::LinkUp {
            link: id,
            address: address.into(),
            node,
            incarnation,
        });
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Stats(stats) => self.input(Input::Stats(stats)),
            Command::Report(reply) => drop(reply.send(self.report())),
            Command::Stopping => self.stopping = true,
            Command::Goodbye(reply) => self.say_goodbye(reply),
        }
    }

    fn report(&self) -> UpstreamReport {
        let links = self
            .links
            .values()
            .map(|(node, sender)| (node.clone(), sender.counters()));
        UpstreamReport {
            counters: *self.machine.counters(),
            gauges: self.machine.gauges(),
            readiness: self.readiness(),
            links: links.collect(),
        }
    }

    fn readiness(&self) -> Readiness {
        let reasons = self
            .machine
            .readiness()
            .into_iter()
            .chain(self.stopping.then_some(STOPPING));
        Readiness::new(
            reasons.map(ToOwned::to_owned).collect(),
            self.machine.store_away(),
        )
    }

    fn tell_readiness(&self) {
        let now = self.readiness();
        self.outlets.readiness.send_if_modified(|known| {
            let changed = *known != now;
            if changed {
                info!(ready = now.ready, reasons = ?now.reasons, store_away = now.store_away, "readiness");
                *known = now;
            }
            changed
        });
    }

    fn say_goodbye(&mut self, reply: oneshot::Sender<()>) {
        self.dialers.drain().for_each(|(_, dialer)| dialer.abort());
        self.input(Input::Goodbye);
        let client = self.client.clone();
        let mut goodbyes = JoinSet::new();
        for (_, sender) in self.links.values() {
            let sender = sender.clone();
            goodbyes.spawn(async move { sender.goodbye().await });
        }
        tokio::spawn(async move {
            goodbyes.join_all().await;
            client.close().await;
            let _ = reply.send(());
        });
    }
}

fn worker_id(number: usize) -> WorkerId {
    WorkerId(u16::try_from(number).expect("at most 256 workers and the server API"))
}

async fn until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
