//! An edge's certificates, and who it is by them.

use tokio_rustls::TlsAcceptor;
use trunkline_link::{LinkTls, PeerIdentity};
use trunkline_shared::{EdgeId, Region};

use crate::config::EdgeConfig;
use crate::error::EdgeError;
use crate::tls;

/// What an edge shows of itself.
pub(super) struct Papers {
    pub(super) name: EdgeId,
    /// To nodes.
    pub(super) link: LinkTls,
    /// To clients; `None`: they come without TLS.
    pub(super) clients: Option<TlsAcceptor>,
}

impl Papers {
    /// Reads the files that the configuration names.
    ///
    /// # Errors
    /// When one is missing or wrong, or names somebody else than the configuration.
    pub(super) fn read(config: &EdgeConfig) -> Result<Self, EdgeError> {
        let link = LinkTls::from_files(&config.link)?;
        Ok(Self {
            name: name_of(config, &link)?,
            clients: tls::acceptor(&config.edge.tls)?,
            link,
        })
    }
}

/// The edge's name: its certificate's, which the configuration may repeat but not change.
fn name_of(config: &EdgeConfig, tls: &LinkTls) -> Result<EdgeId, EdgeError> {
    let PeerIdentity::Edge { region, edge } = tls.identity().clone() else {
        return Err(EdgeError::NotAnEdge(tls.identity().clone()));
    };
    same(
        "name",
        config.edge.name.as_ref().map(EdgeId::as_str),
        edge.as_str(),
    )?;
    same(
        "region",
        config.edge.region.as_ref().map(Region::as_str),
        region.as_str(),
    )?;
    Ok(edge)
}

fn same(key: &'static str, configured: Option<&str>, certified: &str) -> Result<(), EdgeError> {
    match configured {
        Some(configured) if configured != certified => Err(EdgeError::OtherName {
            key,
            configured: configured.to_owned(),
            certified: certified.to_owned(),
        }),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_may_repeat_the_certificate_but_not_change_it() {
        assert!(same("name", None, "edge-1").is_ok());
        assert!(same("name", Some("edge-1"), "edge-1").is_ok());
        let error = same("name", Some("edge-2"), "edge-1").expect_err("another");
        let text = r#"edge.name is "edge-2", but link.certificate_file says "edge-1""#;
        assert_eq!(error.to_string(), text);
    }
}
