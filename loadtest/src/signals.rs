//! What ends a measurement from outside: SIGINT and SIGTERM, which leave time to put things right first.

use std::future::Future;
use std::io;

use anyhow::{Result, bail};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Both signals. From the first value on neither ends the process by itself.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for a signal and says which it was; may be dropped while it waits.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "interrupted",
            _ = self.terminate.recv() => "terminated",
        }
    }

    /// Waits for `work`, which is dropped at a signal.
    ///
    /// # Errors
    /// Its own, or that a signal came first.
    pub(crate) async fn or<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            done = work => done,
            signal = self.next() => bail!(signal),
        }
    }
}
