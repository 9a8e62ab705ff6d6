//! Sessions of one thread.
//!
//! A worker holds connections, what they are subscribed to and what their sockets are still to take. It knows nothing of
//! links and owners: it asks the way upstream, and delivers what that sends. Sessions never move between workers.

mod admission;
mod answers;
mod channel_name;
mod closing;
mod config;
mod connect;
mod context;
mod fan_out;
mod heartbeat;
mod history_gate;
mod invariants;
mod membership;
mod outbox;
mod outgoing;
mod permission;
mod plan;
mod publish;
mod query;
mod refresh;
mod refusal;
mod reply_order;
mod rpc;
mod session;
mod sessions;
mod stats;
mod subscribe;
mod subscribers;
pub mod subscription;
mod timers;

#[cfg(test)]
mod tests;

use std::time::Duration;

use bytes::Bytes;
use trunkline_protocol::{DisconnectCode, Encoding};
use trunkline_shared::{Instant, Now};

pub use config::{ClientConfig, ConfigError, TokenConfig};
pub use connect::VERSION;
pub use history_gate::{Admitted, HistoryGate, HistoryRefused, Tokens};
pub use publish::is_acceptable;
pub use refusal::{Deed, Denied, Refusal, RefusedConnect};
pub use stats::{Counters, WorkerStats};

use crate::exchange::{ToUpstream, ToWorker, WorkerId};
use closing::Closing;
use context::Context;
use session::{Phase, Session};
use sessions::Sessions;

/// Names a connection of one worker; the shell never uses a name twice while the connection is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// What a worker is made of.
#[derive(Clone, Debug, Default)]
pub struct WorkerConfig {
    /// What may be set about clients.
    pub client: ClientConfig,
}

/// What happens to a worker.
#[derive(Clone, Debug)]
pub enum Input {
    /// A socket is open, its handshake done.
    Open {
        /// Its name.
        conn: ConnId,
        /// How its messages are written.
        encoding: Encoding,
        /// Whether pings of the client protocol are sent; else the shell sends those of WebSocket.
        sends_pings: bool,
    },
    /// A whole WebSocket message, within the size limit.
    Message {
        /// Whose.
        conn: ConnId,
        /// Its commands.
        data: Bytes,
    },
    /// A socket is gone.
    Closed {
        /// Which.
        conn: ConnId,
    },
    /// Something from the way upstream, in order.
    Upstream(ToWorker),
    /// The edge goes away: every connection is closed with 3001, each at its own random moment.
    Drain {
        /// The time over which that happens.
        over: Duration,
    },
}

/// What a worker wants done. Frames aren't here: see [`Worker::take_dirty`].
#[expect(
    clippy::large_enum_variant,
    reason = "what goes upstream is the common case; a box would cost an allocation each"
)]
#[derive(Clone, Debug)]
pub enum Output {
    /// To the way upstream, in order.
    Upstream(ToUpstream),
    /// A connection is to be closed.
    Close {
        /// Which.
        conn: ConnId,
        /// The code and reason of the close frame.
        code: DisconnectCode,
        /// Whether its outbox is written before the close frame; else it is empty already.
        flush: bool,
    },
    /// A client was refused something; to be told in the log, if at all.
    Refused(Refusal),
    /// A connection has too many commands in flight: its socket isn't to be read.
    PauseReading {
        /// Which.
        conn: ConnId,
    },
    /// Its socket is to be read again.
    ResumeReading {
        /// Which.
        conn: ConnId,
    },
}

/// Sessions of one thread, without I/O.
///
/// After each `handle_*`, and after each round of writes, drain [`Self::poll_output`]; then write every session of
/// [`Self::take_dirty`] once and report with [`Self::written`].
pub struct Worker {
    id: WorkerId,
    ctx: Context,
    sessions: Sessions,
    closing: Option<Closing>,
}

impl Worker {
    /// Makes a worker without sessions and without rules. `seed` decides connection ids and random moments.
    pub fn new(config: WorkerConfig, id: WorkerId, seed: [u8; 32], _now: Now) -> Self {
        let ctx = Context::new(config.client, seed);
        Self {
            id,
            ctx,
            sessions: Sessions::default(),
            closing: None,
        }
    }

    /// Its name.
    pub const fn id(&self) -> WorkerId {
        self.id
    }

