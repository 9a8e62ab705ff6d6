//! Why files make no TLS configuration.

use std::fmt;
use std::path::PathBuf;

use rustls::pki_types::pem;

use crate::identity::IdentityError;

/// A file that the configuration names, as errors show it: `link.KEY PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PemFile {
    /// `ca_file`, `certificate_file` or `key_file`.
    pub key: &'static str,
    /// Which file; `None` where the text was given without one.
    pub path: Option<PathBuf>,
}

impl fmt::Display for PemFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "link.{} {}", self.key, path.display()),
            None => write!(f, "link.{}", self.key),
        }
    }
}

/// Why files make no TLS configuration.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file isn't named by the configuration.
    #[error("link.{0} is not set; certificates are made by: trunkline certs new")]
    NotSet(&'static str),
    /// A file can't be read.
    #[error("{file}: {error}")]
    Unreadable {
        /// Which file.
        file: PemFile,
        /// Why.
        error: std::io::Error,
    },
    /// A file isn't PEM.
    #[error("{file} is not valid PEM: {error}")]
    BadPem {
        /// Which file.
        file: PemFile,
        /// Why.
        error: pem::Error,
    },
    /// A file hasn't what it should have.
    #[error("{file} has no {what} in it")]
    Missing {
        /// Which file.
        file: PemFile,
        /// `certificate` or `private key`.
        what: &'static str,
    },
    /// The own certificate names nobody.
    #[error("{file}: {error}")]
    Identity {
        /// The certificate's file.
        file: PemFile,
        /// Why.
        error: IdentityError,
    },
    /// Every peer would refuse the own certificate.
    #[error("{file} expired on {date}; make a new one as you made it, and restart")]
    Expired {
        /// The certificate's file.
        file: PemFile,
        /// Its last moment.
        date: String,
    },
    /// Every peer would refuse the own certificate.
    #[error("{file} is valid from {date} on: is this machine's clock right?")]
    NotYetValid {
        /// The certificate's file.
        file: PemFile,
        /// Its first moment.
        date: String,
    },
    /// The key is another certificate's.
    #[error("{key} is not the key of {certificate}")]
    Mismatch {
        /// The key's file.
        key: PemFile,
        /// The certificate's file.
        certificate: PemFile,
    },
    /// rustls refuses what a file holds.
    #[error("{file}: {error}")]
    Refused {
        /// Which file.
        file: PemFile,
        /// Why.
        error: String,
    },
}

impl TlsError {
    /// A file in which `what` wasn't found.
    pub(crate) fn pem(file: &PemFile, what: &'static str, error: pem::Error) -> Self {
        let file = file.clone();
        if matches!(error, pem::Error::NoItemsFound) {
            Self::Missing { file, what }
        } else {
            Self::BadPem { file, error }
        }
    }

    /// What rustls says of a certificate with its key.
    pub(crate) fn of_pair(certificate: &PemFile, key: &PemFile, error: &rustls::Error) -> Self {
        if matches!(error, rustls::Error::InconsistentKeys(_)) {
            Self::Mismatch {
                key: key.clone(),
                certificate: certificate.clone(),
            }
        } else {
            Self::refused(certificate, error)
        }
    }

    /// What a file holds isn't taken.
    pub(crate) fn refused(file: &PemFile, error: &dyn fmt::Display) -> Self {
        Self::Refused {
            file: file.clone(),
            error: error.to_string(),
        }
    }
}
