//! A worker's thread: its machine, its connections, and the loop that takes what has come and then writes.
//!
//! Everything here stays on one thread, so there are no locks. Messages of clients go into the machine when they are
//! read; what comes from upstream waits in a queue whose volume the way upstream bounds (`Consumed` gives room back).

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, mpsc, oneshot};
use trunkline_edge_core::exchange::{ToUpstream, ToWorker, WorkerId};
use trunkline_edge_core::worker::{ConnId, Input, Output, Worker, WorkerStats};
use trunkline_process::Clock;
use trunkline_protocol::{DisconnectCode, Encoding};
use trunkline_shared::limits::{BYTES_BETWEEN_WRITES, PUBLICATIONS_BETWEEN_WRITES};

use crate::connection::Connection;
use crate::gate::{Gate, Permit};
use crate::reader::{ReadEnd, Reader};
use crate::socket::ClientStream;

/// Sockets written before other work has its turn.
const WRITES_AT_ONCE: usize = 1024;

/// Time that a client has to answer our Close frame.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// What a worker's thread is told.
#[derive(Debug)]
pub(crate) enum ToThread {
    /// From the way upstream.
    Upstream(ToWorker),
    /// Close all connections within a time, then end.
    Drain { over: Duration },
    /// Say how you are.
    Report(oneshot::Sender<WorkerReport>),
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
    connections: RefCell<HashMap<ConnId, Rc<Connection>>>,
    /// Connections to write although their outbox has nothing new.
    to_write: RefCell<VecDeque<ConnId>>,
    next_conn: Cell<u64>,
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
            lag: Cell::new(Duration::ZERO),
            wake: Notify::new(),
            upstream,
            clock,
            gate,
        }
    }

    /// Runs until a drain has ended or nobody can tell it anything any more.
    pub(crate) async fn run(self: Rc<Self>, mut inbox: mpsc::UnboundedReceiver<ToThread>) {
        let mut give_up = None;
        loop {
            self.take_batch(&mut inbox, &mut give_up);
            self.input_if_due();
            let more = self.write_some();
            if more || !inbox.is_empty() {
                tokio::task::yield_now().await;
                continue;
            }
            if give_up.is_some_and(|at| self.is_drained() || tokio::time::Instant::now() >= at) {
                return;
            }
            tokio::select! {
                message = inbox.recv() => match message {
                    Some(message) => drop(self.take(message, &mut give_up)),
                    None => return,
                },
                () = self.wake.notified() => {}
                () = self.until_due() => {}
                () = until(give_up) => {}
            }
        }
    }

    /// Takes what has come from upstream, at most a batch of it.
    fn take_batch(
        &self,
        inbox: &mut mpsc::UnboundedReceiver<ToThread>,
        give_up: &mut Option<tokio::time::Instant>,
    ) {
        let mut bytes = 0;
        for _ in 0..PUBLICATIONS_BETWEEN_WRITES {
            let Ok(message) = inbox.try_recv() else { break };
            bytes += self.take(message, give_up);
            if bytes >= BYTES_BETWEEN_WRITES {
                break;
            }
        }
    }

    /// Takes one message; returns what it weighs.
    fn take(&self, message: ToThread, give_up: &mut Option<tokio::time::Instant>) -> usize {
        match message {
            ToThread::Upstream(message) => {
                let weight = message.weight();
                self.input(Input::Upstream(message));
                weight
            }
            ToThread::Drain { over } => {
                *give_up = Some(tokio::time::Instant::now() + over + CLOSE_TIMEOUT);
                self.input(Input::Drain { over });
                0
            }
            ToThread::Report(reply) => {
                let stats = self.machine.borrow().stats();
                drop(reply.send(WorkerReport {
                    stats,
                    lag: self.lag.get(),
                }));
                0
            }
        }
    }

    /// Gives the machine something and does what it wants done.
    fn input(&self, input: Input) {
        self.machine
            .borrow_mut()
            .handle_input(self.clock.now(), input);
        self.perform_all();
    }

    fn input_if_due(&self) {
        let now = self.clock.now();
        let due = self
            .machine
            .borrow()
            .poll_timeout()
            .is_some_and(|(at, _)| at <= now.instant);
        if due {
            self.machine.borrow_mut().handle_timeout(now);
            self.perform_all();
        }
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

    fn on_close(&self, conn: ConnId, code: &DisconnectCode, flush: bool) {
        self.with(conn, |connection| {
            if flush {
                connection.close(code.code(), code.reason());
            } else {
                connection.close_now(code.code(), code.reason());
            }
            self.write_later(conn);
            end_in_time(connection);
        });
    }

    /// Writes dirty sockets, each once; says whether others are left.
    fn write_some(&self) -> bool {
        for _ in 0..WRITES_AT_ONCE {
            let again = self.to_write.borrow_mut().pop_front();
            let next = again.or_else(|| self.machine.borrow_mut().take_dirty());
            match next {
                Some(conn) => self.write(conn),
                None => return false,
            }
        }
        true
    }

    fn write(&self, conn: ConnId) {
        self.with(conn, |connection| {
            let result = connection.write(self.machine.borrow().outbox(conn));
            match result {
                Ok(written) => {
                    let now = self.clock.now();
                    self.machine
                        .borrow_mut()
                        .written(now, conn, written.bytes, written.blocked);
                    self.perform_all();
                }
                // The socket is broken: nothing, 3009 included, can be said on it.
                Err(_) => connection.end(),
            }
        });
    }

    /// Writes a connection in the loop's next round.
    pub(crate) fn write_later(&self, conn: ConnId) {
        self.to_write.borrow_mut().push_back(conn);
        self.wake.notify_one();
    }

    /// Takes a socket whose handshake is done.
    pub(crate) fn open(
        &self,
        stream: ClientStream,
        permit: Permit,
        encoding: Encoding,
        sends_pings: bool,
    ) -> Rc<Connection> {
        let id = ConnId(self.next_conn.get());
        self.next_conn.set(id.0 + 1);
        let connection = Rc::new(Connection::new(id, stream, permit));
        self.connections
            .borrow_mut()
            .insert(id, Rc::clone(&connection));
        self.input(Input::Open {
            conn: id,
            encoding,
            sends_pings,
        });
        self.wake.notify_one();
        connection
    }

    /// Takes bytes that a client has sent.
    pub(crate) fn on_bytes(&self, connection: &Rc<Connection>, reader: &mut Reader, bytes: &[u8]) {
        if !connection.is_read() {
            return;
        }
        let (conn, mut control) = (connection.id, Vec::new());
        let on_message = |data: Bytes| self.input(Input::Message { conn, data });
        let result = reader.feed(bytes, &mut control, on_message);
        self.wake.notify_one();
        if !control.is_empty() {
            connection.push_control(&control);
            self.write_later(conn);
        }
        if let Err(end) = result {
            self.on_read_end(connection, &end);
        }
    }

    fn on_read_end(&self, connection: &Rc<Connection>, end: &ReadEnd) {
        tracing::debug!(conn = connection.id.0, %end, "nothing more is read");
        self.input(Input::Closed {
            conn: connection.id,
        });
        match end.close() {
            None => connection.on_peer_close(),
            Some((code, reason)) => connection.close_broken(code, reason),
        }
        self.write_later(connection.id);
        end_in_time(connection);
    }

    /// Forgets a connection whose socket is gone.
    pub(crate) fn forget(&self, conn: ConnId) {
        self.connections.borrow_mut().remove(&conn);
        self.input(Input::Closed { conn });
        self.wake.notify_one();
    }

    /// Closes a connection for a reason that the machine doesn't know.
    pub(crate) fn hang_up(&self, connection: &Rc<Connection>, code: &DisconnectCode) {
        self.input(Input::Closed {
            conn: connection.id,
        });
        connection.close_now(code.code(), code.reason());
        self.write_later(connection.id);
        end_in_time(connection);
    }

    /// Notes how late the thread is.
    pub(crate) fn set_lag(&self, lag: Duration) {
        self.lag.set(lag);
    }

    /// How late the thread was when it was measured last.
    pub(crate) fn lag(&self) -> Duration {
        self.lag.get()
    }

    fn is_drained(&self) -> bool {
        self.connections.borrow().is_empty() && self.gate.http() == 0
    }

    async fn until_due(&self) {
        let due = self.machine.borrow().poll_timeout();
        until(due.map(|(at, _)| self.clock.to_tokio(at))).await;
    }
}

async fn until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Lets a connection's socket go when the client hasn't ended it in time.
fn end_in_time(connection: &Rc<Connection>) {
    let connection = Rc::downgrade(connection);
    tokio::task::spawn_local(async move {
        tokio::time::sleep(CLOSE_TIMEOUT).await;
        if let Some(connection) = connection.upgrade() {
            connection.end();
        }
    });
}
