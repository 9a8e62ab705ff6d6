//! An edge's end: one attempt to reach a node, from its name to its hello.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use quinn::{Endpoint, TokioRuntime};
use rustls::pki_types::CertificateDer;
use tokio::sync::watch;
use trunkline_shared::frame::VersionRange;

use crate::config::LinkConfig;
use crate::connect_error::ConnectError;
use crate::end::LinkEnd;
use crate::ending::Ending;
use crate::hello::{self, Introduction};
use crate::identity::{IdentityError, PeerIdentity};
use crate::link::{CloseGuard, EdgeLink, Link, Parts};
use crate::streams;
use crate::tls::LinkTls;
use crate::transport::{self, End};
use crate::{NODE_DNS_NAME, reset};

/// Dials nodes; clones share one UDP socket.
#[derive(Clone)]
pub struct LinkClient {
    endpoint: Endpoint,
    config: Arc<LinkConfig>,
}

impl LinkClient {
    /// Binds a UDP socket of any port, for IPv6 and IPv4 where the system has both.
    ///
    /// `config` must have no [`problems`](LinkConfig::problems). Needs a tokio runtime.
    ///
    /// # Errors
    /// When no socket can be bound, or the certificate isn't an edge's.
    pub fn bind(tls: &LinkTls, config: Arc<LinkConfig>) -> std::io::Result<Self> {
        if !matches!(tls.identity(), PeerIdentity::Edge { .. }) {
            return Err(std::io::Error::other(format!(
                "{} is not an edge's certificate",
                tls.identity()
            )));
        }
        let any = |ip| transport::bind(SocketAddr::new(ip, 0), config.socket_buffer.0);
        let socket =
            any(Ipv6Addr::UNSPECIFIED.into()).or_else(|_| any(Ipv4Addr::UNSPECIFIED.into()))?;
        let endpoint_config = reset::endpoint_config(tls.secret(), Duration::from_millis(20));
        let mut endpoint = Endpoint::new(endpoint_config, None, socket, Arc::new(TokioRuntime))?;
        let mut client = tls.client();
        client.transport_config(transport::transport(&config, End::Edge));
        endpoint.set_default_client_config(client);
        Ok(Self { endpoint, config })
    }

    /// The configuration that it was made with.
    pub(crate) fn config(&self) -> &LinkConfig {
        &self.config
    }

    /// Makes one attempt to reach the node at `address` (`host:port`; the first address of a name is taken).
    ///
    /// # Errors
    /// When no link comes about within `handshake_timeout`.
    pub async fn connect(
        &self,
        address: &str,
        introduction: Introduction,
    ) -> Result<EdgeLink, ConnectError> {
        let attempt = self.attempt(address, introduction);
        tokio::time::timeout(self.config.handshake_timeout, attempt)
            .await
            .unwrap_or(Err(ConnectError::TimedOut))
    }

    /// Closes what links are left and waits until their peers know it, at most for `goodbye_timeout`.
    pub async fn close(&self) {
        self.endpoint.close(
            quinn::VarInt::from_u32(0),
            LinkEnd::Goodbye.to_string().as_bytes(),
        );
        let _ = tokio::time::timeout(self.config.goodbye_timeout, self.endpoint.wait_idle()).await;
    }

    async fn attempt(
        &self,
        address: &str,
        introduction: Introduction,
    ) -> Result<EdgeLink, ConnectError> {
        let connection = self
            .endpoint
            .connect(resolve(address).await?, NODE_DNS_NAME)?
            .await?;
        let result = self.greet(&connection, introduction).await;
        if let Err(error) = &result {
            error.code().close(&connection, &error.to_string());
        }
        result
    }

    async fn greet(
        &self,
        connection: &quinn::Connection,
        introduction: Introduction,
    ) -> Result<EdgeLink, ConnectError> {
        let peer = identity_of(connection)?;
        if !matches!(peer, PeerIdentity::Backbone { .. }) {
            return Err(ConnectError::NoNode(peer));
        }
        let mut control = streams::open_control(connection).await?;
        hello::write(&mut control.send, introduction.hello()).await?;
        let mut streams = streams::open_others(connection, control).await?;
        let (_, from_node) = streams
            .frames_in
            .first_mut()
            .expect("control is the first stream");
        let hello = hello::read(from_node).await?;
        let version = VersionRange::OURS.common(hello.versions)?;
        let (config, over) = (Arc::clone(&self.config), watch::Sender::new(false));
        let (guard, ending) = (
            CloseGuard(connection.clone()),
            Ending::new(connection.clone()),
        );
        Ok(Link::new(Parts {
            streams,
            peer,
            hello,
            said: introduction,
            version,
            config,
            life: None,
            guard,
            ending,
            over,
        }))
    }
}

async fn resolve(address: &str) -> Result<SocketAddr, ConnectError> {
    let unresolved = |error| ConnectError::Unresolved {
        address: address.to_owned(),
        error,
    };
    let mut found = tokio::net::lookup_host(address).await.map_err(unresolved)?;
    found
        .next()
        .ok_or_else(|| unresolved(std::io::ErrorKind::NotFound.into()))
}

/// Who the peer of a connection is, by its certificate.
pub(crate) fn identity_of(connection: &quinn::Connection) -> Result<PeerIdentity, IdentityError> {
    let identity = connection
        .peer_identity()
        .ok_or(IdentityError::NoCertificate)?;
    let chain = identity
        .downcast::<Vec<CertificateDer<'static>>>()
        .map_err(|_| IdentityError::NoCertificate)?;
    PeerIdentity::from_chain(&chain)
}
