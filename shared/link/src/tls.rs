//! Both sides' TLS: version 1.3, one authority, a certificate from everybody.

use std::path::PathBuf;
use std::sync::Arc;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, version};

use crate::ALPN;
use crate::config::LinkConfig;
use crate::identity::{IdentityError, PeerIdentity};

/// Why files make no TLS configuration.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file isn't named by the configuration.
    #[error("link.{0} is not set")]
    NotSet(&'static str),
    /// A file can't be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A file isn't PEM, or hasn't what it should have.
    #[error("{what} is not valid PEM: {error}")]
    BadPem {
        /// `authority`, `certificate chain` or `key`.
        what: &'static str,
        /// Why.
        error: pem::Error,
    },
    /// A file has no certificate in it.
    #[error("{0} has no certificate")]
    NoCertificate(&'static str),
    /// The own certificate names nobody.
    #[error("own {0}")]
    Identity(#[from] IdentityError),
    /// rustls refuses them, for instance because key and certificate don't belong together.
    #[error("certificates are refused: {0}")]
    Refused(String),
}

/// The certificates of one process and the authority that it believes.
pub struct LinkTls {
    identity: PeerIdentity,
    secret: Vec<u8>,
    server: Arc<QuicServerConfig>,
    client: Arc<QuicClientConfig>,
}

impl LinkTls {
    /// Reads the three files that the configuration names.
    ///
    /// # Errors
    /// When one isn't set, can't be read, or as [`LinkTls::from_pem`].
    pub fn from_files(config: &LinkConfig) -> Result<Self, TlsError> {
        let ca = read("ca_file", config.ca_file.as_ref())?;
        let chain = read("certificate_file", config.certificate_file.as_ref())?;
        let key = read("key_file", config.key_file.as_ref())?;
        Self::from_pem(&ca, &chain, &key)
    }

    /// Makes one from PEM texts: the authority's certificates, the own chain (leaf first), and its key.
    ///
    /// # Errors
    /// When one can't be parsed, key and leaf don't belong together, or the leaf names nobody.
    pub fn from_pem(ca: &[u8], chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = certificates("certificate chain", chain)?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| TlsError::BadPem { what: "key", error })?;
        let roots = roots(ca)?;
        let identity = PeerIdentity::from_chain(&chain)?;
        let secret = key.secret_der().to_vec();
        let server = server(roots.clone(), chain.clone(), key.clone_key())?;
        let client = client(roots, chain, key)?;
        Ok(Self {
            identity,
            secret,
            server,
            client,
        })
    }

    /// Who this process is, by its own certificate.
    pub const fn identity(&self) -> &PeerIdentity {
        &self.identity
    }

    /// What keys that outlive the process are derived from.
    pub(crate) fn secret(&self) -> &[u8] {
        &self.secret
    }

    pub(crate) fn server(&self) -> quinn::ServerConfig {
        quinn::ServerConfig::with_crypto(Arc::<QuicServerConfig>::clone(&self.server))
    }

    pub(crate) fn client(&self) -> quinn::ClientConfig {
        quinn::ClientConfig::new(Arc::<QuicClientConfig>::clone(&self.client))
    }
}

impl std::fmt::Debug for LinkTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LinkTls({})", self.identity)
    }
}

fn read(key: &'static str, path: Option<&PathBuf>) -> Result<Vec<u8>, TlsError> {
    let path = path.ok_or(TlsError::NotSet(key))?;
    std::fs::read(path).map_err(|error| TlsError::Unreadable {
        path: path.clone(),
        error,
    })
}

fn certificates(what: &'static str, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let found = found.map_err(|error| TlsError::BadPem { what, error })?;
    if found.is_empty() {
        Err(TlsError::NoCertificate(what))
    } else {
        Ok(found)
    }
}

fn roots(ca: &[u8]) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("authority", ca)? {
        roots.add(certificate).map_err(refused)?;
    }
    Ok(Arc::new(roots))
}

fn server(
    roots: Arc<RootCertStore>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<QuicServerConfig>, TlsError> {
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider())
        .build()
        .map_err(refused)?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&version::TLS13])
        .map_err(refused)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(refused)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(
        QuicServerConfig::try_from(config).map_err(refused)?,
    ))
}

fn client(
    roots: Arc<RootCertStore>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<QuicClientConfig>, TlsError> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&version::TLS13])
        .map_err(refused)?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .map_err(refused)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(
        QuicClientConfig::try_from(config).map_err(refused)?,
    ))
}

/// Named everywhere, so that a second provider in the build can't make the choice ambiguous.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn refused(error: impl std::fmt::Display) -> TlsError {
    TlsError::Refused(error.to_string())
}
