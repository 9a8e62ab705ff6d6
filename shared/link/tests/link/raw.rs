//! Peers that keep to no rule: plain quinn with our certificates.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{Connection, Endpoint, RecvStream, SendStream};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig, version};
use trunkline_link::{ALPN, CloseCode, NODE_DNS_NAME};
use trunkline_shared::frame::{self, Frame, Hello, VersionRange};
use trunkline_shared::limits::LANES;

use crate::mesh::{Pems, introduction, within};

fn chain(pems: &Pems) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pems.chain.as_bytes())
        .map(Result::unwrap)
        .collect()
}

fn key(pems: &Pems) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_slice(pems.key.as_bytes()).unwrap()
}

/// Dials with the certificate of `pems`, or with none but its authority.
pub(crate) async fn dial(
    addr: SocketAddr,
    pems: &Pems,
    with_certificate: bool,
) -> Result<Connection, quinn::ConnectionError> {
    dial_speaking(ALPN, addr, pems, with_certificate).await
}

/// As [`dial`], for another protocol than ours.
pub(crate) async fn dial_speaking(
    alpn: &[u8],
    addr: SocketAddr,
    pems: &Pems,
    with_certificate: bool,
) -> Result<Connection, quinn::ConnectionError> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(pems.ca.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13])
        .unwrap();
    let config = config.with_root_certificates(roots);
    let mut config = match with_certificate {
        true => config
            .with_client_auth_cert(chain(pems), key(pems))
            .unwrap(),
        false => config.with_no_client_auth(),
    };
    config.alpn_protocols = vec![alpn.to_vec()];
    let config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(config).unwrap()));
    let endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    within(endpoint.connect_with(config, addr, NODE_DNS_NAME).unwrap()).await
}

/// Listens with the certificate of `pems`, asking nobody for theirs.
pub(crate) fn listen(pems: &Pems) -> Endpoint {
    listen_speaking(ALPN, pems)
}

/// As [`listen`], for another protocol than ours.
pub(crate) fn listen_speaking(alpn: &[u8], pems: &Pems) -> Endpoint {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13])
        .unwrap();
    let mut config = config
        .with_no_client_auth()
        .with_single_cert(chain(pems), key(pems))
        .unwrap();
    config.alpn_protocols = vec![alpn.to_vec()];
    let config =
        quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(config).unwrap()));
    Endpoint::server(config, "127.0.7.1:0".parse().unwrap()).unwrap()
}

pub(crate) fn bytes_of(frame: &impl Frame) -> Bytes {
    let mut chunks = Vec::new();
    frame::encode(frame, &mut chunks).unwrap();
    chunks.concat().into()
}

pub(crate) fn hello(versions: VersionRange, lanes: u8) -> Hello {
    let us = introduction(9);
    Hello {
        versions,
        incarnation: us.incarnation,
        view: us.view,
        lanes,
    }
}

/// Opens all streams as an edge does, with `first` behind the control stream's first bytes.
pub(crate) async fn open_streams(
    connection: &Connection,
    first: &[u8],
) -> Vec<(SendStream, RecvStream)> {
    let lanes = (0..LANES).map(|lane| [1, lane]);
    let prefaces: Vec<[u8; 2]> = [[0, 0]]
        .into_iter()
        .chain(lanes)
        .chain([[2, 0], [2, 1]])
        .collect();
    let mut streams = Vec::new();
    for preface in prefaces {
        let Ok((mut send, receive)) = within(connection.open_bi()).await else {
            break;
        };
        let mut bytes = preface.to_vec();
        if preface == [0, 0] {
            bytes.extend_from_slice(first);
        }
        let _ = send.write_all(&bytes).await;
        streams.push((send, receive));
    }
    streams
}

/// Opens all streams with a good hello.
pub(crate) async fn greet(connection: &Connection) -> Vec<(SendStream, RecvStream)> {
    open_streams(connection, &bytes_of(&hello(VersionRange::OURS, LANES))).await
}

/// The code and reason with which the other side closed the connection.
pub(crate) async fn closed(connection: &Connection) -> (CloseCode, String) {
    let error = within(connection.closed()).await;
    let quinn::ConnectionError::ApplicationClosed(close) = error else {
        panic!("not closed by the other side: {error}")
    };
    (
        CloseCode::from_number(close.error_code.into()),
        String::from_utf8(close.reason.to_vec()).unwrap(),
    )
}
