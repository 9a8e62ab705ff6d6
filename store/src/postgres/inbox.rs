//! What waits for a connection: a bounded queue that takes nothing in while no connection works on it.

use std::sync::Mutex;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::queue::{Cost, Queue, Refusal};

/// A queue between callers and one or more connections.
#[derive(Debug)]
pub(super) struct Inbox<T> {
    queue: Queue<T>,
    changed: Notify,
    ended: CancellationToken,
    connections: Mutex<usize>,
}

impl<T> Inbox<T> {
    /// Makes one without connections: it is closed.
    pub(super) fn new(limit: Cost, ended: CancellationToken) -> Self {
        let queue = Queue::new(limit);
        queue.close();
        Self {
            queue,
            changed: Notify::new(),
            ended,
            connections: Mutex::new(0),
        }
    }

    /// Adds an entry, or gives it back.
    pub(super) fn push(&self, item: T, cost: Cost) -> Result<(), Refusal<T>> {
        self.queue.push(item, cost)?;
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for entries and takes what has queued, up to a bound, at least one; `None` when stopped and empty.
    pub(super) async fn take(&self, bound: Cost) -> Option<Vec<T>> {
        loop {
            let taken = self.queue.try_take(bound)?;
            if !taken.is_empty() {
                // What is left is for the next connection that waits.
                if self.waiting().units > 0 {
                    self.changed.notify_one();
                }
                return Some(taken);
            }
            tokio::select! {
                () = self.changed.notified() => {}
                () = self.ended.cancelled() => self.queue.stop(),
            }
        }
    }

    /// A connection begins to work on it.
    pub(super) fn attach(&self) {
        *self.connections() += 1;
        self.queue.reopen();
    }

    /// A connection is lost; after the last one nothing is taken in, and what waits is given back.
    pub(super) fn detach(&self) -> Vec<T> {
        let mut connections = self.connections();
        *connections -= 1;
        if *connections == 0 {
            self.queue.close()
        } else {
            Vec::new()
        }
    }

    fn connections(&self) -> std::sync::MutexGuard<'_, usize> {
        self.connections
            .lock()
            .expect("nothing panics while it holds this lock")
    }

    /// Takes nothing in any more; what waits is still worked on.
    pub(super) fn stop(&self) {
        self.queue.stop();
    }

    /// What waits.
    pub(super) fn waiting(&self) -> Cost {
        self.queue.waiting()
    }
}
