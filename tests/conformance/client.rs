//! A client that compares: it asks, and hands out whole replies and pushes in the order they came.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use serde_json::{Value, json};
use trunkline_protocol::Encoding;

use super::checks::{check_close, error, take_times};
use super::mesh::{Edge, mesh};
use super::socket::{Event, Handshake, Socket};
use crate::harness::PATIENCE;

/// A WebSocket on which commands are numbered.
pub(super) struct Client {
    pub(super) socket: Socket,
    /// The connection's id; empty before `connect`.
    pub(super) id: String,
    last_command: u32,
    pushes: VecDeque<Value>,
}

/// How a server closed.
#[derive(Debug)]
pub(super) struct Closed {
    pub(super) code: u16,
    pub(super) reason: String,
    pub(super) at: Instant,
}

impl Client {
    /// A WebSocket without `connect`.
    pub(super) fn open(edge: Edge, encoding: Encoding) -> Self {
        Self::open_with(edge, encoding, true)
    }

    /// A WebSocket whose pings nobody answers.
    pub(super) fn open_silent(edge: Edge, encoding: Encoding) -> Self {
        Self::open_with(edge, encoding, false)
    }

    fn open_with(edge: Edge, encoding: Encoding, answers_pings: bool) -> Self {
        let subprotocol = match encoding {
            Encoding::Json => None,
            Encoding::Protobuf => Some("centrifuge-protobuf"),
        };
        let handshake = Handshake {
            address: mesh().address(edge),
            subprotocol,
            answers_pings,
        };
        let (socket, header) = handshake.open(encoding);
        assert!(header.starts_with("http/1.1 101"), "{header}");
        Self::new(socket)
    }

    pub(super) const fn new(socket: Socket) -> Self {
        Self {
            socket,
            id: String::new(),
            last_command: 0,
            pushes: VecDeque::new(),
        }
    }

    /// An anonymous connection to the edge with the profile "fast".
    pub(super) fn anonymous(encoding: Encoding) -> Self {
        let mut client = Self::open(Edge::Fast, encoding);
        client.connect(&json!({}));
        client
    }

    /// A user's connection to the edge with the profile "fast".
    pub(super) fn user(encoding: Encoding, user: &str) -> Self {
        Self::user_at(Edge::Fast, encoding, user)
    }

    /// A user's connection.
    pub(super) fn user_at(edge: Edge, encoding: Encoding, user: &str) -> Self {
        let mut client = Self::open(edge, encoding);
        client.connect(&json!({ "token": super::token::user(user) }));
        client
    }

    /// Connects and remembers the id that it was given; returns the result.
    pub(super) fn connect(&mut self, request: &Value) -> Value {
        let reply = self.ask(json!({ "connect": request }));
        let id = reply["connect"]["client"].as_str();
        self.id = id.unwrap_or_else(|| panic!("{reply}")).to_owned();
        reply["connect"].clone()
    }

    /// Sends commands, with the ids that they have, in one message.
    pub(super) fn send(&self, commands: &[Value]) {
        let message = super::wire::encode(self.socket.encoding, commands);
        self.socket.send_message(&message);
    }

    /// Sends one command under the next id, which is returned.
    pub(super) fn begin(&mut self, mut request: Value) -> u32 {
        self.last_command += 1;
        request["id"] = self.last_command.into();
        self.send(&[request]);
        self.last_command
    }

    /// As [`Self::ask`], with an id of the caller's.
    pub(super) fn ask_as(&mut self, id: u32, request: Value) -> Value {
        self.last_command = id - 1;
        self.ask(request)
    }

    /// Sends one command and returns its reply without the id.
    pub(super) fn ask(&mut self, request: Value) -> Value {
        let id = self.begin(request);
        self.reply(id)
    }

    /// The reply to a command, without the id; pushes that came before it are kept.
    pub(super) fn reply(&mut self, id: u32) -> Value {
        loop {
            let mut message = self.arrived();
            if message.get("push").is_some() {
                self.pushes.push_back(message);
                continue;
            }
            assert_eq!(message["id"], id, "{message}");
            message.as_object_mut().expect("an object").remove("id");
            return message;
        }
    }

    /// The next message as it came, whatever it is, without the times of its publications; pings are passed over.
    pub(super) fn arrived(&mut self) -> Value {
        match self.event() {
            Event::Message(mut message) => {
                take_times(&mut message);
                message
            }
            other @ (Event::Ping { .. } | Event::Closed { .. }) => {
                panic!("{other:?} instead of a message")
            }
        }
    }

    /// What the next push says: its kind, with the channel that it must be of taken out.
    pub(super) fn push(&mut self, channel: &str) -> Value {
        let kept = self.pushes.pop_front();
        let mut message = kept.unwrap_or_else(|| self.arrived());
        let whole = message.to_string();
        let object = message.as_object_mut().expect("an object");
        let mut push = object
            .remove("push")
            .unwrap_or_else(|| panic!("{whole} is no push"));
        assert!(object.is_empty(), "{whole}");
        assert_eq!(push["channel"], channel, "{whole}");
        push.as_object_mut().expect("an object").remove("channel");
        push
    }

    /// The next ping: its WebSocket message, and when it came.
    pub(super) fn ping(&mut self) -> (Bytes, Instant) {
        match self.socket.events.recv_timeout(PATIENCE) {
            Ok(Event::Ping { bytes, at }) => (bytes, at),
            other => panic!("{other:?} instead of a ping"),
        }
    }

    /// Everything that was to be delivered before this call has been: nothing was.
    ///
    /// The answer to a command is queued behind it.
    pub(super) fn expect_silence(&mut self) {
        let reply = self.ask(json!({ "rpc": { "method": "fence" } }));
        assert_eq!(reply, error(108, "not available"));
        assert_eq!(self.pushes, VecDeque::<Value>::new());
    }

    /// How the server closes, with nothing but pings before it; F-07 holds for each.
    pub(super) fn closed(&mut self) -> Closed {
        match self.event() {
            Event::Closed { code, reason, at } => {
                check_close(code, &reason);
                Closed { code, reason, at }
            }
            other @ (Event::Ping { .. } | Event::Message(_)) => {
                panic!("{other:?} instead of a close")
            }
        }
    }

    /// The server closes with exactly this.
    pub(super) fn expect_close(&mut self, code: u16, reason: &str) -> Instant {
        let closed = self.closed();
        assert_eq!((closed.code, closed.reason.as_str()), (code, reason));
        closed.at
    }

    fn event(&mut self) -> Event {
        loop {
            match self.socket.events.recv_timeout(PATIENCE) {
                Ok(Event::Ping { .. }) => {}
                Ok(event) => return event,
                Err(error) => panic!("nothing came: {error}"),
            }
        }
    }
}