    /// Takes an input; anything is taken, also about connections that it doesn't know.
    pub fn handle_input(&mut self, now: Now, input: Input) {
        match input {
            Input::Open {
                conn,
                encoding,
                sends_pings,
            } => self.open(now, conn, encoding, sends_pings),
            Input::Message { conn, data } => {
                if let Some(session) = self.sessions.get_mut(&conn) {
                    session.on_message(&mut self.ctx, now, &data);
                }
            }
            Input::Closed { conn } => self.forget(conn),
            Input::Upstream(message) => self.on_upstream(now, message),
            Input::Drain { over } => self.drain(now, over),
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some((conn, timer)) = self.ctx.timers.pop(now.instant) {
            if let Some(session) = self.sessions.get_mut(&conn) {
                session.on_timer(&mut self.ctx, now, timer);
            }
        }
    }

    /// When [`Self::handle_timeout`] has something to do, and what.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.ctx.timers.next()
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.ctx.outputs.pop_front()
    }

    /// A session whose outbox has something new for its socket; each once until it has something new again.
    pub fn take_dirty(&mut self) -> Option<ConnId> {
        loop {
            let conn = self.ctx.dirty.pop_front()?;
            if let Some(session) = self
                .sessions
                .get_mut(&conn)
                .filter(|session| session.is_dirty)
            {
                session.is_dirty = false;
                if !session.outbox.is_empty() {
                    return Some(conn);
                }
            }
        }
    }

    /// The complete WebSocket frames that a connection's socket is still to take, in order.
    pub fn outbox(&self, conn: ConnId) -> impl Iterator<Item = &Bytes> {
        self.sessions
            .get(&conn)
            .into_iter()
            .flat_map(|session| session.outbox.frames())
    }

    /// A connection's socket has taken `bytes` of its outbox; `blocked` says that it took less than all of it.
    ///
    /// A blocked session isn't dirty, whatever comes: the shell waits for the socket and writes again. What wasn't
    /// offered, for a limit on slices, isn't blocked: the session is dirty again.
    pub fn written(&mut self, _now: Now, conn: ConnId, bytes: usize, blocked: bool) {
        if let Some(session) = self.sessions.get_mut(&conn) {
            session.on_written(&mut self.ctx, bytes, blocked);
        }
    }

    /// How much there is of everything, and what has happened.
    pub fn stats(&self) -> WorkerStats {
        let members = || {
            self.ctx
                .subscribers
                .iter()
                .map(|(_, entry)| entry.members.len())
        };
        WorkerStats {
            clients: self.ctx.users.values().sum(),
            users: self.ctx.users.len(),
            sockets: self.sessions.len(),
            channels: members().filter(|count| *count > 0).count(),
            subscriptions: members().sum(),
            commands_in_flight: self.ctx.pending.len(),
            outbox_bytes: self
                .sessions
                .values()
                .map(|session| session.outbox.bytes())
                .sum(),
            timers: self.ctx.timers.len(),
            counters: self.ctx.counters.clone(),
        }
    }

    /// The distinct users of [`WorkerStats::users`], in order.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.ctx.users.keys().map(|user| user.as_str())
    }

    fn open(&mut self, now: Now, conn: ConnId, encoding: Encoding, sends_pings: bool) {
        self.forget(conn);
        let session = Session::new(&mut self.ctx, now, conn, encoding, sends_pings);
        self.sessions.insert(conn, session);
        self.close_late_comer(now, conn);
    }

    fn forget(&mut self, conn: ConnId) {
        if let Some(mut session) = self.sessions.swap_remove(&conn)
            && session.phase != Phase::Closed
        {
            session.leave_everything(&mut self.ctx);
        }
    }

    fn on_upstream(&mut self, now: Now, message: ToWorker) {
        let weight = message.weight();
        let (ctx, sessions) = (&mut self.ctx, &mut self.sessions);
        match message {
            ToWorker::Answer { ticket, answer } => {
                answers::on_answer(ctx, sessions, now, ticket, answer)
            }
            ToWorker::Publication(shared) => fan_out::publication(ctx, sessions, now, &shared),
            ToWorker::Gap { channel, position } => {
                fan_out::gap(ctx, sessions, now, &channel, position)
            }
            ToWorker::EpochChanged {
                channel,
                position,
                spread,
            } => {
                fan_out::epoch_changed(ctx, sessions, now, &channel, position, spread);
            }
            ToWorker::PresenceEvents { channel, events } => {
                fan_out::presence_events(ctx, sessions, now, &channel, &events);
            }
            ToWorker::Rules(rules) => ctx.rules = Some(rules),
            ToWorker::Isolated(isolated) => self.on_isolated(now, isolated),
        }
        self.ctx.consumed(weight);
    }
}
