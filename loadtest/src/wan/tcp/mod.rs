//! A relay of TCP connections, on a thread of its own.

mod connection;
mod stream;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::config::{PathConfig, WanConfig};
use super::thread::RelayThread;

/// Connections that a relay carries at the same time; others wait to be accepted.
pub const CONNECTIONS_MAX: usize = 1024;

/// Pause after the system has refused a connection, as it does without a free descriptor.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// A TCP relay: what is written to a connection with it arrives at its target after the delay of the way up, and back.
///
/// Each connection is a link of its own: bytes keep their order and none are lost, so [`PathConfig::loss`] and
/// [`PathConfig::reorder`] mean nothing here, and a full queue makes the writer wait. A cut holds bytes back until it heals,
/// as TCP would send them again. The end of each direction comes as late as its bytes; a reset comes at once, and so does
/// the handshake of a connection. A client that ends its half in a cut, before its target is dialled, is closed: most have
/// gone then, and none of them keeps a place. Times are whole milliseconds, rounded up. Dropping the relay stops it and its connections.
#[derive(Debug)]
pub struct TcpRelay {
    address: SocketAddr,
    config: watch::Sender<WanConfig>,
    counts: Arc<Counts>,
    _thread: RelayThread,
}

/// What a TCP relay has carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpCounts {
    /// Bytes written to the target.
    pub up_bytes: u64,
    /// Bytes written back.
    pub down_bytes: u64,
    /// Connections it carries now.
    pub connections: usize,
}

/// The same, while it changes.
#[derive(Debug, Default)]
struct Counts {
    up_bytes: AtomicU64,
    down_bytes: AtomicU64,
    connections: AtomicUsize,
}

impl TcpRelay {
    /// Starts a relay at `listen`, whose port may be 0. The seed decides about jitter.
    ///
    /// # Errors
    /// When the address is taken, or no thread can be started.
    pub fn start(
        listen: SocketAddr,
        target: SocketAddr,
        config: WanConfig,
        seed: u64,
    ) -> io::Result<Self> {
        let counts = Arc::new(Counts::default());
        let (sender, config) = watch::channel(config);
        let relay = Relay {
            target,
            config,
            seed,
            counts: Arc::clone(&counts),
        };
        let (thread, address) = RelayThread::start("tcp relay", move || {
            let listener = std::net::TcpListener::bind(listen)?;
            listener.set_nonblocking(true)?;
            let listener = TcpListener::from_std(listener)?;
            Ok((listener.local_addr()?, relay.run(listener)))
        })?;
        Ok(Self {
            address,
            config: sender,
            counts,
            _thread: thread,
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what links are like, for bytes that come from now on; a cut holds for those under way too.
    pub fn set(&self, config: WanConfig) {
        self.config.send_replace(config);
    }

    /// Cuts both directions, or heals them.
    pub fn cut(&self, cut: bool) {
        self.config.send_modify(|config| {
            for path in [&mut config.up, &mut config.down] {
                *path = PathConfig { cut, ..*path };
            }
        });
    }

    /// What it has carried so far.
    pub fn counts(&self) -> TcpCounts {
        TcpCounts {
            up_bytes: self.counts.up_bytes.load(Ordering::Relaxed),
            down_bytes: self.counts.down_bytes.load(Ordering::Relaxed),
            connections: self.counts.connections.load(Ordering::Relaxed),
        }
    }
}

/// What its connections share.
#[derive(Clone, Debug)]
struct Relay {
    target: SocketAddr,
    config: watch::Receiver<WanConfig>,
    seed: u64,
    counts: Arc<Counts>,
}

impl Relay {
    async fn run(self, listener: TcpListener) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut seed = self.seed;
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            let client = accept(&listener).await;
            seed = seed.wrapping_add(1);
            let (relay, seed) = (self.clone(), seed);
            tokio::spawn(async move {
                // A connection that breaks is closed at both ends: there is nobody else to tell.
                let _ = connection::carry(relay, client, seed).await;
                drop(place);
            });
        }
    }
}

/// The next connection, whatever became of those before.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((client, _)) => return client,
            Err(error) if is_of_the_client(&error) => {}
            Err(_) => tokio::time::sleep(ACCEPT_AGAIN_AFTER).await,
        }
    }
}

/// Whether an error is of a connection that went before it was accepted: the next one may be had at once.
fn is_of_the_client(error: &io::Error) -> bool {
    let kind = error.kind();
    kind == io::ErrorKind::ConnectionAborted || kind == io::ErrorKind::ConnectionReset
}

#[cfg(test)]
mod tests;
