//! Addresses of servers: as much of a URL as a load driver on the same machine needs.

use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;

/// A server's address and the path of its endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Host and port as given, for the `Host` header.
    pub(crate) host: String,
    /// Where it is.
    pub(crate) address: SocketAddr,
    /// The path; begins with a slash or is empty.
    pub(crate) path: String,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        let rest = url
            .strip_prefix("ws://")
            .or_else(|| url.strip_prefix("http://"))
            .ok_or("begins with neither ws:// nor http://")?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let found = host
            .to_socket_addrs()
            .map_err(|error| format!("{host}: {error}"))?
            .next();
        Ok(Self {
            host: host.to_owned(),
            address: found.ok_or_else(|| format!("{host} has no address"))?,
            path: path.trim_end_matches('/').to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_host_and_path() {
        let target: Target = "ws://127.0.0.1:8000/connection/websocket"
            .parse()
            .expect("a URL");
        assert_eq!(target.host, "127.0.0.1:8000");
        assert_eq!(target.path, "/connection/websocket");
        let target: Target = "http://127.0.0.1:8001/".parse().expect("a URL");
        assert_eq!((target.address.port(), &*target.path), (8001, ""));
    }

    #[test]
    fn what_cannot_be_reached_is_refused() {
        assert!("wss://127.0.0.1:1/".parse::<Target>().is_err());
        assert!("ws://127.0.0.1/".parse::<Target>().is_err());
    }
}
