//! Sockets between clients and edges: opening, writing, draining, closing.

use std::time::Duration;

use bytes::Bytes;
use trunkline_edge_core::worker::{ConnId, Input};
use trunkline_protocol::DisconnectCode;

use super::event::Event;
use super::{Covered, Mesh};
use crate::network::{Socket, SocketId};

/// How often the system hands bytes of a socket to the network.
const TICK: Duration = Duration::from_millis(10);

/// Bytes per second that a client reads which is not slow.
const FAST: u64 = 4_000_000;

impl Mesh {
    /// A client's dialing reaches an edge.
    pub(super) fn open_socket(&mut self, client: usize, edge: usize) {
        if !self.edges[edge].is_up() {
            return self.client_closed(client, None);
        }
        self.next_socket += 1;
        let id = SocketId(self.next_socket);
        let worker = self.dice.index(usize::from(self.scenario.edges[edge]));
        let place = (edge, self.edges[edge].life, worker);
        self.sockets.insert(
            id,
            Socket::new(client, place, self.scenario.tuning.socket_buffer),
        );
        let encoding = self.clients[client].plan.encoding;
        self.tell_worker(
            edge,
            worker,
            Input::Open {
                conn: ConnId(id.0),
                encoding,
                sends_pings: true,
            },
        );
        self.client_opened(client, id);
    }

    /// A client sends a message.
    pub(super) fn send_message(&mut self, id: SocketId, message: Bytes) {
        let at = self.now + self.client_delay();
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        let (queue, last) = &mut socket.to_edge;
        queue.push_back(message);
        *last = at.max(*last);
        self.agenda.plan(*last, Event::SocketMessage { socket: id });
    }

    /// A message of a client reaches its edge.
    pub(super) fn socket_message(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        let message = socket.to_edge.0.pop_front();
        if let Some(data) = message.filter(|_| socket.edge_open) {
            let (edge, worker) = (socket.edge, socket.worker);
            self.tell_worker(
                edge,
                worker,
                Input::Message {
                    conn: ConnId(id.0),
                    data,
                },
            );
        }
    }

    /// A client drops its connection; the edge sees it, or doesn't.
    pub(super) fn hang_up(&mut self, id: SocketId, silent: bool) {
        let delay = self.client_delay();
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.client_open = false;
            if !silent {
                self.plan(delay, Event::SocketGone { socket: id });
            }
        }
    }

    /// The edge sees that a client is gone.
    pub(super) fn socket_gone(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.remove(&id) else {
            return;
        };
        if socket.edge_open && self.edges[socket.edge].life == socket.life {
            self.tell_worker(
                socket.edge,
                socket.worker,
                Input::Closed { conn: ConnId(id.0) },
            );
        }
    }

    /// Writes what a connection's outbox holds, as much as the system takes.
    pub(super) fn flush(&mut self, id: SocketId) {
        let Some(mut socket) = self.sockets.remove(&id) else {
            return;
        };
        if let Some((worker, now)) = self
            .worker(socket.edge, socket.worker)
            .filter(|_| socket.edge_open)
        {
            let conn = ConnId(id.0);
            let waiting: usize = worker.outbox(conn).map(Bytes::len).sum();
            let taken = socket.write(worker.outbox(conn));
            socket.blocked = taken < waiting;
            worker.written(now, conn, taken, socket.blocked);
        }
        self.sockets.insert(id, socket);
        self.start_draining(id);
    }

    fn start_draining(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        let has_work = socket.buffered() > 0 || socket.closing.is_some();
        if has_work && !std::mem::replace(&mut socket.draining, has_work) {
            let fast = !self.clients[socket.client].reads_slowly;
            self.plan(
                if fast { Duration::ZERO } else { TICK },
                Event::SocketDrain { socket: id },
            );
        }
    }

    /// The system hands bytes of a socket to the network.
    pub(super) fn drain_socket(&mut self, id: SocketId) {
        let at = self.now + self.client_delay();
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        socket.draining = false;
        let slow = self.clients[socket.client].reads_slowly;
        let rate = if slow {
            self.scenario.tuning.slow_reader
        } else {
            FAST
        };
        let bytes = if socket.client_open { rate / 100 } else { 0 };
        let chunk = socket.read(usize::try_from(bytes.max(1)).expect("a small rate"));
        if !socket.client_open {
            return;
        }
        let (queue, last) = &mut socket.to_client;
        *last = at.max(*last);
        let last = *last;
        if !chunk.is_empty() {
            queue.push_back(Some(chunk));
            self.agenda.plan(last, Event::SocketBytes { socket: id });
        }
        self.after_drain(id, last);
    }

    fn after_drain(&mut self, id: SocketId, last: trunkline_shared::Instant) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        if socket.buffered() == 0 && socket.closing.is_some() {
            socket.to_client.0.push_back(None);
            return self.agenda.plan(last, Event::SocketBytes { socket: id });
        }
        let (edge, blocked) = (socket.edge, socket.blocked);
        if socket.buffered() > 0 {
            socket.draining = true;
            self.plan(TICK, Event::SocketDrain { socket: id });
        }
        if blocked {
            self.flush(id);
            self.drain_edge(edge);
        }
    }

    /// Bytes of a socket, or its end, reach the client.
    pub(super) fn socket_bytes(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        let Some(item) = socket.to_client.0.pop_front() else {
            return;
        };
        let client = socket.client;
        if !socket.client_open {
            return;
        }
        match item {
            Some(bytes) => self.client_bytes(client, &bytes),
            None => {
                let code = socket.closing.take();
                self.sockets.remove(&id);
                self.client_closed(client, code.as_ref());
            }
        }
    }

    /// A worker closes a connection, with what its outbox still holds or without.
    pub(super) fn close_socket(&mut self, id: SocketId, code: DisconnectCode, flush: bool) {
        self.note(|| format!("{id:?} closes: {code:?}"));
        if code == DisconnectCode::Slow {
            self.coverage.count(Covered::Slow3008);
        }
        let Some(mut socket) = self.sockets.remove(&id) else {
            return;
        };
        let (edge, number) = (socket.edge, socket.worker);
        if let Some((worker, _)) = self.worker(edge, number) {
            for frame in worker.outbox(ConnId(id.0)).filter(|_| flush) {
                socket.write_all(frame);
            }
        }
        socket.edge_open = false;
        socket.closing = Some(code);
        self.sockets.insert(id, socket);
        self.start_draining(id);
        self.tell_worker(edge, number, Input::Closed { conn: ConnId(id.0) });
    }

    /// The process of an edge is gone, and its sockets with it.
    pub(super) fn cut_sockets(&mut self, edge: usize) {
        let of_edge = |(_, socket): &(&SocketId, &Socket)| socket.edge == edge;
        let ids: Vec<SocketId> = self
            .sockets
            .iter()
            .filter(of_edge)
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            let socket = self.sockets.remove(&id).expect("found just now");
            if socket.client_open {
                self.client_closed(socket.client, None);
            }
        }
    }

    pub(super) fn client_delay(&mut self) -> Duration {
        let (low, high) = self.scenario.tuning.client_delay;
        self.dice.micros(low, high)
    }
}
