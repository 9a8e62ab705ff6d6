//! Asking the control listener, within a time: by an edge on behalf of its page, and by `dev cut` and `dev heal`.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use axum::http::header::{CONNECTION, HOST};
use axum::http::{Method, Request, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::guard::HEADER;

/// Time for the whole of it; the listener is on this machine.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Sends a request to `/wan`; returns its status and body.
///
/// # Errors
/// When nobody listens there, or no answer comes in time.
pub(crate) async fn ask(
    control: SocketAddr,
    method: Method,
    body: Bytes,
) -> Result<(StatusCode, Bytes)> {
    let answer = tokio::time::timeout(TIMEOUT, exchange(control, method, body)).await;
    answer
        .map_err(|_| anyhow!("no answer within {TIMEOUT:?}"))
        .flatten()
        .with_context(|| format!("control listener {control}"))
}

async fn exchange(control: SocketAddr, method: Method, body: Bytes) -> Result<(StatusCode, Bytes)> {
    let request = Request::builder()
        .method(method)
        .uri("/wan")
        .header(HOST, control.to_string())
        .header(CONNECTION, "close")
        .header(HEADER.0, HEADER.1)
        .body(Full::new(body))?;
    let tcp = TcpStream::connect(control).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(tcp)).await?;
    let answer = async move {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect();
        let body = body.await.map_err(|error| anyhow!(error))?;
        Ok((status, body.to_bytes()))
    };
    // The connection carries the request and ends behind it.
    let (answer, _) = tokio::join!(answer, connection);
    answer
}
