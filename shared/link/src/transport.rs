//! How quinn is set up for long fat links, and the UDP socket under it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::VarInt;
use quinn::congestion::{BbrConfig, CubicConfig};
use socket2::{Domain, Protocol, Socket, Type};

use crate::config::{Congestion, LinkConfig};
use crate::streams::STREAMS;

/// The round trip that is assumed before one was measured: a long one, so that nothing is repeated too early.
const INITIAL_RTT: Duration = Duration::from_millis(150);

/// Which end of a link is set up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Opens the link and all of its streams.
    Edge,
    /// Accepts both.
    Node,
}

/// Makes the settings of one end's connections.
///
/// `config` must have no [`problems`](LinkConfig::problems). An edge may open exactly a link's streams, a node none:
/// what a peer could open beyond them would only cost memory.
pub(crate) fn transport(config: &LinkConfig, end: End) -> Arc<quinn::TransportConfig> {
    let mut transport = quinn::TransportConfig::default();
    let streams = match end {
        End::Edge => 0,
        End::Node => STREAMS,
    };
    transport
        .stream_receive_window(window(config.stream_window.0))
        .receive_window(window(config.receive_window.0))
        .send_window(config.send_window.0)
        .max_concurrent_bidi_streams(streams.into())
        .max_concurrent_uni_streams(0u32.into())
        .datagram_receive_buffer_size(None)
        .initial_rtt(INITIAL_RTT)
        .keep_alive_interval(Some(config.keep_alive))
        .max_idle_timeout(Some(idle_timeout(config.idle_timeout)));
    match config.congestion {
        Congestion::Cubic => {
            transport.congestion_controller_factory(Arc::new(CubicConfig::default()))
        }
        Congestion::Bbr => transport.congestion_controller_factory(Arc::new(BbrConfig::default())),
    };
    Arc::new(transport)
}

fn window(bytes: u64) -> VarInt {
    VarInt::from_u64(bytes).unwrap_or(VarInt::MAX)
}

fn idle_timeout(duration: Duration) -> quinn::IdleTimeout {
    let millis = u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
    VarInt::from_u32(millis).into()
}

/// Binds a UDP socket with buffers of `buffer` bytes, or as much as the system gives.
///
/// An unspecified IPv6 address takes IPv4 too.
pub(crate) fn bind(addr: SocketAddr, buffer: u64) -> std::io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    if addr.is_ipv6() && addr.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    let buffer = usize::try_from(buffer).unwrap_or(usize::MAX);
    socket.set_recv_buffer_size(buffer)?;
    socket.set_send_buffer_size(buffer)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    Ok(socket.into())
}
