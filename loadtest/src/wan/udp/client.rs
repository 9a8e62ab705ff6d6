//! Those who dial a relay, each with a socket of its own towards the target, as behind a NAT: so the target tells them apart.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use crate::wan::lock;

/// Wanted size of a socket's buffers; the kernel gives what it allows. A burst that comes while the thread is busy must fit.
const SOCKET_BUFFER_BYTES: usize = 4 << 20;

/// One who dials.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) address: SocketAddr,
    /// Leads to the target. Not connected, so that a target that refuses isn't an error here.
    pub(super) socket: UdpSocket,
    seen: Mutex<Instant>,
}

impl Client {
    /// Opens a socket towards the target, inside of a runtime.
    ///
    /// # Errors
    /// When the process has no file descriptor or the machine no port left.
    pub(super) fn open(address: SocketAddr, target: SocketAddr, now: Instant) -> io::Result<Self> {
        Ok(Self {
            address,
            socket: bind(SocketAddr::new(beside(target.ip()), 0))?,
            seen: Mutex::new(now),
        })
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

/// Binds a UDP socket with large buffers, inside of a runtime.
///
/// # Errors
/// When the address is taken or isn't this machine's.
pub(super) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES)?;
    socket.set_send_buffer_size(SOCKET_BUFFER_BYTES)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

/// An address from which the target can be reached: this machine's own when it is here, so that nobody else reaches it.
const fn beside(target: IpAddr) -> IpAddr {
    match target {
        IpAddr::V4(ip) if ip.is_loopback() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(ip) if ip.is_loopback() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}
