//! Peers of the link that keep to no rule: plain QUIC with whatever certificate.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{Connection, ConnectionError, Endpoint, RecvStream, SendStream};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, version};
use trunkline_link::{ALPN, Introduction, NODE_DNS_NAME};
use trunkline_shared::frame::{self, Frame, Hello, VersionRange};
use trunkline_shared::limits::LANES;
use trunkline_shared::{Incarnation, ViewVersion};

use crate::harness::PATIENCE;

/// What a peer shows of itself.
pub(crate) struct Papers {
    pub(crate) certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Papers {
    /// Reads `NAME.pem` and `NAME.key`.
    pub(crate) fn read(dir: &Path, name: &str) -> Self {
        let certificate = CertificateDer::from_pem_file(dir.join(format!("{name}.pem")));
        let key = PrivateKeyDer::from_pem_file(dir.join(format!("{name}.key")));
        Self {
            certificate: certificate.expect("a certificate"),
            key: key.expect("a key"),
        }
    }

    /// The same with other bytes in the certificate, of the same length.
    pub(crate) fn forged(self, from: &str, to: &str) -> Self {
        assert_eq!(from.len(), to.len());
        let mut bytes = self.certificate.to_vec();
        let mut places = bytes.windows(from.len()).enumerate();
        let place = places.find(|(_, window)| *window == from.as_bytes());
        let (place, _) = place.expect("the certificate says it");
        bytes[place..place + to.len()].copy_from_slice(to.as_bytes());
        Self {
            certificate: bytes.into(),
            ..self
        }
    }
}

/// Dials a node of the mesh whose authority is in `dir`.
pub(crate) async fn dial(
    dir: &Path,
    link: &str,
    papers: Option<Papers>,
) -> Result<Connection, ConnectionError> {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(dir.join("ca.pem")).expect("an authority");
    roots.add(authority).expect("an authority");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13])
        .expect("a version")
        .with_root_certificates(roots);
    let mut config = match papers {
        Some(papers) => config
            .with_client_auth_cert(vec![papers.certificate], papers.key)
            .expect("papers"),
        None => config.with_no_client_auth(),
    };
    config.alpn_protocols = vec![ALPN.to_vec()];
    let config = QuicClientConfig::try_from(config).expect("a configuration");
    let endpoint = Endpoint::client(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a socket");
    let link = link.parse().expect("an address");
    let connecting = endpoint.connect_with(
        quinn::ClientConfig::new(Arc::new(config)),
        link,
        NODE_DNS_NAME,
    );
    within(connecting.expect("it can be dialled")).await
}

/// Opens all streams as an edge does, says a good hello and waits for the node's.
pub(crate) async fn greet(connection: &Connection) -> Vec<(SendStream, RecvStream)> {
    let lanes = (0..LANES).map(|lane| [1, lane]);
    let prefaces = [[0, 0]].into_iter().chain(lanes).chain([[2, 0], [2, 1]]);
    let mut streams = Vec::new();
    for preface in prefaces {
        let (mut send, receive) = within(connection.open_bi()).await.expect("a stream");
        send.write_all(&preface).await.expect("written");
        if preface == [0, 0] {
            send.write_all(&bytes_of(&hello())).await.expect("written");
        }
        streams.push((send, receive));
    }
    let mut first = [0; 1];
    within(streams[0].1.read_exact(&mut first))
        .await
        .expect("the node's hello");
    streams
}

fn hello() -> Hello {
    let us = Introduction {
        incarnation: Incarnation([9; 16]),
        view: ViewVersion::default(),
    };
    Hello {
        versions: VersionRange::OURS,
        incarnation: us.incarnation,
        view: us.view,
        lanes: LANES,
    }
}

fn bytes_of(frame: &impl Frame) -> Bytes {
    let mut chunks = Vec::new();
    frame::encode(frame, &mut chunks).expect("a small frame");
    chunks.concat().into()
}

/// The code and reason with which the node closed the connection.
pub(crate) async fn closed(connection: &Connection) -> (u64, String) {
    let end = within(connection.closed()).await;
    let ConnectionError::ApplicationClosed(close) = end else {
        panic!("not closed by the node: {end}");
    };
    let reason = String::from_utf8(close.reason.to_vec());
    (close.error_code.into(), reason.expect("text"))
}

/// Waits, but not forever.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("in time")
}
