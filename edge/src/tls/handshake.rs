//! The beginning of a client's connection where TLS ends here.

use std::io;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::socket::ClientStream;

/// What every TLS connection begins with: a record of the handshake (RFC 8446 §5.1).
const HANDSHAKE_RECORD: u8 = 22;

/// Bytes that rustls may hold for a client that takes them slowly; what else waits is in the connection's outbox.
const BUFFER_BYTES_MAX: usize = 16 << 10;

/// What a client is told that speaks plain HTTP to a port that wants TLS.
const NOT_TLS: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n\
    This port speaks TLS: use https:// or wss://.\n";

/// Why a connection didn't get as far as HTTP.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandshakeError {
    /// The first byte is none of TLS; the client has been told.
    #[error("the client doesn't speak TLS")]
    NotTls,
    /// It took too long, or longer than an edge that stops waits.
    #[error("the handshake wasn't done in time")]
    Slow,
    /// The client went away or broke the protocol, or the two have no version, cipher or protocol in common.
    #[error("handshake: {0}")]
    Failed(#[from] io::Error),
}

/// Does a client's handshake until it is late.
///
/// # Errors
/// When it isn't done by then, or fails.
pub(crate) async fn handshake(
    acceptor: &TlsAcceptor,
    tcp: TcpStream,
    late: impl Future<Output = ()>,
) -> Result<ClientStream, HandshakeError> {
    tokio::select! {
        biased;
        done = accept(acceptor, tcp) => Ok(ClientStream::Tls(Box::new(done?))),
        () = late => Err(HandshakeError::Slow),
    }
}

async fn accept(
    acceptor: &TlsAcceptor,
    tcp: TcpStream,
) -> Result<TlsStream<TcpStream>, HandshakeError> {
    let mut first = [0];
    if tcp.peek(&mut first).await? == 0 {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    if first != [HANDSHAKE_RECORD] {
        tell_it_is_not_tls(&tcp);
        return Err(HandshakeError::NotTls);
    }
    let limit = |session: &mut rustls::ServerConnection| {
        session.set_buffer_limit(Some(BUFFER_BYTES_MAX));
    };
    Ok(acceptor.accept_with(tcp, limit).await?)
}

/// Reads what is there, since closing a socket with unread bytes would take the answer back.
fn tell_it_is_not_tls(tcp: &TcpStream) {
    let _ = tcp.try_read(&mut [0; 4096]);
    let _ = tcp.try_write(NOT_TLS);
}
