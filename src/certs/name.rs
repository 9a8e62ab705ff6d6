//! What a certificate names: its subject's alternative names.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use anyhow::Result;
use rcgen::SanType;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;

/// One name in a certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Name {
    /// Who a process is on its links.
    Uri(String),
    /// A host.
    Dns(String),
    /// An address.
    Ip(IpAddr),
}

impl Name {
    pub(super) fn uri(&self) -> Option<&str> {
        match self {
            Self::Uri(uri) => Some(uri),
            Self::Dns(_) | Self::Ip(_) => None,
        }
    }

    /// As it is written into a certificate.
    pub(super) fn to_san(&self) -> Result<SanType> {
        Ok(match self {
            Self::Uri(uri) => SanType::URI(uri.as_str().try_into()?),
            Self::Dns(dns) => SanType::DnsName(dns.as_str().try_into()?),
            Self::Ip(ip) => SanType::IpAddress(*ip),
        })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uri(uri) => f.write_str(uri),
            Self::Dns(dns) => f.write_str(dns),
            Self::Ip(ip) => ip.fmt(f),
        }
    }
}

/// What a certificate names, kinds that we never write left out.
pub(crate) fn names_of(certificate: &X509Certificate<'_>) -> BTreeSet<Name> {
    let found = certificate.subject_alternative_name().ok().flatten();
    let found = found.map(|names| &names.value.general_names);
    found.into_iter().flatten().filter_map(read).collect()
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "X.509 has many kinds of names, of which we write three"
)]
fn read(name: &GeneralName<'_>) -> Option<Name> {
    match name {
        GeneralName::URI(uri) => Some(Name::Uri((*uri).to_owned())),
        GeneralName::DNSName(dns) => Some(Name::Dns((*dns).to_owned())),
        GeneralName::IPAddress(bytes) => address(bytes).map(Name::Ip),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let v6 = <[u8; 16]>::try_from(bytes).map(IpAddr::from);
    v4.or(v6).ok()
}
