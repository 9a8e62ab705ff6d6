//! Sockets that are written to, and how long it took to reach them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::Instant;

use crate::client::Client;
use crate::frame::Frame;
use crate::latency::Latency;
use crate::payload;
use crate::socket::Socket;

/// Time without any delivery after which no more are waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often it is looked whether all have come.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Time after the last expected delivery in which one too many is still noticed.
const SETTLE: Duration = Duration::from_millis(200);

/// What subscribers of one thread have got since they were last asked.
#[derive(Debug)]
pub(crate) struct Received {
    latency: RefCell<Latency>,
    /// By subscriber.
    counts: RefCell<Vec<u64>>,
    bytes: Cell<u64>,
    lost: Cell<u64>,
}

impl Received {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self {
            latency: RefCell::new(Latency::new()),
            counts: RefCell::default(),
            bytes: Cell::new(0),
            lost: Cell::new(0),
        })
    }

    /// Forgets what came before.
    pub(crate) fn clear(&self) {
        self.latency.borrow_mut().clear();
        self.counts.borrow_mut().fill(0);
        self.bytes.set(0);
    }

    /// Bytes of a frame without its header, on average.
    pub(crate) fn frame_bytes(&self) -> usize {
        usize::try_from(self.bytes.get() / self.total().max(1)).unwrap_or(0)
    }

    pub(crate) fn micros(&self, percentile: f64) -> f64 {
        self.latency.borrow().micros(percentile)
    }

    /// Waits until each subscriber has so many deliveries; returns how many all have.
    ///
    /// # Errors
    /// When one is missing or doubled at any subscriber, or a connection was lost.
    pub(crate) async fn wait_for(&self, each: u64) -> Result<u64> {
        let (mut seen, mut since) = (self.total(), Instant::now());
        while !self.have(each) && since.elapsed() <= PATIENCE {
            tokio::time::sleep(LOOK_INTERVAL).await;
            if self.total() != seen {
                (seen, since) = (self.total(), Instant::now());
            }
        }
        tokio::time::sleep(SETTLE).await;
        let wrong = self
            .counts
            .borrow()
            .iter()
            .filter(|count| **count != each)
            .count();
        match (wrong, self.lost.get()) {
            (0, 0) => Ok(self.total()),
            (wrong, lost) => bail!(
                "{wrong} subscribers have more or less than {each} deliveries, {} in all; {lost} connections lost",
                self.total()
            ),
        }
    }

    fn total(&self) -> u64 {
        self.counts.borrow().iter().sum()
    }

    fn have(&self, each: u64) -> bool {
        self.counts.borrow().iter().all(|count| *count >= each)
    }

    /// Counts one more subscriber; returns its number.
    fn subscriber(&self) -> usize {
        let mut counts = self.counts.borrow_mut();
        counts.push(0);
        counts.len() - 1
    }

    fn note(&self, subscriber: usize, frame: Frame<'_>, now: u64) {
        let Some(sent) = payload::time_of(frame.payload) else {
            return;
        };
        self.latency
            .borrow_mut()
            .record_nanos(now.saturating_sub(sent));
        self.counts.borrow_mut()[subscriber] += 1;
        self.bytes
            .set(self.bytes.get() + frame.payload.len() as u64);
    }

    fn lose(&self, error: &anyhow::Error) {
        if self.lost.replace(self.lost.get() + 1) == 0 {
            eprintln!("loadtest: a subscriber ended: {error:#}");
        }
    }
}

/// Lets a subscribed client note what comes.
pub(crate) fn follow(mut client: Client, received: &Rc<Received>) {
    let (received, subscriber) = (Rc::clone(received), received.subscriber());
    tokio::task::spawn_local(async move {
        loop {
            let mut now = None;
            let read = client.frames(|frame| {
                received.note(subscriber, frame, *now.get_or_insert_with(payload::now));
            });
            if let Err(error) = read.await {
                return received.lose(&error);
            }
        }
    });
}

/// Lets a socket without a handshake note what comes, until the server ends it.
pub(crate) fn follow_bare(mut socket: Socket, received: &Rc<Received>) {
    let (received, subscriber) = (Rc::clone(received), received.subscriber());
    tokio::task::spawn_local(async move {
        loop {
            let mut now = None;
            let read = socket.read_frames(|frame| {
                received.note(subscriber, frame, *now.get_or_insert_with(payload::now));
            });
            if read.await.is_err() {
                return;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `wait_for(2)` says after each subscriber has got so many.
    async fn waited(got: &[u64]) -> Result<u64> {
        let received = Received::new();
        let payload = payload::sent_at(payload::now(), 64);
        for count in got {
            let subscriber = received.subscriber();
            for _ in 0..*count {
                let frame = Frame {
                    opcode: 1,
                    payload: &payload,
                    size: payload.len() + 2,
                };
                received.note(subscriber, frame, payload::now());
            }
        }
        received.wait_for(2).await
    }

    #[tokio::test(start_paused = true)]
    async fn all_have_all() {
        assert_eq!(waited(&[2, 2, 2]).await.expect("all came"), 6);
    }

    #[tokio::test(start_paused = true)]
    async fn one_missing_and_one_doubled_do_not_cancel_out() {
        assert!(waited(&[1, 3, 2]).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn one_too_many_is_a_failure() {
        assert!(waited(&[2, 2, 3]).await.is_err());
    }
}
