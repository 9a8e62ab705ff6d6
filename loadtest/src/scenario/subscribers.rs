//! Sockets that are written to, and how long it took to reach them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::client::Client;
use crate::frame::Frame;
use crate::latency::Latency;
use crate::payload;
use crate::socket::Socket;

/// Time without any delivery after which no more are waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often it is looked whether all have come.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// What subscribers of one thread have got since they were last asked.
#[derive(Debug)]
pub(crate) struct Received {
    latency: RefCell<Latency>,
    count: Cell<u64>,
    bytes: Cell<u64>,
    lost: Cell<u64>,
}

impl Received {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self {
            latency: RefCell::new(Latency::new()),
            count: Cell::new(0),
            bytes: Cell::new(0),
            lost: Cell::new(0),
        })
    }

    /// Forgets what came before.
    pub(crate) fn clear(&self) {
        self.latency.borrow_mut().clear();
        self.count.set(0);
        self.bytes.set(0);
    }

    /// Bytes of a frame without its header, on average.
    pub(crate) fn frame_bytes(&self) -> usize {
        usize::try_from(self.bytes.get() / self.count.get().max(1)).unwrap_or(0)
    }

    pub(crate) fn micros(&self, percentile: f64) -> f64 {
        self.latency.borrow().micros(percentile)
    }

    /// Waits until so many deliveries have come.
    ///
    /// # Errors
    /// When one is missing, or a connection was lost.
    pub(crate) async fn wait_for(&self, expected: u64) -> Result<()> {
        let (mut seen, mut since) = (self.count.get(), Instant::now());
        while self.count.get() < expected {
            tokio::time::sleep(LOOK_INTERVAL).await;
            if self.count.get() != seen {
                (seen, since) = (self.count.get(), Instant::now());
            }
            if since.elapsed() > PATIENCE {
                bail!("{seen} of {expected} deliveries came");
            }
        }
        match (self.count.get(), self.lost.get()) {
            (count, 0) if count == expected => Ok(()),
            (count, lost) => bail!("{count} deliveries, not {expected}; {lost} connections lost"),
        }
    }

    fn note(&self, frame: Frame<'_>, now: u64) {
        let Some(sent) = payload::time_of(frame.payload) else {
            return;
        };
        self.latency
            .borrow_mut()
            .record_nanos(now.saturating_sub(sent));
        self.count.set(self.count.get() + 1);
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
    let received = Rc::clone(received);
    tokio::task::spawn_local(async move {
        loop {
            let mut now = None;
            let read = client.frames(|frame| {
                received.note(frame, *now.get_or_insert_with(payload::now));
            });
            if let Err(error) = read.await {
                return received.lose(&error);
            }
        }
    });
}

/// Lets a socket without a handshake note what comes, until the server ends it.
pub(crate) fn follow_bare(mut socket: Socket, received: &Rc<Received>) {
    let received = Rc::clone(received);
    tokio::task::spawn_local(async move {
        loop {
            let mut now = None;
            let read = socket.read_frames(|frame| {
                received.note(frame, *now.get_or_insert_with(payload::now));
            });
            if read.await.is_err() {
                return;
            }
        }
    });
}
