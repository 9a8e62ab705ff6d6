//! The server API over a kept HTTP connection, one call at a time.

use anyhow::{Result, bail};

use crate::args::MeshArgs;
use crate::http::Http;

/// A connection for calls of the server API.
#[derive(Debug)]
pub(crate) struct Api {
    http: Http,
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
            http: Http::connect(&mesh.api).await?,
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
        let body = self.http.exchange(&request).await?.ok()?;
        if !body.starts_with(br#"{"result":"#) {
            bail!("publish: {}", String::from_utf8_lossy(&body));
        }
        Ok(())
    }
}
