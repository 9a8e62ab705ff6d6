//! Drives the way upstream: between the workers, the server API and the links.

mod goodbye;
mod links;
mod questions;
mod report;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use trunkline_edge_core::exchange::{Answer, Ticket, ToWorker, WorkerId};
use trunkline_edge_core::upstream::{Counters, Gauges, Input, Output, Upstream};
use trunkline_link::{Inbox, LinkClient, LinkCounters, LinkSender};
use trunkline_process::Clock;
use trunkline_shared::LinkId;
use trunkline_shared::frame::{EdgeStats, ToNode};
use trunkline_shared::limits::INBOX_BYTES_MAX;
use trunkline_shared::rules::Rules;

use crate::ask::Ask;
use crate::health::Readiness;
use crate::links::LinkEvent;
use crate::timer::until;
use crate::worker_thread::{Said, ToThread};

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
    /// Bytes from links that wait for the task.
    pub(crate) inbox_bytes: usize,
}

/// The queues into the task. A session has 256 commands in flight at most, a call of the server API one connection.
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
    /// The account of what links have put into that queue.
    inbox: Arc<Inbox>,
    last_link: u64,
    stopping: bool,
    /// Goodbye is said: no link begins any more.
    gone: bool,
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
            inbox: Arc::new(Inbox::new(INBOX_BYTES_MAX)),
            last_link: 0,
            stopping: false,
            gone: false,
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
                Some(said) = inboxes.said.recv() => self.on_said(said),
                Some(ask) = inboxes.asks.recv() => self.on_ask(ask),
                Some(event) = links.recv() => self.on_link_event(event),
                command = inboxes.commands.recv() => match command {
                    Some(command) => self.on_command(command, &mut inboxes),
                    None => return,
                },
                () = until(due) => self.on_timeout(),
            }
            self.tell_readiness();
        }
    }

    fn on_said(&mut self, (worker, message): Said) {
        self.input(Input::Worker { worker, message });
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

    fn on_command(&mut self, command: Command, inboxes: &mut Inboxes) {
        match command {
            Command::Stats(stats) => self.input(Input::Stats(stats)),
            Command::Report(reply) => drop(reply.send(self.report())),
            Command::Stopping => self.stopping = true,
            Command::Goodbye(reply) => self.on_goodbye(reply, inboxes),
        }
    }
}

fn worker_id(number: usize) -> WorkerId {
    WorkerId(u16::try_from(number).expect("at most 256 workers and the server API"))
}
