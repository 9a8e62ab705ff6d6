//! HTTP/1.1 on a kept connection, one request at a time: as much of it as an edge's API and dev mode's pages need.

use anyhow::{Context, Result, bail};

use crate::client::PATIENCE;
use crate::socket::Socket;
use crate::target::Target;

/// A connection for requests.
#[derive(Debug)]
pub(crate) struct Http(Socket);

/// What a server answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The status line and the headers.
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The first line.
    pub(crate) fn status(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// Whether the status is this one.
    pub(crate) fn is(&self, status: u16) -> bool {
        is(&self.head, status)
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// The body of an answer with status 200.
    ///
    /// # Errors
    /// With any other status; the error says it, and the body.
    pub(crate) fn ok(self) -> Result<Vec<u8>> {
        if !self.is(200) {
            bail!("{}: {}", self.status(), String::from_utf8_lossy(&self.body));
        }
        Ok(self.body)
    }
}

impl Http {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub(crate) async fn connect(to: &Target) -> Result<Self> {
        Ok(Self(Socket::connect(to.address, None).await?))
    }

    /// Sends a whole request and waits for its answer.
    ///
    /// # Errors
    /// When none comes within [`PATIENCE`], or it doesn't say how long it is.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer> {
        self.0.send(request).await?;
        let answer = tokio::time::timeout(PATIENCE, self.answer()).await;
        answer.context("an answer is missing")?
    }

    async fn answer(&mut self) -> Result<Answer> {
        let head = self.0.head().await?;
        // Whatever length it tells is that of the body that isn't sent again.
        let length = if is(&head, 304) {
            0
        } else {
            content_length(&head).with_context(|| format!("no length: {head}"))?
        };
        let body = self.0.bytes(length).await?;
        Ok(Answer { head, body })
    }
}

/// Gets a path of a server.
///
/// # Errors
/// As [`Http::connect`] and [`Http::exchange`].
pub(crate) async fn get(from: &Target, path: &str) -> Result<Answer> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", from.host);
    Http::connect(from)
        .await?
        .exchange(request.as_bytes())
        .await
}

/// Posts JSON to a path of a server; `headers` are whole lines, each with its end.
///
/// # Errors
/// As [`Http::connect`] and [`Http::exchange`].
pub(crate) async fn post(to: &Target, path: &str, headers: &str, body: &str) -> Result<Answer> {
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\n{headers}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        to.host,
        body.len()
    );
    Http::connect(to).await?.exchange(request.as_bytes()).await
}

fn is(head: &str, status: u16) -> bool {
    head.starts_with(&format!("HTTP/1.1 {status} "))
}

fn content_length(head: &str) -> Option<usize> {
    header(head, "content-length")?.parse().ok()
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(shown, _)| shown.eq_ignore_ascii_case(name))?;
    Some(value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_found_however_it_is_written() {
        let head = "HTTP/1.1 200 OK\r\ndate: x\r\nContent-length: 12\r\n\r\n";
        assert_eq!(content_length(head), Some(12));
        assert_eq!(content_length("HTTP/1.1 200 OK\r\n\r\n"), None);
    }

    #[test]
    fn any_status_but_200_is_an_error_that_says_why() {
        let answer = |status: &str| Answer {
            head: format!("{status}\r\nETag: \"a\"\r\n\r\n"),
            body: b"no such region".to_vec(),
        };
        assert!(answer("HTTP/1.1 200 OK").ok().is_ok());
        assert_eq!(answer("HTTP/1.1 200 OK").header("etag"), Some("\"a\""));
        let error = answer("HTTP/1.1 404 Not Found").ok();
        let text = error.expect_err("it isn't 200").to_string();
        assert_eq!(text, "HTTP/1.1 404 Not Found: no such region");
    }
}
