//! A worker's thread: its machine, its connections, and the loop that takes what has come and then writes.
//!
//! Everything here stays on one thread, so there are no locks. Messages of clients go into the machine when they are
//! read; what comes from upstream waits in a queue whose volume the way upstream bounds (`Consumed` gives room back).

mod busy;
mod report;
mod sockets;
mod turns;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;
use tokio::sync::{Notify, mpsc, oneshot};
use trunkline_edge_core::exchange::{ToUpstream, ToWorker, WorkerId};
use trunkline_edge_core::worker::{ConnId, Input, Output, Worker, WorkerStats};
use trunkline_process::Clock;

use crate::connection::Connection;
use crate::gate::Gate;
pub(crate) use busy::Busy;

/// Time that a client has to answer our Close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// What a worker's thread is told.
#[derive(Debug)]
pub(crate) enum ToThread {
    /// From the way upstream.
    Upstream(ToWorker),
    /// Close all connections within a time, then end.
    Drain { over: Duration },
    /// Say how you are.
    Report(oneshot::Sender<WorkerReport>),
    /// Say who is connected: a hash of each user, the same on all threads, in no order.
    Users(oneshot::Sender<Vec<u64>>),
}

/// How a worker is.
#[derive(Clone, Debug, Default)]
pub(crate) struct WorkerReport {
    pub(crate) stats: WorkerStats,
    pub(crate) lag: Duration,
}

/// What a worker says, and which one.
pub(crate) type Said = (WorkerId, ToUpstream);

/// A worker's thread, as its tasks share it.
pub(crate) struct WorkerThread {
    machine: RefCell<Worker>,
    connections: RefCell<FxHashMap<ConnId, Rc<Connection>>>,
    /// Connections to write although their outbox has nothing new, each once.
    to_write: RefCell<VecDeque<ConnId>>,
    next_conn: Cell<u64>,
    /// What a drain waits for besides `connections`.
    busy: Cell<usize>,
    lag: Cell<Duration>,
    wake: Notify,
    upstream: mpsc::UnboundedSender<Said>,
    pub(crate) clock: Clock,
    pub(crate) gate: Arc<Gate>,
}

impl WorkerThread {
    pub(crate) fn new(
        machine: Worker,
        clock: Clock,
        gate: Arc<Gate>,
        upstream: mpsc::UnboundedSender<Said>,
    ) -> Self {
        Self {
            machine: RefCell::new(machine),
            connections: RefCell::default(),
            to_write: RefCell::default(),
            next_conn: Cell::new(0),
            busy: Cell::new(0),
            lag: Cell::new(Duration::ZERO),
            wake: Notify::new(),
            upstream,
            clock,
            gate,
        }
    }

    /// Gives the machine something and does what it wants done.
    fn input(&self, input: Input) {
        self.machine
            .borrow_mut()
            .handle_input(self.clock.now(), input);
        self.perform_all();
    }

    fn perform_all(&self) {
        loop {
            let output = self.machine.borrow_mut().poll_output();
            let Some(output) = output else { break };
            self.perform(output);
        }
    }

    fn perform(&self, output: Output) {
        match output {
            Output::Upstream(message) => {
                drop(self.upstream.send((self.machine.borrow().id(), message)))
            }
            Output::Close { conn, code, flush } => self.on_close(conn, &code, flush),
            Output::Refused(refusal) => self.gate.refusals().client(&refusal),
            Output::PauseReading { conn } => {
                self.with(conn, |connection| connection.set_paused(true))
            }
            Output::ResumeReading { conn } => {
                self.with(conn, |connection| connection.set_paused(false))
            }
        }
    }

    fn with(&self, conn: ConnId, act: impl FnOnce(&Rc<Connection>)) {
        let connection = self.connections.borrow().get(&conn).cloned();
        if let Some(connection) = connection {
            act(&connection);
        }
    }

    /// Writes a connection in the loop's next round.
    pub(crate) fn write_later(&self, conn: ConnId) {
        self.with(conn, |connection| {
            if connection.wait_for_write() {
                self.to_write.borrow_mut().push_back(conn);
            }
        });
        self.wake.notify_one();
    }

    /// Whether clients are sent elsewhere, because the edge is cut off from the backbone.
    pub(crate) fn is_isolated(&self) -> bool {
        self.machine.borrow().is_isolated()
    }

    /// Notes how late the thread is.
    pub(crate) fn set_lag(&self, lag: Duration) {
        self.lag.set(lag);
    }

    /// How late the thread was when it was measured last.
    pub(crate) fn lag(&self) -> Duration {
        self.lag.get()
    }
}
