//! Certificates: the one that a process shows on its links, and the one that an edge shows clients.

use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use trunkline_edge::EdgeConfig;
use trunkline_link::{LinkTls, NODE_DNS_NAME, PeerIdentity};

use super::certificate::{mode, names, pair, provider, read, validity};
use super::finding::Finding;
use super::role::Subject;

/// Looks at all certificates.
pub(super) fn check(subject: &Subject) -> Vec<Finding> {
    let mut findings = link(subject);
    if let Subject::Edge(config) = subject {
        findings.extend(clients(config));
    }
    findings
}

fn link(subject: &Subject) -> Vec<Finding> {
    let config = subject.link();
    let mut findings = vec![match LinkTls::from_files(config) {
        Ok(tls) => identity(subject, tls.identity()),
        Err(error) => Finding::fail("link certificate", error),
    }];
    if let (Some(ca), Some(certificate)) = (&config.ca_file, &config.certificate_file) {
        findings.push(Finding::of(
            "link certificate chain",
            verify(subject, ca, certificate),
        ));
        findings.push(validity("link certificate time", certificate));
        findings.push(validity("link authority time", ca));
    }
    if let Some(key) = &config.key_file {
        findings.push(mode("link key file", key));
    }
    findings
}

/// Whether the certificate is of the right kind, and of whom the configuration says.
fn identity(subject: &Subject, identity: &PeerIdentity) -> Finding {
    let what = "link certificate";
    match (subject, identity) {
        (Subject::Edge(config), PeerIdentity::Edge { region, edge }) => {
            let told = &config.edge;
            let other_name = told.name.as_ref().is_some_and(|name| name != edge);
            let other_region = told.region.as_ref().is_some_and(|name| name != region);
            if other_name || other_region {
                let detail = "is of another edge than edge.name and edge.region say";
                return Finding::fail(what, format!("{identity} {detail}"));
            }
            Finding::ok(what, identity)
        }
        (Subject::Backbone(_), PeerIdentity::Backbone { .. }) => Finding::ok(what, identity),
        (Subject::Edge(_), PeerIdentity::Backbone { .. }) => {
            Finding::fail(what, format!("{identity} is not an edge's"))
        }
        (Subject::Backbone(_), PeerIdentity::Edge { .. }) => {
            Finding::fail(what, format!("{identity} is not a node's"))
        }
    }
}

/// Verifies the own chain as the peers do.
fn verify(subject: &Subject, ca: &Path, certificate: &Path) -> Result<String, String> {
    let chain = read(certificate)?;
    let roots = Arc::new(roots(ca)?);
    let said = match subject {
        Subject::Edge(_) => verify_client(roots, &chain),
        Subject::Backbone(_) => verify_server(roots, &chain),
    };
    match said {
        Ok(()) => Ok(format!("signed by {}", ca.display())),
        Err(error) => Err(format!(
            "{} against {}: {error}",
            certificate.display(),
            ca.display()
        )),
    }
}

fn roots(ca: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in read(ca)? {
        roots
            .add(certificate)
            .map_err(|error| format!("{}: {error}", ca.display()))?;
    }
    Ok(roots)
}

fn verify_client(roots: Arc<RootCertStore>, chain: &[CertificateDer<'_>]) -> Result<(), String> {
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider())
        .build()
        .map_err(|error| error.to_string())?;
    let verified = verifier.verify_client_cert(&chain[0], &chain[1..], UnixTime::now());
    verified.map(drop).map_err(|error| error.to_string())
}

fn verify_server(roots: Arc<RootCertStore>, chain: &[CertificateDer<'_>]) -> Result<(), String> {
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider())
        .build()
        .map_err(|error| error.to_string())?;
    let name = ServerName::try_from(NODE_DNS_NAME).expect("a host's name");
    let verified = verifier.verify_server_cert(&chain[0], &chain[1..], &name, &[], UnixTime::now());
    verified.map(drop).map_err(|error| error.to_string())
}

fn clients(config: &EdgeConfig) -> Vec<Finding> {
    let what = "client certificate";
    let tls = &config.edge.tls;
    let (Some(certificate), Some(key)) = (&tls.certificate_file, &tls.key_file) else {
        return vec![plain(config)];
    };
    vec![
        Finding::of(what, pair(certificate, key)),
        names("client certificate names", certificate),
        validity("client certificate time", certificate),
        mode("client key file", key),
    ]
}

/// Without TLS what clients say can be read on its way, unless a proxy before the edge ends TLS.
fn plain(config: &EdgeConfig) -> Finding {
    let (what, listen) = ("client certificate", config.edge.listen);
    if listen.ip().is_loopback() {
        Finding::ok(what, "none: plain HTTP, on this machine only")
    } else {
        let detail = "plain HTTP: set edge.tls, or put a proxy with TLS before it";
        Finding::warn(what, format!("none, and edge.listen is {listen}: {detail}"))
    }
}
