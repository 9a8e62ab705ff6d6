//! A worker with sockets that take everything at once, unless they are stalled, and an upstream that tests script.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use trunkline_protocol::client::{ServerMessage, decode_messages, encode_commands};
use trunkline_protocol::{Command, Encoding, Request};
use trunkline_shared::{Channel, Instant, Now, UnixMillis};

use super::describe::describe;
use super::rules::rules;
use crate::exchange::{Answer, RefusedBecause, Ticket, ToUpstream, ToWorker, WorkerId};
use crate::worker::{
    ClientConfig, ConnId, Input, Output, Refusal, TokenConfig, Worker, WorkerConfig,
};

/// Where tests begin by the wall clock.
pub(super) const START: UnixMillis = UnixMillis(1_700_000_000_000);

/// Where tests begin by the monotonic clock.
const ORIGIN: Instant = Instant::from_micros(5_000_000);

/// The settings of most tests.
pub(super) fn config() -> ClientConfig {
    ClientConfig {
        token: TokenConfig {
            hmac_secret_key: "secret".into(),
        },
        allow_anonymous_connect_without_token: true,
        ..ClientConfig::default()
    }
}

/// A worker, its sockets and its upstream.
pub(super) struct Rig {
    pub(super) worker: Worker,
    pub(super) now: Now,
    encodings: BTreeMap<ConnId, Encoding>,
    received: BTreeMap<ConnId, Vec<u8>>,
    stalled: BTreeSet<ConnId>,
    closed: BTreeMap<ConnId, u16>,
    paused: BTreeSet<ConnId>,
    refused: Vec<Refusal>,
    asked: Vec<ToUpstream>,
    next_conn: u64,
}

impl Rig {
    /// With the settings and rules of most tests.
    pub(super) fn new() -> Self {
        Self::with(config())
    }

    /// With other settings.
    pub(super) fn with(client: ClientConfig) -> Self {
        let mut rig = Self::without_rules(client);
        rig.upstream(ToWorker::Rules(Arc::new(rules())));
        rig
    }

    /// Before the first rules have come.
    pub(super) fn without_rules(client: ClientConfig) -> Self {
        let now = Now {
            instant: ORIGIN,
            unix: START,
        };
        Self {
            worker: Worker::new(WorkerConfig { client }, WorkerId(0), [7; 32], now),
            now,
            encodings: BTreeMap::new(),
            received: BTreeMap::new(),
            stalled: BTreeSet::new(),
            closed: BTreeMap::new(),
            paused: BTreeSet::new(),
            refused: Vec::new(),
            asked: Vec::new(),
            next_conn: 0,
        }
    }

    /// A socket that hasn't connected.
    pub(super) fn open(&mut self, encoding: Encoding) -> ConnId {
        self.open_with(encoding, true)
    }

    /// A socket that hasn't connected, and whether it is pinged by the client protocol.
    pub(super) fn open_with(&mut self, encoding: Encoding, sends_pings: bool) -> ConnId {
        self.next_conn += 1;
        let conn = ConnId(self.next_conn);
        self.encodings.insert(conn, encoding);
        self.input(Input::Open {
            conn,
            encoding,
            sends_pings,
        });
        conn
    }

    /// Commands in one message, each with its id.
    pub(super) fn send(
        &mut self,
        conn: ConnId,
        commands: impl IntoIterator<Item = (u32, Request)>,
    ) {
        let commands = commands
            .into_iter()
            .map(|(id, request)| Command { id, request });
        let commands: Vec<Command> = commands.collect();
        let frame = encode_commands(self.encodings[&conn], &commands).expect("JSON payloads");
        self.send_bytes(conn, frame);
    }

    pub(super) fn send_bytes(&mut self, conn: ConnId, frame: impl Into<Bytes>) {
        self.input(Input::Message {
            conn,
            data: frame.into(),
        });
    }

    pub(super) fn input(&mut self, input: Input) {
        self.worker.handle_input(self.now, input);
        self.settle();
    }

    pub(super) fn upstream(&mut self, message: ToWorker) {
        self.input(Input::Upstream(message));
    }

    pub(super) fn answer(&mut self, ticket: Ticket, answer: Answer) {
        self.upstream(ToWorker::Answer { ticket, answer });
    }

    pub(super) fn refuse(&mut self, ticket: Ticket, because: RefusedBecause) {
        self.answer(ticket, Answer::Refused(because));
    }

