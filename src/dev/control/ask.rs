//! Asking the control listener, within a time: by an edge on behalf of its page, and by `dev cut`, `heal` and `start`.

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

/// Time for a process to start, and a little for the rest.
const START_TIMEOUT: Duration = Duration::from_secs(65);

/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) enum Question {
    /// The distances.
    Wan,
    /// To cut a region off, or to let it back, by this body.
    Cut(Bytes),
    /// To start a process again, by this body.
    Start(Bytes),
}

impl Question {
    fn into_parts(self) -> (Method, &'static str, Bytes, Duration) {
        match self {
            Self::Wan => (Method::GET, "/wan", Bytes::new(), TIMEOUT),
            Self::Cut(body) => (Method::POST, "/wan", body, TIMEOUT),
            Self::Start(body) => (Method::POST, "/start", body, START_TIMEOUT),
        }
    }
}

/// Asks; returns the answer's status and body.
///
/// # Errors
/// When nobody listens there, or no answer comes in time.
pub(crate) async fn ask(control: SocketAddr, question: Question) -> Result<(StatusCode, Bytes)> {
    let (method, path, body, timeout) = question.into_parts();
    let answer = tokio::time::timeout(timeout, exchange(control, method, path, body)).await;
    answer
        .map_err(|_| anyhow!("no answer within {timeout:?}"))
        .flatten()
        .with_context(|| format!("control listener {control}"))
}

async fn exchange(
    control: SocketAddr,
    method: Method,
    path: &str,
    body: Bytes,
) -> Result<(StatusCode, Bytes)> {
    let request = Request::builder()
        .method(method)
        .uri(path)
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
