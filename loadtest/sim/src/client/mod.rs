//! Clients that behave like the SDKs: they come back, subscribe again, recover, and give a command up after 5 s.

mod asking;
mod commands;
mod incoming;
mod pushes;
mod subscription;
mod websocket;
mod work;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use trunkline_protocol::DisconnectCode;
use trunkline_shared::Instant;

use crate::coverage::Coverage;
use crate::dice::Dice;
use crate::network::SocketId;
use crate::record::{Label, Record, Seen, TryEnd};
use crate::scenario::ClientPlan;
use crate::tamper::Tamper;
use crate::trace::Trace;
use commands::Asked;
pub(crate) use subscription::State;
use subscription::Subscription;
use websocket::FrameReader;

/// After this long without an answer a client gives a command up.
pub(crate) const GIVE_UP: Duration = Duration::from_secs(5);

/// What a client does to the world.
#[derive(Debug)]
pub(crate) enum Act {
    /// Opens a connection to an edge.
    Dial {
        /// Which one.
        edge: usize,
    },
    /// Sends one WebSocket message.
    Send(Bytes),
    /// Drops its connection.
    HangUp {
        /// The edge isn't told.
        silent: bool,
    },
}

/// What a client needs of its surroundings when something happens to it.
#[derive(Debug)]
pub(crate) struct Around<'a> {
    /// What time it is.
    pub(crate) now: Instant,
    /// Where to write down what it sees.
    pub(crate) record: &'a mut Record,
    /// Publishers' tries that ended.
    pub(crate) ended_tries: &'a mut Vec<(usize, TryEnd)>,
    /// Where to count.
    pub(crate) coverage: &'a mut Coverage,
    /// What lies between it and its edge.
    pub(crate) tamper: &'a mut Tamper,
    /// Where to note it.
    pub(crate) trace: &'a mut Trace,
}

/// The connection as the client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conn {
    /// None; another try comes.
    Waiting {
        /// When.
        until: Instant,
    },
    /// Asked for.
    Dialing,
    /// There; the connect command isn't answered yet.
    Open,
    /// There, and connected.
    Connected,
}

/// One client.
#[derive(Debug)]
pub(crate) struct Client {
    /// Its place in the scenario.
    pub(crate) number: usize,
    /// What it does all day.
    pub(crate) plan: ClientPlan,
    /// The edge that it uses.
    pub(crate) edge: usize,
    /// Its connection.
    pub(crate) conn: Conn,
    /// Its connection's id, by the edge.
    pub(crate) id: String,
    /// Its channels.
    pub(crate) subscriptions: BTreeMap<usize, Subscription>,
    /// Whether it publishes by itself.
    pub(crate) busy: bool,
    /// Whether it reads slowly now.
    pub(crate) reads_slowly: bool,
    /// Its socket.
    pub(crate) socket: Option<SocketId>,
    /// When it will be woken.
    pub(crate) armed: Option<Instant>,
    /// Newest message of its own channel probes that it has seen, by channel.
    pub(crate) probes: BTreeMap<usize, Label>,
    asked: BTreeMap<u32, Asked>,
    last_command: u32,
    sequence: u32,
    next_publish: Instant,
    failures: u32,
    ping: Duration,
    heard: Instant,
    reader: FrameReader,
    dice: Dice,
    acts: Vec<Act>,
}

impl Client {
    /// Makes a client that connects soon.
    pub(crate) fn new(number: usize, plan: ClientPlan, mut dice: Dice) -> Self {
        let subscriptions = plan
            .listens
            .iter()
            .map(|channel| (*channel, Subscription::new()))
            .collect();
        Self {
            number,
            edge: plan.edge,
            conn: Conn::Waiting {
                until: Instant::ZERO + dice.millis(0, 1_500),
            },
            id: String::new(),
            subscriptions,
            busy: true,
            reads_slowly: false,
            socket: None,
            armed: None,
            probes: BTreeMap::new(),
            asked: BTreeMap::new(),
            last_command: 0,
            sequence: 0,
            next_publish: Instant::ZERO,
            failures: 0,
            ping: Duration::ZERO,
            heard: Instant::ZERO,
            reader: FrameReader::default(),
            plan,
            dice,
            acts: Vec::new(),
        }
    }

    /// Takes what it wants to do next.
    pub(crate) fn take_acts(&mut self) -> Vec<Act> {
        std::mem::take(&mut self.acts)
    }

    /// When it wants to be woken.
    pub(crate) fn wake(&self) -> Instant {
        let far = Instant::from_micros(u64::MAX);
        match self.conn {
            Conn::Waiting { until } => until,
            Conn::Dialing => far,
            Conn::Open => self.give_up_at().unwrap_or(far),
            Conn::Connected => {
                let publish = if self.busy { self.next_publish } else { far };
                let times = [self.give_up_at().unwrap_or(far), self.silent_at(), publish];
                let wanted = self.subscriptions.values().filter_map(|subscription| {
                    match subscription.state {
                        State::Wanted { at } => Some(at),
                        State::Off | State::Asked { .. } | State::Live => None,
                    }
                });
                times.into_iter().chain(wanted).min().unwrap_or(far)
            }
        }
    }

    /// Does what is due.
    pub(crate) fn on_timer(&mut self, around: &mut Around<'_>) {
        match self.conn {
            Conn::Waiting { until } if until <= around.now => {
                self.conn = Conn::Dialing;
                self.acts.push(Act::Dial { edge: self.edge });
            }
            Conn::Waiting { .. } | Conn::Dialing => {}
            Conn::Open => self.give_up(around),
            Conn::Connected if self.silent_at() <= around.now => self.hang_up(around),
            Conn::Connected => {
                self.give_up(around);
                if self.conn == Conn::Connected {
                    self.subscribe_wanted(around);
                    self.publish_due(around);
                }
            }
        }
    }

    /// The socket is there.
    pub(crate) fn on_open(&mut self, around: &mut Around<'_>) {
        self.conn = Conn::Open;
        self.heard = around.now;
        self.connect(around);
    }

    /// The socket is gone, or was refused.
    pub(crate) fn on_closed(&mut self, around: &mut Around<'_>, code: Option<&DisconnectCode>) {
        if let Some(code) = code.filter(|code| !code.reconnects()) {
            let oddity = format!("client {} was closed for good: {code:?}", self.number);
            around.record.oddities.push((around.now, oddity));
        }
        self.forget_connection(around);
    }

    /// Drops the connection and comes back at an edge.
    pub(crate) fn move_to(&mut self, around: &mut Around<'_>, edge: usize, silent: bool) {
        self.edge = edge;
        if matches!(self.conn, Conn::Open | Conn::Connected) {
            self.acts.push(Act::HangUp { silent });
            self.forget_connection(around);
        }
    }

    fn hang_up(&mut self, around: &mut Around<'_>) {
        self.acts.push(Act::HangUp { silent: false });
        self.forget_connection(around);
    }

    fn forget_connection(&mut self, around: &mut Around<'_>) {
        self.end_commands(around);
        if self.conn == Conn::Connected {
            for channel in self.subscriptions.keys() {
                around
                    .record
                    .see(around.now, self.number, *channel, Seen::Lost);
            }
        }
        self.subscriptions
            .values_mut()
            .for_each(Subscription::on_lost);
        self.reader = FrameReader::default();
        self.id.clear();
        let pause = 100 << self.failures.min(5);
        self.failures += 1;
        self.conn = Conn::Waiting {
            until: around.now + self.dice.millis(10, pause),
        };
    }

    fn silent_at(&self) -> Instant {
        self.heard + self.ping + Duration::from_secs(10)
    }
}
