//! The account of a queue between links and a machine: what makes reading wait when the machine is behind.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Bytes handed to a machine that it has not worked on yet, against a limit.
///
/// While it is over its limit the streams that feed it aren't read, so that QUIC's windows fill and the peer's queues
/// say what happens: pushes go lagging, ephemeral publications are dropped, publishes are refused. That can't lock up:
/// a machine never waits for a link.
#[derive(Debug)]
pub struct Inbox {
    bytes: AtomicUsize,
    limit: usize,
    room: Notify,
}

impl Inbox {
    /// Makes an empty one; `limit` in bytes of [`LinkFrame::weight`](crate::LinkFrame::weight).
    pub fn new(limit: usize) -> Self {
        Self {
            bytes: AtomicUsize::new(0),
            limit,
            room: Notify::new(),
        }
    }

    /// Counts what is handed over. It is never refused: one batch of each stream may go beyond the limit.
    pub fn add(&self, weight: usize) {
        self.bytes.fetch_add(weight, Ordering::AcqRel);
    }

    /// Counts what the machine has worked on.
    ///
    /// # Panics
    /// When more is taken than was added.
    pub fn taken(&self, weight: usize) {
        let before = self.bytes.fetch_sub(weight, Ordering::AcqRel);
        assert!(before >= weight, "an inbox gives what it never got");
        if before > self.limit && before - weight <= self.limit {
            self.room.notify_waiters();
        }
    }

    /// Whether reading has to wait.
    pub fn is_full(&self) -> bool {
        self.bytes() > self.limit
    }

    /// Bytes that wait.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Acquire)
    }

    /// Resolves when it isn't full.
    pub async fn wait_for_room(&self) {
        loop {
            let room = self.room.notified();
            if !self.is_full() {
                return;
            }
            room.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_goes_on_when_enough_was_taken() {
        let inbox = Inbox::new(10);
        inbox.wait_for_room().await;
        inbox.add(25);
        assert!(inbox.is_full());
        inbox.taken(5);
        let waits = inbox.wait_for_room();
        let takes = async {
            tokio::task::yield_now().await;
            inbox.taken(10);
        };
        tokio::join!(waits, takes);
        assert_eq!(inbox.bytes(), 10);
    }
}
