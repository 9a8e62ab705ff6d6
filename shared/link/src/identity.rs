//! Who a peer is: the URI in its certificate, never what a frame says.

use std::fmt;

use rustls::pki_types::CertificateDer;
use trunkline_shared::{EdgeId, NodeId, Region};
use x509_parser::extensions::GeneralName;

/// Who an authenticated peer is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PeerIdentity {
    /// An edge, `trunkline://edge/<region>/<edge-id>`.
    Edge {
        /// The region that it stands in.
        region: Region,
        /// Its name.
        edge: EdgeId,
    },
    /// A backbone node, `trunkline://backbone/<node-id>`.
    Backbone {
        /// Its name.
        node: NodeId,
    },
}

/// Why a certificate names nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The peer has shown no certificate.
    #[error("no certificate")]
    NoCertificate,
    /// The certificate can't be read.
    #[error("certificate is malformed: {0}")]
    Malformed(String),
    /// Not exactly one URI of ours is among the certificate's names.
    #[error("certificate has {0} subject alternative names of the form trunkline://…, not 1")]
    NotOneUri(usize),
    /// The URI isn't of one of the two forms.
    #[error(
        "certificate's name {0:?} is neither trunkline://edge/<region>/<edge-id> nor trunkline://backbone/<node-id>"
    )]
    BadUri(String),
}

const SCHEME: &str = "trunkline://";

impl PeerIdentity {
    /// Reads the identity out of the first certificate of a verified chain.
    ///
    /// # Errors
    /// When there is none, or it doesn't carry exactly one URI of the two forms.
    pub fn from_chain(chain: &[CertificateDer<'_>]) -> Result<Self, IdentityError> {
        let leaf = chain.first().ok_or(IdentityError::NoCertificate)?;
        let uris = uris_of(leaf)?;
        match uris.as_slice() {
            [uri] => Self::parse(uri),
            other => Err(IdentityError::NotOneUri(other.len())),
        }
    }

    /// Parses `trunkline://edge/<region>/<edge-id>` or `trunkline://backbone/<node-id>`.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn parse(uri: &str) -> Result<Self, IdentityError> {
        let bad = || IdentityError::BadUri(uri.chars().take(200).collect());
        let path = uri.strip_prefix(SCHEME).ok_or_else(bad)?;
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["edge", region, edge] => Ok(Self::Edge {
                region: Region::parse(region).map_err(|_| bad())?,
                edge: EdgeId::parse(edge).map_err(|_| bad())?,
            }),
            ["backbone", node] => Ok(Self::Backbone {
                node: NodeId::parse(node).map_err(|_| bad())?,
            }),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for PeerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edge { region, edge } => write!(f, "{SCHEME}edge/{region}/{edge}"),
            Self::Backbone { node } => write!(f, "{SCHEME}backbone/{node}"),
        }
    }
}

fn uris_of(certificate: &CertificateDer<'_>) -> Result<Vec<String>, IdentityError> {
    let malformed = |error: &dyn fmt::Display| IdentityError::Malformed(error.to_string());
    let (_, parsed) =
        x509_parser::parse_x509_certificate(certificate).map_err(|error| malformed(&error))?;
    let Some(names) = parsed
        .subject_alternative_name()
        .map_err(|error| malformed(&error))?
    else {
        return Ok(Vec::new());
    };
    Ok(names
        .value
        .general_names
        .iter()
        .filter_map(our_uri)
        .collect())
}

fn our_uri(name: &GeneralName<'_>) -> Option<String> {
    if let GeneralName::URI(uri) = name
        && uri.starts_with(SCHEME)
    {
        return Some((*uri).to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_survives_its_text_form() {
        for uri in [
            "trunkline://edge/eu-west/edge-eu-west",
            "trunkline://backbone/backbone-1",
        ] {
            assert_eq!(
                PeerIdentity::parse(uri).expect("a good name").to_string(),
                uri
            );
        }
    }

    #[test]
    fn other_names_are_refused() {
        let bad = [
            "trunkline://edge/eu-west",
            "trunkline://edge/EU/e1",
            "trunkline://edge/eu/e1/x",
            "trunkline://backbone/",
            "trunkline://backbone/b/1",
            "trunkline://admin/x",
            "https://edge/eu/e1",
            "trunkline://",
            "",
        ];
        for uri in bad {
            assert_eq!(
                PeerIdentity::parse(uri),
                Err(IdentityError::BadUri(uri.to_owned()))
            );
        }
    }

    #[test]
    fn bytes_that_are_no_certificate_are_malformed() {
        let junk = CertificateDer::from(vec![1, 2, 3]);
        assert!(matches!(
            PeerIdentity::from_chain(&[junk]),
            Err(IdentityError::Malformed(_))
        ));
        assert_eq!(
            PeerIdentity::from_chain(&[]),
            Err(IdentityError::NoCertificate)
        );
    }
}
