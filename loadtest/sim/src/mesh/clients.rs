//! Clients and what they do to the mesh.

use bytes::Bytes;
use trunkline_protocol::DisconnectCode;

use super::Mesh;
use super::event::Event;
use crate::client::{Act, Around, Client};
use crate::network::SocketId;

impl Mesh {
    /// Lets a client do something, and does to the mesh what it wants.
    pub(super) fn with_client(
        &mut self,
        number: usize,
        f: impl FnOnce(&mut Client, &mut Around<'_>),
    ) {
        let mut ended_tries = Vec::new();
        let mut around = Around {
            now: self.now,
            record: &mut self.record,
            ended_tries: &mut ended_tries,
            coverage: &mut self.coverage,
            tamper: &mut self.tamper,
            trace: &mut self.trace,
        };
        let client = &mut self.clients[number];
        f(client, &mut around);
        let acts = client.take_acts();
        for act in acts {
            self.act(number, act);
        }
        self.arm_client(number);
        for (place, end) in ended_tries {
            self.end_try(place, end);
        }
    }

    fn act(&mut self, client: usize, act: Act) {
        match act {
            Act::Dial { edge } => {
                let delay = self.client_delay();
                self.plan(delay, Event::SocketOpen { client, edge });
            }
            Act::Send(message) => {
                if let Some(socket) = self.clients[client].socket {
                    self.send_message(socket, message);
                }
            }
            Act::HangUp { silent } => {
                if let Some(socket) = self.clients[client].socket.take() {
                    self.hang_up(socket, silent);
                }
            }
        }
    }

    pub(super) fn arm_client(&mut self, number: usize) {
        let client = &mut self.clients[number];
        let at = client.wake().max(self.now);
        if client.armed.is_none_or(|armed| at < armed) {
            client.armed = Some(at);
            self.agenda.plan(at, Event::Client { client: number });
        }
    }

    pub(super) fn wake_client(&mut self, number: usize) {
        if self.clients[number].armed == Some(self.now) {
            self.clients[number].armed = None;
            self.with_client(number, Client::on_timer);
        }
    }

    pub(super) fn client_opened(&mut self, number: usize, socket: SocketId) {
        self.note(|| format!("client {number} opens {socket:?}"));
        self.clients[number].socket = Some(socket);
        self.with_client(number, Client::on_open);
    }

    pub(super) fn client_closed(&mut self, number: usize, code: Option<&DisconnectCode>) {
        self.note(|| format!("client {number} is closed: {code:?}"));
        self.clients[number].socket = None;
        self.with_client(number, |client, around| client.on_closed(around, code));
    }

    pub(super) fn client_bytes(&mut self, number: usize, bytes: &Bytes) {
        self.with_client(number, |client, around| client.on_bytes(around, bytes));
    }

    pub(super) fn come_back(&mut self, number: usize, channel: usize) {
        self.with_client(number, |client, around| client.come_back(around, channel));
    }

    pub(super) fn slow(&mut self, number: usize, slow: bool) {
        self.clients[number].reads_slowly = slow && self.now < self.scenario.calm;
    }
}
