//! Both sides' TLS: version 1.3, one authority, a certificate from everybody.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, version};

use crate::ALPN;
use crate::config::LinkConfig;
use crate::identity::PeerIdentity;
use crate::own_certificate;
use crate::tls_error::{PemFile, TlsError};

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
        let (ca_file, ca) = read("ca_file", config.ca_file.as_ref())?;
        let (chain_file, chain) = read("certificate_file", config.certificate_file.as_ref())?;
        let (key_file, key) = read("key_file", config.key_file.as_ref())?;
        Self::new((ca_file, &ca), (chain_file, &chain), (key_file, &key))
    }

    /// Makes one from PEM texts: the authority's certificates, the own chain (leaf first), and its key.
    ///
    /// # Errors
    /// When one can't be parsed, key and leaf don't belong together, the leaf names nobody or isn't valid now.
    pub fn from_pem(ca: &[u8], chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let unnamed = |key| PemFile { key, path: None };
        Self::new(
            (unnamed("ca_file"), ca),
            (unnamed("certificate_file"), chain),
            (unnamed("key_file"), key),
        )
    }

    fn new(
        (ca_file, ca): (PemFile, &[u8]),
        (chain_file, chain): (PemFile, &[u8]),
        (key_file, key): (PemFile, &[u8]),
    ) -> Result<Self, TlsError> {
        let chain = certificates(&chain_file, chain)?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| TlsError::pem(&key_file, "private key", error))?;
        let roots = roots(&ca_file, ca)?;
        let identity = PeerIdentity::from_chain(&chain).map_err(|error| TlsError::Identity {
            file: chain_file.clone(),
            error,
        })?;
        own_certificate::check(&chain_file, &chain, SystemTime::now())?;
        let secret = key.secret_der().to_vec();
        let verifier = verifier(&ca_file, &roots)?;
        let mismatch = |error| TlsError::of_pair(&chain_file, &key_file, &error);
        let server = server(verifier, chain.clone(), key.clone_key()).map_err(mismatch)?;
        let client = client(roots, chain, key).map_err(mismatch)?;
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

fn read(key: &'static str, path: Option<&PathBuf>) -> Result<(PemFile, Vec<u8>), TlsError> {
    let path = path.ok_or(TlsError::NotSet(key))?;
    let file = PemFile {
        key,
        path: Some(path.clone()),
    };
    match std::fs::read(path) {
        Ok(text) => Ok((file, text)),
        Err(error) => Err(TlsError::Unreadable { file, error }),
    }
}

fn certificates(file: &PemFile, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let found = found.map_err(|error| TlsError::pem(file, "certificate", error))?;
    if found.is_empty() {
        let (file, what) = (file.clone(), "certificate");
        Err(TlsError::Missing { file, what })
    } else {
        Ok(found)
    }
}

fn roots(file: &PemFile, ca: &[u8]) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file, ca)? {
        let added = roots.add(certificate);
        added.map_err(|error| TlsError::refused(file, &error))?;
    }
    Ok(Arc::new(roots))
}

fn verifier(
    file: &PemFile,
    roots: &Arc<RootCertStore>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), provider())
        .build()
        .map_err(|error| TlsError::refused(file, &error))
}

fn server(
    verifier: Arc<dyn ClientCertVerifier>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<QuicServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    let quic = QuicServerConfig::try_from(config);
    Ok(Arc::new(quic.map_err(no_suite)?))
}

fn client(
    roots: Arc<RootCertStore>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<QuicClientConfig>, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&version::TLS13])?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    let quic = QuicClientConfig::try_from(config);
    Ok(Arc::new(quic.map_err(no_suite)?))
}

fn no_suite(error: impl std::fmt::Display) -> rustls::Error {
    rustls::Error::General(error.to_string())
}

/// Named everywhere, so that a second provider in the build can't make the choice ambiguous.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
