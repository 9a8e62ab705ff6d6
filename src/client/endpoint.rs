//! An edge's address as a URL.

use tokio_tungstenite::tungstenite::http::Uri;

use super::error::ClientError;

/// The path that edges serve.
const PATH: &str = "/connection/websocket";

/// A WebSocket's URL, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// The whole URL, with a path.
    pub(crate) url: String,
    /// Name or address, an IPv6 one without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) secure: bool,
}

impl Endpoint {
    /// Parses `ws://` and `wss://` URLs; one without a path gets the edges'.
    pub(crate) fn parse(url: &str) -> Result<Self, ClientError> {
        let bad = |problem: &str| ClientError::Address {
            url: url.to_owned(),
            problem: problem.to_owned(),
        };
        let uri: Uri = url
            .parse()
            .map_err(|_| bad("not a URL such as ws://127.0.0.1:8000"))?;
        let secure = match uri.scheme_str() {
            Some("ws") => false,
            Some("wss") => true,
            Some(_) | None => return Err(bad("must begin with ws:// or wss://")),
        };
        let authority = uri.authority().ok_or_else(|| bad("names no host"))?;
        let path = match uri.path_and_query() {
            Some(path) if path.as_str() != "/" => path.as_str(),
            Some(_) | None => PATH,
        };
        Ok(Self {
            url: format!("{}://{authority}{path}", if secure { "wss" } else { "ws" }),
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority
                .port_u16()
                .unwrap_or(if secure { 443 } else { 80 }),
            secure,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_a_path_gets_the_edges() {
        for (text, url, port, secure) in [
            (
                "ws://127.0.0.1:8001",
                "ws://127.0.0.1:8001/connection/websocket",
                8001,
                false,
            ),
            (
                "wss://edge.example.com/",
                "wss://edge.example.com/connection/websocket",
                443,
                true,
            ),
            (
                "ws://[::1]:8000/other?a=b",
                "ws://[::1]:8000/other?a=b",
                8000,
                false,
            ),
        ] {
            let endpoint = Endpoint::parse(text).expect("a URL");
            assert_eq!(
                (endpoint.url.as_str(), endpoint.port, endpoint.secure),
                (url, port, secure)
            );
        }
    }

    #[test]
    fn brackets_are_not_part_of_an_address() {
        let endpoint = Endpoint::parse("ws://[::1]:8000").expect("a URL");
        assert_eq!(endpoint.host, "::1");
    }

    #[test]
    fn what_is_no_websocket_url_is_refused_by_name() {
        for text in ["127.0.0.1:8000", "http://127.0.0.1:8000", "ws://", ""] {
            let error = Endpoint::parse(text).expect_err("no WebSocket's URL");
            assert!(
                error.to_string().starts_with(&format!("--url {text}: ")),
                "{error}"
            );
        }
    }
}
