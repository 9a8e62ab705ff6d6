//! One WebSocket on its worker's thread: its socket, what its writer remembers, and how far its end has come.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::io::{AsyncRead, ReadBuf};
use trunkline_edge_core::worker::ConnId;

use crate::gate::Permit;
use crate::socket::ClientStream;
use crate::writer::{Writer, Written};

/// How far a connection's end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It hasn't begun.
    Open,
    /// Our Close frame is written or about to be; what the client says is only looked through for its own.
    Closing,
    /// The client has broken the protocol and our Close frame says so; what it says isn't looked at.
    Broken,
    /// The client has closed; when its echo is written the socket goes.
    Echoing,
    /// The socket goes.
    Over,
}

/// One WebSocket.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnId,
    stream: RefCell<ClientStream>,
    writer: RefCell<Writer>,
    phase: Cell<Phase>,
    paused: Cell<bool>,
    blocked: Cell<bool>,
    /// It waits to be written whatever its outbox has.
    waits_for_write: Cell<bool>,
    /// Something was read since [`Self::take_heard`].
    heard: Cell<bool>,
    waker: RefCell<Option<Waker>>,
    _permit: Permit,
}

/// What a connection's task has to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// So many bytes were read.
    Read(usize),
    /// The socket takes bytes again.
    Writable,
    /// The connection is over.
    Over,
}

impl Connection {
    pub(crate) fn new(id: ConnId, stream: ClientStream, permit: Permit) -> Self {
        Self {
            id,
            stream: RefCell::new(stream),
            writer: RefCell::default(),
            phase: Cell::new(Phase::Open),
            paused: Cell::new(false),
            blocked: Cell::new(false),
            waits_for_write: Cell::new(false),
            heard: Cell::new(false),
            waker: RefCell::default(),
            _permit: permit,
        }
    }

    /// Waits for the next event; bytes are read into `buffer`.
    pub(crate) fn poll_event(&self, ctx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Event> {
        self.register(ctx.waker());
        if self.phase.get() == Phase::Over {
            return Poll::Ready(Event::Over);
        }
        if self.blocked.get() && self.stream.borrow().poll_write_ready(ctx).is_ready() {
            self.blocked.set(false);
            return Poll::Ready(Event::Writable);
        }
        if self.paused.get() {
            return Poll::Pending;
        }
        self.poll_read(ctx, buffer)
    }

    fn poll_read(&self, ctx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Event> {
        let mut buffer = ReadBuf::new(buffer);
        let poll = Pin::new(&mut *self.stream.borrow_mut()).poll_read(ctx, &mut buffer);
        poll.map(|result| match (result, buffer.filled().len()) {
            (Ok(()), count @ 1..) => {
                self.heard.set(true);
                Event::Read(count)
            }
            (Ok(()) | Err(_), _) => Event::Over,
        })
    }

    fn register(&self, waker: &Waker) {
        let mut slot = self.waker.borrow_mut();
        match &mut *slot {
            Some(known) => known.clone_from(waker),
            None => *slot = Some(waker.clone()),
        }
    }

    fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }

    /// Writes its own control frames and `frames`, as much as the socket takes.
    pub(crate) fn write<'a>(&self, frames: impl Iterator<Item = &'a Bytes>) -> io::Result<Written> {
        self.waits_for_write.set(false);
        let written = self
            .writer
            .borrow_mut()
            .write(&mut *self.stream.borrow_mut(), frames)?;
        self.blocked.set(written.blocked);
        if written.blocked {
            self.wake();
        } else if self.phase.get() == Phase::Echoing {
            self.end();
        }
        Ok(written)
    }

    /// Notes that it is to be written; false when that was known.
    pub(crate) fn wait_for_write(&self) -> bool {
        !self.waits_for_write.replace(true)
    }

    /// Adds control frames to what is written next.
    pub(crate) fn push_control(&self, frames: &[u8]) {
        self.writer.borrow_mut().push_control(frames);
    }

    /// Begins the end with a Close frame of ours, behind the frames that wait.
    pub(crate) fn close(&self, code: u16, reason: &str) {
        self.begin_end(Phase::Closing);
        self.writer.borrow_mut().push_close(code, reason);
    }

    /// As [`Self::close`], when the frames that waited are gone: none can follow half of one.
    pub(crate) fn close_now(&self, code: u16, reason: &str) {
        self.close(code, reason);
        self.end_if_mid_frame();
    }

    /// As [`Self::close_now`], for a client whose bytes make no sense any more.
    pub(crate) fn close_broken(&self, code: u16, reason: &str) {
        self.close_now(code, reason);
        self.begin_end(Phase::Broken);
    }

    /// The client has closed; its echo is among the control frames.
    pub(crate) fn on_peer_close(&self) {
        match self.phase.get() {
            Phase::Open => {
                self.begin_end(Phase::Echoing);
                self.end_if_mid_frame();
            }
            Phase::Closing | Phase::Broken | Phase::Echoing | Phase::Over => self.end(),
        }
    }

    fn begin_end(&self, phase: Phase) {
        if self.phase.get() != Phase::Over {
            self.phase.set(phase);
            self.set_paused(false);
        }
    }

    fn end_if_mid_frame(&self) {
        if self.writer.borrow().is_mid_frame() {
            self.end();
        }
    }

    /// Lets the socket go.
    pub(crate) fn end(&self) {
        self.phase.set(Phase::Over);
        self.wake();
    }

    /// Says on the socket that nothing follows.
    pub(crate) fn say_end(&self) {
        self.stream.borrow_mut().say_end();
    }

    /// Stops or goes on reading; one that is about to end is always read.
    pub(crate) fn set_paused(&self, paused: bool) {
        self.paused.set(paused && self.phase.get() == Phase::Open);
        self.wake();
    }

    /// Whether what the client says is still looked at.
    pub(crate) fn is_read(&self) -> bool {
        matches!(self.phase.get(), Phase::Open | Phase::Closing)
    }

    /// Whether its end hasn't begun.
    pub(crate) fn is_open(&self) -> bool {
        self.phase.get() == Phase::Open
    }

    /// Whether anything was read since the last call.
    pub(crate) fn take_heard(&self) -> bool {
        self.heard.replace(false)
    }
}
