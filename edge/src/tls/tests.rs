//! Certificates as clients are shown them, and files that are none.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use super::*;

/// Writes a certificate for `localhost` and its key into a directory; returns the section that names them.
pub(crate) fn self_signed(dir: &Path) -> (TlsSection, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (certificate, key) = (dir.join("edge.pem"), dir.join("edge.key"));
    fs::write(&certificate, made.cert.pem()).expect("written");
    fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    let section = TlsSection {
        certificate_file: Some(certificate),
        key_file: Some(key),
    };
    (section, made.cert.der().clone())
}

/// A client that believes one certificate.
pub(crate) fn client(
    root: CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(root).expect("a root");
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

#[track_caller]
fn check_refused(section: &TlsSection, expected: &str) {
    let error = acceptor(section).err().expect("refused").to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn without_files_there_is_no_tls() {
    let none = acceptor(&TlsSection::default()).expect("nothing to read");
    assert!(none.is_none());
}

#[test]
fn a_file_that_is_not_there_is_named_with_its_key() {
    let dir = tempfile::tempdir().expect("a directory");
    let (section, _) = self_signed(dir.path());
    fs::remove_file(dir.path().join("edge.key")).expect("a file");
    let path = dir.path().join("edge.key");
    check_refused(
        &section,
        &format!("edge.tls.key_file {}: No such file", path.display()),
    );
}

#[test]
fn a_file_without_what_it_should_have_is_named_with_its_key() {
    let dir = tempfile::tempdir().expect("a directory");
    let (section, _) = self_signed(dir.path());
    let swapped = TlsSection {
        certificate_file: section.key_file.clone(),
        key_file: section.certificate_file.clone(),
    };
    check_refused(&swapped, "edge.tls.certificate_file ");
    let keyless = TlsSection {
        key_file: section.certificate_file.clone(),
        ..section
    };
    check_refused(&keyless, "edge.tls.key_file ");
}

#[test]
fn a_key_of_another_certificate_is_refused_with_both_files() {
    let (dir, other) = (
        tempfile::tempdir().expect("a directory"),
        tempfile::tempdir().expect("a directory"),
    );
    let (section, _) = self_signed(dir.path());
    let (others, _) = self_signed(other.path());
    let mixed = TlsSection {
        key_file: others.key_file,
        ..section
    };
    check_refused(&mixed, "edge.tls.certificate_file ");
    check_refused(&mixed, "edge.tls.key_file ");
}
