//! Whom a certificate is for.

use std::collections::BTreeSet;
use std::net::IpAddr;

use anyhow::{Result, anyhow};
use rcgen::ExtendedKeyUsagePurpose;
use trunkline_link::{NODE_DNS_NAME, PeerIdentity};
use trunkline_shared::{EdgeId, NodeId, Region};

use super::name::Name;

/// Whom a certificate is for.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    /// The file's name without its ending.
    pub(crate) file: String,
    /// What the certificate names.
    pub(super) names: BTreeSet<Name>,
    /// What the certificate is good for.
    pub(super) usages: Vec<ExtendedKeyUsagePurpose>,
}

impl Holder {
    /// A node, on its links.
    pub(crate) fn backbone(name: &str) -> Result<Self> {
        let identity = PeerIdentity::Backbone {
            node: NodeId::parse(name)?,
        };
        let dns = Name::Dns(NODE_DNS_NAME.to_owned());
        Ok(Self::on_links(name, &identity, Some(dns)))
    }

    /// An edge, on its links; parses `REGION/NAME`.
    pub(crate) fn edge(text: &str) -> Result<Self> {
        let (region, name) = text
            .split_once('/')
            .ok_or_else(|| anyhow!("an edge is written REGION/NAME, not {text:?}"))?;
        let identity = PeerIdentity::Edge {
            region: Region::parse(region)?,
            edge: EdgeId::parse(name)?,
        };
        Ok(Self::on_links(name, &identity, None))
    }

    fn on_links(name: &str, identity: &PeerIdentity, dns: Option<Name>) -> Self {
        let uri = Name::Uri(identity.to_string());
        Self {
            file: name.to_owned(),
            names: std::iter::once(uri).chain(dns).collect(),
            usages: vec![
                ExtendedKeyUsagePurpose::ClientAuth,
                ExtendedKeyUsagePurpose::ServerAuth,
            ],
        }
    }

    /// An edge of this machine, as its clients see it: no identity on links.
    pub(crate) fn for_clients(edge: &str, ip: IpAddr) -> Self {
        let names = [Name::Ip(ip), Name::Dns("localhost".to_owned())];
        Self {
            file: format!("client-{edge}"),
            names: BTreeSet::from(names),
            usages: vec![ExtendedKeyUsagePurpose::ServerAuth],
        }
    }

    /// Its identity on links.
    pub(super) fn uri(&self) -> Option<&str> {
        self.names.iter().find_map(Name::uri)
    }
}
