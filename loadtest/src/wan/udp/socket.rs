//! UDP sockets that hold a burst.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

/// Wanted size of a socket's buffers; the kernel gives what it allows. A burst that comes while its reader is busy must fit.
const BUFFER_BYTES: usize = 4 << 20;

/// Binds a socket with large buffers.
///
/// # Errors
/// When the address is taken or isn't this machine's.
pub(crate) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_recv_buffer_size(BUFFER_BYTES)?;
    socket.set_send_buffer_size(BUFFER_BYTES)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// The same for a runtime, inside of which it is called.
///
/// # Errors
/// As [`bind`].
pub(super) fn bind_async(address: SocketAddr) -> io::Result<tokio::net::UdpSocket> {
    let socket = bind(address)?;
    socket.set_nonblocking(true)?;
    tokio::net::UdpSocket::from_std(socket)
}
