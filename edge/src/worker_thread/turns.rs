//! The loop of a worker's thread: takes what has come, does what is due, then writes every dirty socket once.

use std::rc::Rc;

use tokio::sync::mpsc;
use tokio::time::Instant;
use trunkline_edge_core::worker::Input;
use trunkline_shared::limits::{BYTES_BETWEEN_WRITES, PUBLICATIONS_BETWEEN_WRITES};

use super::{CLOSE_TIMEOUT, ToThread, WorkerThread};
use crate::timer::until;

/// Sockets written before other work has its turn.
///
/// More than the connections' tasks can make ready to write between two turns: else a flood of pings would keep the
/// inbox waiting, since it is read again when all is written.
const WRITES_AT_ONCE: usize = 1024;

/// What may still be taken from upstream before every dirty socket has been written once.
struct Room {
    messages: usize,
    bytes: usize,
}

impl Room {
    const WHOLE: Self = Self {
        messages: PUBLICATIONS_BETWEEN_WRITES,
        bytes: BYTES_BETWEEN_WRITES,
    };

    const fn is_used_up(&self) -> bool {
        self.messages == 0 || self.bytes == 0
    }

    const fn take(&mut self, bytes: usize) {
        self.messages -= 1;
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

impl WorkerThread {
    /// Runs until a drain has ended or nobody can tell it anything any more.
    pub(crate) async fn run(self: Rc<Self>, mut inbox: mpsc::UnboundedReceiver<ToThread>) {
        let (mut give_up, mut room) = (None, Room::WHOLE);
        loop {
            self.take_batch(&mut inbox, &mut give_up, &mut room);
            self.input_if_due();
            let more = self.write_some();
            if !more {
                room = Room::WHOLE;
            }
            if more || !inbox.is_empty() {
                tokio::task::yield_now().await;
                continue;
            }
            if give_up.is_some_and(|at| self.is_drained() || Instant::now() >= at) {
                return;
            }
            tokio::select! {
                message = inbox.recv() => match message {
                    Some(message) => room.take(self.take(message, &mut give_up)),
                    None => return,
                },
                () = self.wake.notified() => {}
                () = self.until_due() => {}
                () = until(give_up) => {}
            }
        }
    }

    /// Takes what has come from upstream, as far as there is room.
    fn take_batch(
        &self,
        inbox: &mut mpsc::UnboundedReceiver<ToThread>,
        give_up: &mut Option<Instant>,
        room: &mut Room,
    ) {
        while !room.is_used_up() {
            let Ok(message) = inbox.try_recv() else { break };
            room.take(self.take(message, give_up));
        }
    }

    /// Takes one message; returns what it weighs.
    fn take(&self, message: ToThread, give_up: &mut Option<Instant>) -> usize {
        match message {
            ToThread::Upstream(message) => {
                let weight = message.weight();
                self.input(Input::Upstream(message));
                weight
            }
            ToThread::Drain { over } => {
                *give_up = Some(Instant::now() + over + CLOSE_TIMEOUT);
                self.input(Input::Drain { over });
                0
            }
            ToThread::Report(reply) => {
                drop(reply.send(self.report()));
                0
            }
            ToThread::Users(reply) => {
                drop(reply.send(self.user_hashes()));
                0
            }
        }
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

    async fn until_due(&self) {
        let due = self.machine.borrow().poll_timeout();
        until(due.map(|(at, _)| self.clock.to_tokio(at))).await;
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
}
