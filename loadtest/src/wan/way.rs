//! A path at work: several tasks put into it, one takes out of it what has arrived, anyone may change it.

use std::sync::Mutex;
use std::time::Instant;

use tokio::sync::Notify;

use super::alarm::Alarm;
use super::config::PathConfig;
use super::lock;
use super::path::{Path, PathCounts};

/// Items given out at once, so that receiving gets its turn.
const BATCH_MAX: usize = 64;

/// One direction of a relay.
#[derive(Debug)]
pub(super) struct Way<T> {
    path: Mutex<Path<T>>,
    /// Something arrives earlier than the taker knows.
    sooner: Notify,
}

impl<T> Way<T> {
    pub(super) fn new(config: PathConfig, seed: u64) -> Self {
        Self {
            path: Mutex::new(Path::new(config, seed)),
            sooner: Notify::new(),
        }
    }

    pub(super) fn send(&self, now: Instant, bytes: usize, item: T) {
        let mut path = lock(&self.path);
        let next = path.poll_timeout();
        path.handle_input(now, bytes, item);
        if path.poll_timeout() != next {
            self.sooner.notify_one();
        }
    }

    /// Waits until something has arrived and appends it, at most a batch.
    pub(super) async fn arrived(&self, alarm: &Alarm, into: &mut Vec<T>) {
        loop {
            let next = self.take(into);
            if !into.is_empty() {
                return;
            }
            let Some(next) = next else {
                self.sooner.notified().await;
                continue;
            };
            tokio::select! {
                () = alarm.until(next) => {}
                () = self.sooner.notified() => {}
            }
        }
    }

    /// Takes what has arrived; when the next arrives.
    fn take(&self, into: &mut Vec<T>) -> Option<Instant> {
        let mut path = lock(&self.path);
        let now = Instant::now();
        let arrived = std::iter::from_fn(|| path.poll_output(now));
        into.extend(arrived.take(BATCH_MAX));
        path.poll_timeout()
    }

    /// Changes the path; the taker wakes by itself at times that no longer hold.
    pub(super) fn configure(&self, change: impl FnOnce(PathConfig) -> PathConfig) {
        let mut path = lock(&self.path);
        let config = change(path.config());
        path.configure(config);
    }

    pub(super) fn counts(&self) -> PathCounts {
        lock(&self.path).counts()
    }
}
