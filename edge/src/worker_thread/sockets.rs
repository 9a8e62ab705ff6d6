//! Sockets of a worker's thread: opened, read, written, closed.

use std::rc::Rc;

use bytes::Bytes;
use trunkline_edge_core::worker::{ConnId, Input};
use trunkline_protocol::{DisconnectCode, Encoding};

use super::{CLOSE_TIMEOUT, WorkerThread};
use crate::connection::Connection;
use crate::gate::Permit;
use crate::reader::{ReadEnd, Reader};
use crate::socket::ClientStream;

impl WorkerThread {
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
        if *end == ReadEnd::TooBig {
            self.gate.refusals().too_big();
        }
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

    pub(super) fn write(&self, conn: ConnId) {
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

    pub(super) fn on_close(&self, conn: ConnId, code: &DisconnectCode, flush: bool) {
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

    /// Closes a connection for a reason that the machine doesn't know.
    pub(crate) fn hang_up(&self, connection: &Rc<Connection>, code: &DisconnectCode) {
        self.input(Input::Closed {
            conn: connection.id,
        });
        connection.close_now(code.code(), code.reason());
        self.write_later(connection.id);
        end_in_time(connection);
    }

    /// Forgets a connection whose socket is gone.
    pub(crate) fn forget(&self, conn: ConnId) {
        self.connections.borrow_mut().remove(&conn);
        self.input(Input::Closed { conn });
        self.wake.notify_one();
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
