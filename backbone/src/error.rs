//! Why a node can't run, or go on.

use trunkline_link::{PeerIdentity, TlsError};
use trunkline_store::{embedded, postgres};

/// Why a node can't run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Certificates are missing or wrong.
    #[error("certificates: {0}")]
    Tls(#[from] TlsError),
    /// The certificate isn't a node's.
    #[error("link.certificate_file names {0}, which is not a backbone node")]
    NotANode(PeerIdentity),
    /// The embedded store can't be opened.
    #[error("store.path: {0}")]
    Store(#[from] embedded::OpenError),
    /// The database can't be used as a store.
    #[error("store.postgres: {0}")]
    Postgres(#[from] postgres::OpenError),
    /// Another process lives under the node's name.
    #[error("{0}")]
    NameTaken(String),
    /// The namespaces of the configuration can't become the rules of the mesh: a line for each thing that is in the way.
    #[error("{0}")]
    RulesRefused(String),
    /// An address can't be bound or a file written.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        error: std::io::Error,
    },
    /// The link endpoint has failed under a running node.
    #[error("link endpoint lost")]
    EndpointLost,
    /// The system has no randomness.
    #[error("randomness: {0}")]
    Random(#[from] getrandom::Error),
}

impl RunError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |error| Self::Io { what, error }
    }
}
