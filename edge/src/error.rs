//! Why an edge can't run, or can't go on.

use trunkline_link::{PeerIdentity, TlsError};

use crate::tls::ClientTlsError;

/// Why an edge can't run.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// Certificates are missing or wrong.
    #[error("certificates: {0}")]
    Tls(#[from] TlsError),
    /// The certificate for clients is missing or wrong.
    #[error(transparent)]
    ClientTls(#[from] ClientTlsError),
    /// The certificate isn't an edge's.
    #[error("link.certificate_file names {0}, which is not an edge")]
    NotAnEdge(PeerIdentity),
    /// The configuration names another edge than the certificate.
    #[error("edge.{key} is {configured:?}, but link.certificate_file says {certified:?}")]
    OtherName {
        /// `name` or `region`.
        key: &'static str,
        /// What the configuration says.
        configured: String,
        /// What the certificate says.
        certified: String,
    },
    /// An address can't be bound, a file can't be written, or a thread can't be started.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        error: std::io::Error,
    },
    /// The system has no randomness.
    #[error("randomness: {0}")]
    Random(#[from] getrandom::Error),
    /// A worker's thread has ended by itself.
    #[error("a worker has ended")]
    WorkerEnded,
    /// The task that drives the way upstream has ended by itself.
    #[error("the way upstream has ended")]
    UpstreamEnded,
}

impl EdgeError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |error| Self::Io { what, error }
    }
}
