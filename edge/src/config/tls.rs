//! The `[edge.tls]` section: the certificate that clients are shown.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The `[edge.tls]` section. With neither key set the listener speaks plain HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TlsSection {
    /// PEM file of the certificate and what leads to its authority, leaf first. Default: none.
    pub certificate_file: Option<PathBuf>,
    /// PEM file of the certificate's key. Default: none.
    pub key_file: Option<PathBuf>,
}

impl TlsSection {
    /// Whether clients come by TLS.
    pub const fn is_set(&self) -> bool {
        self.certificate_file.is_some() || self.key_file.is_some()
    }

    pub(super) fn problem(&self) -> Option<String> {
        match (&self.certificate_file, &self.key_file) {
            (Some(_), None) => Some("edge.tls.certificate_file needs edge.tls.key_file".to_owned()),
            (None, Some(_)) => Some("edge.tls.key_file needs edge.tls.certificate_file".to_owned()),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }
}
