//! The connection of a client to its edge: what the system holds for it, and how fast the client reads.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use trunkline_protocol::DisconnectCode;
use trunkline_shared::Instant;

/// Names a socket; also the connection at its worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SocketId(pub(crate) u64);

/// A client's connection.
#[derive(Debug)]
pub(crate) struct Socket {
    /// Whose.
    pub(crate) client: usize,
    /// To which edge.
    pub(crate) edge: usize,
    /// Which life of it.
    pub(crate) life: u64,
    /// Which of its workers.
    pub(crate) worker: usize,
    /// The edge has it open.
    pub(crate) edge_open: bool,
    /// The client has it open.
    pub(crate) client_open: bool,
    /// The last write didn't take everything.
    pub(crate) blocked: bool,
    /// A reading of the buffer is planned.
    pub(crate) draining: bool,
    /// The edge closes it when what is queued is written.
    pub(crate) closing: Option<DisconnectCode>,
    /// Messages of the client under way, and the last one's arrival.
    pub(crate) to_edge: (VecDeque<Bytes>, Instant),
    /// Bytes of the edge under way, and the last one's arrival; `None` is the end.
    pub(crate) to_client: (VecDeque<Option<Bytes>>, Instant),
    buffer: BytesMut,
    capacity: usize,
}

impl Socket {
    /// Makes an open socket whose system buffer holds `capacity` bytes.
    pub(crate) fn new(client: usize, edge: (usize, u64, usize), capacity: usize) -> Self {
        Self {
            client,
            edge: edge.0,
            life: edge.1,
            worker: edge.2,
            edge_open: true,
            client_open: true,
            blocked: false,
            draining: false,
            closing: None,
            to_edge: (VecDeque::new(), Instant::ZERO),
            to_client: (VecDeque::new(), Instant::ZERO),
            buffer: BytesMut::new(),
            capacity,
        }
    }

    /// Takes what fits of some frames; how many bytes that were.
    pub(crate) fn write<'a>(&mut self, frames: impl Iterator<Item = &'a Bytes>) -> usize {
        let room = self.capacity.saturating_sub(self.buffer.len());
        let mut left = room;
        for frame in frames {
            let part = frame.len().min(left);
            self.buffer.extend_from_slice(&frame[..part]);
            left -= part;
            if left == 0 {
                break;
            }
        }
        room - left
    }

    /// Takes bytes whatever the buffer holds: the end of a closed connection.
    pub(crate) fn write_all(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Reads up to `bytes` of what the system holds.
    pub(crate) fn read(&mut self, bytes: usize) -> Bytes {
        let length = bytes.min(self.buffer.len());
        self.buffer.split_to(length).freeze()
    }

    /// Bytes that the system holds.
    pub(crate) fn buffered(&self) -> usize {
        self.buffer.len()
    }
}
