//! A relay of datagrams, on a thread of its own.

mod client;
mod link;
mod socket;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use self::link::{Limits, Link};
pub(crate) use self::socket::bind;
use super::alarm::Alarm;
use super::config::{PathConfig, WanConfig};
use super::lock;
use super::path::PathCounts;
use super::thread::RelayThread;

/// Clients that a relay serves at the same time; datagrams of others are dropped and counted.
pub const CLIENTS_MAX: usize = 1024;

/// A client through which nothing goes for this long is forgotten; should it come again, the target sees a new address.
pub const CLIENT_IDLE_MAX: Duration = Duration::from_secs(60);

/// A UDP relay: what comes to its address goes on to its target and back, each way by a path that all of its clients share.
///
/// On Linux a datagram is late by some tens of microseconds, see `docs/benchmarks.md`; elsewhere by up to a millisecond more.
/// One that the system refuses to send counts as passed: the path has carried it. Dropping the relay stops it.
#[derive(Debug)]
pub struct UdpRelay {
    address: SocketAddr,
    link: Arc<Link>,
    _thread: RelayThread,
}

impl UdpRelay {
    /// Starts a relay at `listen`, whose port may be 0. The seed decides about losses and jitter, in the order of arrivals.
    ///
    /// # Errors
    /// When the address is taken, or no thread can be started.
    pub fn start(
        listen: SocketAddr,
        target: SocketAddr,
        config: WanConfig,
        seed: u64,
    ) -> io::Result<Self> {
        Self::start_limited(listen, target, config, seed, Limits::default())
    }

    fn start_limited(
        listen: SocketAddr,
        target: SocketAddr,
        config: WanConfig,
        seed: u64,
        limits: Limits,
    ) -> io::Result<Self> {
        let (thread, link) = RelayThread::start("udp relay", move || {
            let front = socket::bind_async(listen)?;
            let alarms = [Alarm::new()?, Alarm::new()?];
            let link = Arc::new(Link::new(front, target, config, seed, limits));
            Ok((Arc::clone(&link), link::run(link, alarms)))
        })?;
        Ok(Self {
            address: link.address()?,
            link,
            _thread: thread,
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what the link is like, as [`Path::configure`](super::Path::configure) says; a cut that isn't in the new
    /// configuration ends.
    pub fn set(&self, config: WanConfig) {
        self.link.up.configure(|_| config.up);
        self.link.down.configure(|_| config.down);
    }

    /// Cuts both directions, or heals them.
    pub fn cut(&self, cut: bool) {
        let change = |config| PathConfig { cut, ..config };
        self.link.up.configure(change);
        self.link.down.configure(change);
    }

    /// Those through whom something has gone within `recently`, in the order of their addresses.
    pub fn clients(&self, recently: Duration) -> Vec<SocketAddr> {
        let now = Instant::now();
        let clients = lock(&self.link.clients);
        let recent = clients.values().filter(|one| one.idle(now) <= recently);
        recent.map(|one| one.address).collect()
    }

    /// Cuts one client, or heals it; nothing for one that isn't known. It is forgotten as any other, and its cut with it.
    pub fn cut_client(&self, address: SocketAddr, cut: bool) {
        if let Some(client) = lock(&self.link.clients).get(&address) {
            client.cut(cut);
        }
    }

    /// What became of the datagrams so far.
    pub fn counts(&self) -> RelayCounts {
        RelayCounts {
            up: self.link.up.counts(),
            down: self.link.down.counts(),
            clients: lock(&self.link.clients).len(),
            turned_away: self.link.turned_away.load(Ordering::Relaxed),
        }
    }
}

/// What a relay has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelayCounts {
    /// Towards the target.
    pub up: PathCounts,
    /// Back from it.
    pub down: PathCounts,
    /// Clients it knows now.
    pub clients: usize,
    /// Datagrams of clients for which it had no place.
    pub turned_away: u64,
}

#[cfg(test)]
mod tests;
