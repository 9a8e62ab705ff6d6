//! The WebSocket handshake: who is let in, and the way from HTTP to the raw socket.

use std::rc::Rc;

use axum::body::Body;
use bytes::Bytes;
use http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tracing::debug;
use trunkline_protocol::{Encoding, Negotiated, negotiate};

use crate::conn_task;
use crate::gate::{Permit, count};
use crate::http::Site;
use crate::socket::ClientStream;
use crate::worker_thread::{Busy, WorkerThread};

/// What a client has asked for in its handshake.
struct Wanted {
    encoding: Encoding,
    /// Pings are WebSocket's, not the client protocol's.
    native_pings: bool,
}

/// Answers a request for a WebSocket; after a 101 the connection is served by a task of its own.
pub(crate) fn upgrade(
    mut request: Request<Incoming>,
    thread: &Rc<WorkerThread>,
    site: &Rc<Site>,
) -> Response<Body> {
    if let Some(refusal) = refusal(&request, thread, site) {
        return status(refusal);
    }
    let upgraded = hyper::upgrade::on(&mut request);
    let Ok(mut response) = create_response_with_body(&request, Body::empty) else {
        count(&thread.gate.counters().refused_handshake);
        thread.gate.refusals().handshake();
        return status(StatusCode::BAD_REQUEST);
    };
    let Some(permit) = thread.gate.try_socket() else {
        return status(StatusCode::SERVICE_UNAVAILABLE);
    };
    let (
        Negotiated {
            encoding,
            subprotocol,
        },
        native_pings,
    ) = negotiated(&request);
    if let Some(name) = subprotocol {
        response
            .headers_mut()
            .insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(name));
    }
    let wanted = Wanted {
        encoding,
        native_pings,
    };
    tokio::task::spawn_local(take(
        upgraded,
        (permit, thread.busy()),
        wanted,
        Rc::clone(thread),
        Rc::clone(site),
    ));
    response
}

/// Why nobody, or not this page, is let in now.
fn refusal(request: &Request<Incoming>, thread: &WorkerThread, site: &Site) -> Option<StatusCode> {
    let (counters, told) = (thread.gate.counters(), thread.gate.refusals());
    let (counter, status) = if thread.gate.is_closed() {
        (&counters.refused_draining, StatusCode::SERVICE_UNAVAILABLE)
    } else if thread.is_isolated() {
        (&counters.refused_isolated, StatusCode::SERVICE_UNAVAILABLE)
    } else if thread.lag() > site.accept_lag_max {
        told.late(thread.lag());
        (&counters.refused_late, StatusCode::SERVICE_UNAVAILABLE)
    } else if !site.origins.allow(request.headers()) {
        told.origin(request.headers());
        (&counters.refused_origin, StatusCode::FORBIDDEN)
    } else {
        return None;
    };
    count(counter);
    Some(status)
}

fn negotiated(request: &Request<Incoming>) -> (Negotiated, bool) {
    let query = request.uri().query().unwrap_or_default();
    let offers = request
        .headers()
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|offer| offer.to_str().ok());
    let native_pings = query
        .split('&')
        .any(|pair| pair == "cf_ws_frame_ping_pong=true");
    (negotiate(offers, query), native_pings)
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Waits for the socket behind the 101 and serves it.
async fn take(
    upgraded: OnUpgrade,
    (permit, _busy): (Permit, Busy),
    wanted: Wanted,
    thread: Rc<WorkerThread>,
    site: Rc<Site>,
) {
    match upgraded.await {
        Ok(upgraded) => open(upgraded, permit, &wanted, thread, &site),
        Err(error) => debug!(%error, "a client went away during its handshake"),
    }
}

/// Begins the connection's own task: a new one, since a task keeps the size of the largest state that it ever had.
fn open(
    upgraded: Upgraded,
    permit: Permit,
    wanted: &Wanted,
    thread: Rc<WorkerThread>,
    site: &Site,
) {
    let (stream, early) = raw(upgraded);
    count(&thread.gate.counters().upgraded);
    let connection = thread.open(stream, permit, wanted.encoding, !wanted.native_pings);
    if wanted.native_pings && !site.ping_interval.is_zero() {
        tokio::task::spawn_local(conn_task::ping(
            Rc::clone(&thread),
            Rc::downgrade(&connection),
            site.ping_interval,
            site.pong_timeout,
        ));
    }
    tokio::task::spawn_local(conn_task::serve(thread, connection, early));
}

/// The socket, and what came on it behind the handshake.
fn raw(upgraded: Upgraded) -> (ClientStream, Bytes) {
    let parts = upgraded
        .downcast::<TokioIo<ClientStream>>()
        .expect("every connection here is made of this type");
    (parts.io.into_inner(), parts.read_buf)
}
