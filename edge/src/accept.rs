//! Accepting connections on a worker's thread, each worker on a listener of its own.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::gate::{GateCounters, Permit, count};
use crate::http::{self, Site};
use crate::socket::ClientStream;
use crate::tls::{HandshakeError, handshake};
use crate::worker_thread::{Busy, WorkerThread};

/// Connections that the system keeps until they are accepted.
const BACKLOG: i32 = 1024;

/// Wait after a failure to accept, and while the worker comes late.
const PAUSE: Duration = Duration::from_millis(100);

/// Time that a handshake gets when the edge stops: enough for a client that is there, too short to hold a drain up.
const LAST_HANDSHAKES: Duration = Duration::from_secs(1);

/// What a connection beyond the limit is told; one that awaits TLS is closed without a word.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Binds one listener per worker to the same address; the system spreads connections over them.
///
/// # Errors
/// When the address can't be bound, or another process has it.
pub(crate) fn bind(address: SocketAddr, count: u16) -> io::Result<Vec<std::net::TcpListener>> {
    // Sockets that share a port share it with those of other processes too: one that doesn't finds whether it is free.
    let address = bind_one(address, false)?.local_addr()?;
    (0..count).map(|_| bind_one(address, true)).collect()
}

fn bind_one(address: SocketAddr, shared: bool) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Accepts until `stop`; what has queued in the listener by then is still accepted, since nobody else would.
///
/// One that has sent nothing of a request by then is ended unanswered; with TLS after its handshake, by a proper goodbye.
pub(crate) async fn accept(
    listener: TcpListener,
    thread: Rc<WorkerThread>,
    site: Rc<Site>,
    stop: CancellationToken,
) {
    let _busy = thread.busy();
    while !stop.is_cancelled() {
        if thread.lag() > site.accept_lag_max {
            tokio::time::sleep(PAUSE).await;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            accepted = listener.accept() => on_accept(accepted, &thread, &site, &stop).await,
        }
    }
    while let Some(accepted) = accept_at_once(&listener).await {
        on_accept(accepted, &thread, &site, &stop).await;
    }
}

/// What already waits to be accepted.
async fn accept_at_once(listener: &TcpListener) -> Option<io::Result<(TcpStream, SocketAddr)>> {
    tokio::select! {
        biased;
        accepted = listener.accept() => Some(accepted),
        () = std::future::ready(()) => None,
    }
}

async fn on_accept(
    accepted: io::Result<(TcpStream, SocketAddr)>,
    thread: &Rc<WorkerThread>,
    site: &Rc<Site>,
    stop: &CancellationToken,
) {
    match accepted {
        Ok((stream, _)) => take(stream, thread, site, stop),
        Err(error) => {
            count(&thread.gate.counters().accept_errors);
            warn!(%error, "a connection can't be accepted");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn take(stream: TcpStream, thread: &Rc<WorkerThread>, site: &Rc<Site>, stop: &CancellationToken) {
    count(&thread.gate.counters().accepted);
    let Some(permit) = thread.gate.try_http() else {
        let told = site.tls.is_none().then(|| stream.try_write(FULL));
        debug!(?told, "too many connections");
        return;
    };
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "a connection was gone before it was served");
        return;
    }
    let held = (permit, thread.busy());
    let (thread, site, stop) = (Rc::clone(thread), Rc::clone(site), stop.clone());
    tokio::task::spawn_local(serve(stream, held, thread, site, stop));
}

async fn serve(
    tcp: TcpStream,
    held: (Permit, Busy),
    thread: Rc<WorkerThread>,
    site: Rc<Site>,
    stop: CancellationToken,
) {
    let deadline = Instant::now() + site.header_timeout;
    let Some(stream) = begin(tcp, deadline, &thread, &site, &stop).await else {
        return;
    };
    if let Err(error) = http::serve(stream, deadline, thread, site, stop).await {
        debug!(%error, "HTTP connection ended");
    }
    drop(held);
}

/// Does the TLS handshake where there is one; `None` when it fails.
async fn begin(
    tcp: TcpStream,
    deadline: Instant,
    thread: &WorkerThread,
    site: &Site,
    stop: &CancellationToken,
) -> Option<ClientStream> {
    let Some(acceptor) = &site.tls else {
        return Some(ClientStream::Plain(tcp));
    };
    let late = async {
        tokio::select! {
            () = tokio::time::sleep_until(deadline) => {}
            () = stopped_for(LAST_HANDSHAKES, stop) => {}
        }
    };
    let done = handshake(acceptor, tcp, late).await;
    count(outcome(thread.gate.counters(), &done));
    if matches!(done, Err(HandshakeError::NotTls)) {
        thread.gate.refusals().not_tls();
    }
    done.inspect_err(|error| debug!(%error, "TLS handshake failed"))
        .ok()
}

/// Ends so long after `stop`.
async fn stopped_for(time: Duration, stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(time).await;
}

/// What a handshake counts as.
const fn outcome<'a>(
    counters: &'a GateCounters,
    done: &Result<ClientStream, HandshakeError>,
) -> &'a AtomicU64 {
    match done {
        Ok(_) => &counters.tls_done,
        Err(HandshakeError::NotTls) => &counters.tls_not_spoken,
        Err(HandshakeError::Slow) => &counters.tls_slow,
        Err(HandshakeError::Failed(_)) => &counters.tls_failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_listeners_have_one_address_even_when_any_port_is_asked() {
        let listeners = bind(SocketAddr::from(([127, 0, 0, 1], 0)), 3).expect("bound");
        let addresses: Vec<_> = listeners
            .iter()
            .map(|listener| listener.local_addr().expect("bound"))
            .collect();
        assert_eq!(addresses.len(), 3);
        assert!(
            addresses
                .iter()
                .all(|address| *address == addresses[0] && address.port() != 0)
        );
    }

    #[test]
    fn an_address_that_another_has_is_refused() {
        let others = bind(SocketAddr::from(([127, 0, 0, 1], 0)), 1).expect("bound");
        let address = others[0].local_addr().expect("bound");
        let error = bind(address, 2).expect_err("taken");
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