    /// Lets time pass; what is due happens at its very moment.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now.instant + time;
        while let Some((at, _)) = self.worker.poll_timeout().filter(|(at, _)| *at <= end) {
            self.move_to(at);
            self.worker.handle_timeout(self.now);
            self.settle();
        }
        self.move_to(end);
    }

    fn move_to(&mut self, at: Instant) {
        let instant = at.max(self.now.instant);
        self.now = Now {
            instant,
            unix: START.plus(instant.since(ORIGIN)),
        };
    }

    /// What upstream was told since the last call, room given back left out.
    pub(super) fn asked(&mut self) -> Vec<ToUpstream> {
        mem::take(&mut self.asked)
    }

    /// The ticket of the only request since the last call.
    #[track_caller]
    pub(super) fn ticket(&mut self) -> Ticket {
        let tickets = self.tickets();
        assert_eq!(tickets.len(), 1, "{tickets:?}");
        tickets[0]
    }

    /// The tickets of all requests since the last call, in order.
    pub(super) fn tickets(&mut self) -> Vec<Ticket> {
        self.asked().iter().filter_map(ticket_of).collect()
    }

    /// What a client has received since the last call, a line each.
    pub(super) fn lines(&mut self, conn: ConnId) -> Vec<String> {
        self.messages(conn).iter().map(describe).collect()
    }

    /// What a client has received since the last call.
    pub(super) fn messages(&mut self, conn: ConnId) -> Vec<ServerMessage> {
        let encoding = self.encodings[&conn];
        let frames = frames(self.received.remove(&conn).unwrap_or_default());
        let messages = frames
            .iter()
            .flat_map(|frame| decode_messages(encoding, frame));
        messages
            .map(|message| message.expect("a good frame"))
            .collect()
    }

    /// The code that a connection was closed with.
    pub(super) fn close_code(&self, conn: ConnId) -> Option<u16> {
        self.closed.get(&conn).copied()
    }

    /// What clients were refused since the last call.
    pub(super) fn refused(&mut self) -> Vec<Refusal> {
        mem::take(&mut self.refused)
    }

    pub(super) fn is_paused(&self, conn: ConnId) -> bool {
        self.paused.contains(&conn)
    }

    /// The socket takes nothing any more, or everything again.
    pub(super) fn stall(&mut self, conn: ConnId, is_stalled: bool) {
        if is_stalled {
            self.stalled.insert(conn);
        } else {
            self.stalled.remove(&conn);
            self.write(conn);
            self.settle();
        }
    }

    /// Performs outputs and writes dirty sockets until nothing is left to do.
    fn settle(&mut self) {
        loop {
            while let Some(output) = self.worker.poll_output() {
                self.perform(output);
            }
            let Some(conn) = self.worker.take_dirty() else {
                break;
            };
            self.write(conn);
        }
        assert_eq!(self.worker.check_invariants(), Ok(()));
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Upstream(ToUpstream::Consumed { .. }) => {}
            Output::Upstream(message) => self.asked.push(message),
            Output::Refused(refusal) => self.refused.push(refusal),
            Output::PauseReading { conn } => assert!(self.paused.insert(conn)),
            Output::ResumeReading { conn } => assert!(self.paused.remove(&conn)),
            Output::Close { conn, code, flush } => {
                assert!(!code.reason().is_empty());
                assert!(flush || self.worker.outbox(conn).next().is_none());
                assert_eq!(self.closed.insert(conn, code.code()), None, "closed twice");
                self.write(conn);
            }
        }
    }

    fn write(&mut self, conn: ConnId) {
        let frames: Vec<Bytes> = self.worker.outbox(conn).cloned().collect();
        let is_stalled = self.stalled.contains(&conn);
        let taken = if is_stalled {
            Vec::new()
        } else {
            frames.concat()
        };
        let blocked = is_stalled && !frames.is_empty();
        self.worker.written(self.now, conn, taken.len(), blocked);
        self.received.entry(conn).or_default().extend(taken);
    }
}

/// Cuts what a socket has taken into the messages of its frames.
fn frames(bytes: Vec<u8>) -> Vec<Bytes> {
    let mut bytes = Bytes::from(bytes);
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (header, length) = match bytes[1] {
            126 => (4, u64::from(u16::from_be_bytes([bytes[2], bytes[3]]))),
            127 => (
                10,
                u64::from_be_bytes(bytes[2..10].try_into().expect("eight bytes")),
            ),
            short => (2, u64::from(short)),
        };
        let mut frame = bytes.split_to(header + usize::try_from(length).expect("a small frame"));
        frames.push(frame.split_off(header));
    }
    frames
}

/// The ticket of a request.
pub(super) const fn ticket_of(message: &ToUpstream) -> Option<Ticket> {
    match message {
        ToUpstream::Subscribe { ticket, .. }
        | ToUpstream::Publish { ticket, .. }
        | ToUpstream::History { ticket, .. }
        | ToUpstream::RemoveHistory { ticket, .. }
        | ToUpstream::Presence { ticket, .. }
        | ToUpstream::PresenceStats { ticket, .. }
        | ToUpstream::Info { ticket, .. } => Some(*ticket),
        ToUpstream::Unsubscribe { .. }
        | ToUpstream::Joined { .. }
        | ToUpstream::Left { .. }
        | ToUpstream::Consumed { .. } => None,
    }
}

/// A channel's name.
pub(super) fn channel(name: &str) -> Channel {
    Channel::parse(name).expect("a valid name")
}
