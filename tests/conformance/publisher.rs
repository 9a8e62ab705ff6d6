//! A publisher that goes on until it is told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::api::Api;
use super::mesh::Edge;
use crate::harness::wait_until;

/// Publishes 1, 2, 3 … to a new channel by the server API.
pub(super) struct Publisher {
    stop: Sender<()>,
    published: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Publisher {
    /// Begins; the publishes are `pace` apart, or as far as the answers are.
    pub(super) fn start(edge: Edge, to: &str, pace: Duration) -> Self {
        let (stop, stopped) = channel::<()>();
        let published = Arc::new(AtomicU64::new(0));
        let (api, to, count) = (Api::of(edge), to.to_owned(), Arc::clone(&published));
        let thread = thread::spawn(move || {
            let mut due = Instant::now();
            for n in 1.. {
                api.publish(&to, n);
                count.store(n, Ordering::Release);
                due += pace;
                let wait = due.saturating_duration_since(Instant::now());
                if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        });
        Self {
            stop,
            published,
            thread,
        }
    }

    /// How many were acknowledged so far.
    pub(super) fn published(&self) -> u64 {
        self.published.load(Ordering::Acquire)
    }

    /// Waits until `count` more are acknowledged than now.
    pub(super) fn go_on(&self, count: u64) {
        let goal = self.published() + count;
        wait_until("the publisher", || (self.published() >= goal).then_some(()));
    }

    /// Stops, and returns the offset of the last.
    pub(super) fn stop(self) -> u64 {
        drop(self.stop);
        self.thread.join().expect("each publish was acknowledged");
        self.published.load(Ordering::Acquire)
    }
}
