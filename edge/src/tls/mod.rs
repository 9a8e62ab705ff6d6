//! TLS for clients: from the files of `[edge.tls]` to what ends it on a socket.

mod handshake;
#[cfg(test)]
pub(crate) mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::{self, Ticketer};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use tokio_rustls::TlsAcceptor;

use crate::config::TlsSection;
pub(crate) use handshake::{HandshakeError, handshake};

/// What we speak inside of TLS: WebSockets are opened by HTTP/1.1.
const ALPN: &[u8] = b"http/1.1";

const CERTIFICATE_FILE: &str = "edge.tls.certificate_file";
const KEY_FILE: &str = "edge.tls.key_file";

/// Why the files of `[edge.tls]` can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientTlsError {
    /// A file can't be read.
    #[error("{key} {}: {error}", path.display())]
    Unreadable {
        /// The key that names it.
        key: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A file isn't PEM, or hasn't what it should have.
    #[error("{key} {}: not the PEM it should be: {error}", path.display())]
    BadPem {
        /// The key that names it.
        key: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        error: pem::Error,
    },
    /// rustls refuses them, for instance because key and certificate don't belong together.
    #[error("{CERTIFICATE_FILE} {} with {KEY_FILE} {}: {error}", certificate.display(), key.display())]
    Refused {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        error: rustls::Error,
    },
}

/// Reads the certificate that clients are shown; `None` where none is configured.
///
/// # Errors
/// When a file can't be read or isn't PEM, or the two don't belong together.
pub(crate) fn acceptor(section: &TlsSection) -> Result<Option<TlsAcceptor>, ClientTlsError> {
    let (Some(certificate), Some(key)) = (&section.certificate_file, &section.key_file) else {
        return Ok(None);
    };
    let chain = read_chain(certificate)?;
    let private = read_key(key)?;
    let config = server(chain, private).map_err(|error| ClientTlsError::Refused {
        certificate: certificate.clone(),
        key: key.clone(),
        error,
    })?;
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, ClientTlsError> {
    let text = read(CERTIFICATE_FILE, path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    chain
        .and_then(|chain| match chain.is_empty() {
            true => Err(pem::Error::NoItemsFound),
            false => Ok(chain),
        })
        .map_err(bad_pem(CERTIFICATE_FILE, path))
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, ClientTlsError> {
    let text = read(KEY_FILE, path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(bad_pem(KEY_FILE, path))
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, ClientTlsError> {
    std::fs::read(path).map_err(|error| ClientTlsError::Unreadable {
        key,
        path: path.to_owned(),
        error,
    })
}

fn bad_pem(key: &'static str, path: &Path) -> impl FnOnce(pem::Error) -> ClientTlsError {
    let path = path.to_owned();
    move |error| ClientTlsError::BadPem { key, path, error }
}

/// TLS 1.2 and 1.3; who comes again resumes by a ticket, so that nothing is kept here for those who don't.
fn server(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.ticketer = Ticketer::new()?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    // One is enough for one connection; none makes clients that leave Nagle's algorithm on wait for an acknowledgement.
    config.send_tls13_tickets = 1;
    Ok(config)
}
