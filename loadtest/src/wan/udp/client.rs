//! Those who dial a relay, each with a socket of its own towards the target, as behind a NAT: so the target tells them apart.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;

use super::socket;
use crate::wan::lock;

/// One who dials.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) address: SocketAddr,
    /// Leads to the target. Not connected, so that a target that refuses isn't an error here.
    pub(super) socket: UdpSocket,
    seen: Mutex<Instant>,
    cut: AtomicBool,
}

impl Client {
    /// Opens a socket towards the target, inside of a runtime.
    ///
    /// # Errors
    /// When the process has no file descriptor or the machine no port left.
    pub(super) fn open(address: SocketAddr, target: SocketAddr, now: Instant) -> io::Result<Self> {
        Ok(Self {
            address,
            socket: socket::bind_async(SocketAddr::new(beside(target.ip()), 0))?,
            seen: Mutex::new(now),
            cut: AtomicBool::new(false),
        })
    }

    /// Drops what comes from it and what goes to it, or no longer.
    pub(super) fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::Relaxed);
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }

    /// Notes that something went through, in either direction.
    pub(super) fn touch(&self, now: Instant) {
        *lock(&self.seen) = now;
    }

    /// How long nothing has.
    pub(super) fn idle(&self, now: Instant) -> Duration {
        now.saturating_duration_since(*lock(&self.seen))
    }
}

/// All who dial, by address.
pub(super) type Clients = Mutex<BTreeMap<SocketAddr, Arc<Client>>>;

/// An address from which the target can be reached: this machine's own when it is here, so that nobody else reaches it.
const fn beside(target: IpAddr) -> IpAddr {
    match target {
        IpAddr::V4(ip) if ip.is_loopback() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(ip) if ip.is_loopback() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}
