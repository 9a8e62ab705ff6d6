//! How late this machine was, by a clock that nothing else disturbs: a task that only sleeps.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::{AbortHandle, spawn_local};
use tokio::time::{Instant, sleep_until};

/// How long it sleeps.
const NAP: Duration = Duration::from_millis(10);

/// Sleeps again and again until it is dropped.
#[derive(Debug)]
pub(super) struct Lateness {
    most: Rc<Cell<Duration>>,
    work: AbortHandle,
}

impl Lateness {
    /// Measures from now on.
    pub(super) fn measure() -> Self {
        let most = Rc::<Cell<Duration>>::default();
        let work = spawn_local(nap(Rc::clone(&most))).abort_handle();
        Self { most, work }
    }

    /// By how much it woke too late at the worst.
    pub(super) fn most(&self) -> Duration {
        self.most.get()
    }
}

impl Drop for Lateness {
    fn drop(&mut self) {
        self.work.abort();
    }
}

async fn nap(most: Rc<Cell<Duration>>) {
    loop {
        let due = Instant::now() + NAP;
        sleep_until(due).await;
        most.set(most.get().max(due.elapsed()));
    }
}
