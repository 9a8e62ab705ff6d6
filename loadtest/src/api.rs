//! The server API over a kept HTTP connection, one call at a time.

use anyhow::{Context, Result, bail};

use crate::args::MeshArgs;
use crate::client::PATIENCE;
use crate::socket::Socket;

/// A connection for calls of the server API.
#[derive(Debug)]
pub(crate) struct Api {
    socket: Socket,
    /// The head of a call of `publish`, up to the value of `Content-Length`.
    head: String,
}

impl Api {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub(crate) async fn connect(mesh: &MeshArgs) -> Result<Self> {
        let head = format!(
            "POST {}/api/publish HTTP/1.1\r\nHost: {}\r\nX-API-Key: {}\r\nContent-Type: application/json\r\nContent-Length: ",
            mesh.api.path, mesh.api.host, mesh.api_key
        );
        Ok(Self {
            socket: Socket::connect(mesh.api.address, None).await?,
            head,
        })
    }

    /// Publishes a payload, which is JSON, into a channel, whose name needs no escapes.
    ///
    /// # Errors
    /// When the call is refused or the publish not known to be taken.
    pub(crate) async fn publish(&mut self, channel: &str, payload: &[u8]) -> Result<()> {
        let mut body = format!(r#"{{"channel":"{channel}","data":"#).into_bytes();
        body.extend_from_slice(payload);
        body.push(b'}');
        let mut request = format!("{}{}\r\n\r\n", self.head, body.len()).into_bytes();
        request.extend(body);
        self.socket.send(&request).await?;
        let answer = tokio::time::timeout(PATIENCE, self.answer()).await;
        let (head, body) = answer.context("an answer is missing")??;
        if !head.starts_with("HTTP/1.1 200 ") || !body.starts_with(br#"{"result":"#) {
            let status = head.lines().next().unwrap_or_default();
            bail!("publish: {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(())
    }

    async fn answer(&mut self) -> Result<(String, Vec<u8>)> {
        let head = self.socket.head().await?;
        let length = content_length(&head).with_context(|| format!("no length: {head}"))?;
        let body = self.socket.bytes(length).await?;
        Ok((head, body))
    }
}

fn content_length(head: &str) -> Option<usize> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths.next()?.1.trim().parse().ok()
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
}
