//! The server API over a kept HTTP connection, one call at a time.

use anyhow::Result;
use thiserror::Error;

use crate::args::MeshArgs;
use crate::http::Http;
use crate::target::Target;

/// A publish that was answered, but not as taken.
#[derive(Debug, Error)]
#[error("publish: {0}")]
pub(crate) struct Refused(String);

impl Refused {
    /// Whether the answer is error 100: what became of the publish isn't known, and the next one may be taken.
    pub(crate) fn is_temporary(&self) -> bool {
        let answer = serde_json::from_str::<serde_json::Value>(&self.0);
        answer.is_ok_and(|answer| answer["error"]["code"] == 100)
    }
}

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
        Self::connect_to(&mesh.api, &mesh.api_key).await
    }

    /// Connects to an edge.
    ///
    /// # Errors
    /// When nobody listens.
    pub(crate) async fn connect_to(edge: &Target, key: &str) -> Result<Self> {
        let head = format!(
            "POST {}/api/publish HTTP/1.1\r\nHost: {}\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: ",
            edge.path, edge.host
        );
        Ok(Self {
            http: Http::connect(edge).await?,
            head,
        })
    }

    /// Publishes a payload, which is JSON, into a channel, whose name needs no escapes.
    ///
    /// # Errors
    /// When the call is refused or the publish not known to be taken: [`Refused`] where there was an answer.
    pub(crate) async fn publish(&mut self, channel: &str, payload: &[u8]) -> Result<()> {
        let mut body = format!(r#"{{"channel":"{channel}","data":"#).into_bytes();
        body.extend_from_slice(payload);
        body.push(b'}');
        let mut request = format!("{}{}\r\n\r\n", self.head, body.len()).into_bytes();
        request.extend(body);
        let body = self.http.exchange(&request).await?.ok()?;
        if !body.starts_with(br#"{"result":"#) {
            return Err(Refused(String::from_utf8_lossy(&body).into_owned()).into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_error_100_is_temporary() {
        let is_temporary = |body: &str| Refused(body.to_owned()).is_temporary();
        assert!(is_temporary(
            r#"{"error":{"code":100,"message":"internal server error"}}"#
        ));
        assert!(!is_temporary(
            r#"{"error":{"code":103,"message":"permission denied"}}"#
        ));
        assert!(!is_temporary("no JSON"));
    }
}
