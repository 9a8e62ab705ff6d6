//! A certificate with its key, as files.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::certificate::X509Certificate;
use x509_parser::time::ASN1Time;

use super::finding::Finding;
use crate::certs::names_of;

/// With less left of its time a certificate is warned of.
const DAYS_MIN: i64 = 30;

const DAY_SECONDS: i64 = 86_400;

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Reads the certificates of a file.
///
/// # Errors
/// In words, with the file's name.
pub(super) fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = path.display();
    let text = std::fs::read(path).map_err(|error| format!("{shown}: {error}"))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let certificates = certificates.map_err(|error| format!("{shown} is not PEM: {error}"))?;
    if certificates.is_empty() {
        return Err(format!("{shown} has no certificate in it"));
    }
    Ok(certificates)
}

/// Whether a chain's first certificate and a key belong together.
///
/// # Errors
/// In words, with the files' names, when they don't or can't be read.
pub(super) fn pair(certificate: &Path, key: &Path) -> Result<String, String> {
    let chain = read(certificate)?;
    let shown = key.display();
    let text = std::fs::read(key).map_err(|error| format!("{shown}: {error}"))?;
    let private = PrivateKeyDer::from_pem_slice(&text)
        .map_err(|error| format!("{shown} is not a private key in PEM: {error}"))?;
    CertifiedKey::from_der(chain, private, &provider())
        .map_err(|error| format!("{} with {shown}: {error}", certificate.display()))?;
    Ok(format!("{} with {shown}", certificate.display()))
}

/// How long the first certificate of a file is valid.
pub(super) fn validity(what: &str, path: &Path) -> Finding {
    let look = |leaf: &X509Certificate<'_>| {
        let (from, until) = (leaf.validity().not_before, leaf.validity().not_after);
        let left = until.timestamp() - now();
        let days = left / DAY_SECONDS;
        let until = date(until);
        if from.timestamp() > now() {
            Finding::fail(
                what,
                format!(
                    "valid from {} on: is this machine's clock right?",
                    date(from)
                ),
            )
        } else if left < 0 {
            Finding::fail(what, format!("expired on {until}"))
        } else if days < DAYS_MIN {
            Finding::warn(what, format!("expires on {until}, in {days} days"))
        } else {
            Finding::ok(what, format!("until {until}, {days} days"))
        }
    };
    leaf(path, look).unwrap_or_else(|error| Finding::fail(what, error))
}

/// The names in the first certificate of a file.
pub(super) fn names(what: &str, path: &Path) -> Finding {
    let look = |leaf: &X509Certificate<'_>| {
        let names: Vec<String> = names_of(leaf).iter().map(ToString::to_string).collect();
        if names.is_empty() {
            Finding::fail(what, "it names no host: clients refuse it")
        } else {
            Finding::ok(what, names.join(", "))
        }
    };
    leaf(path, look).unwrap_or_else(|error| Finding::fail(what, error))
}

fn leaf<T>(path: &Path, look: impl FnOnce(&X509Certificate<'_>) -> T) -> Result<T, String> {
    let chain = read(path)?;
    let leaf = x509_parser::parse_x509_certificate(&chain[0]);
    let (_, leaf) = leaf.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(look(&leaf))
}

/// Who may read a key.
pub(super) fn mode(what: &str, key: &Path) -> Finding {
    match std::fs::metadata(key) {
        Ok(metadata) => {
            let mode = metadata.permissions().mode() & 0o777;
            if mode & 0o077 == 0 {
                Finding::ok(what, format!("mode {mode:04o}"))
            } else {
                let shown = key.display();
                Finding::warn(
                    what,
                    format!("mode {mode:04o}, others can read it: chmod 600 {shown}"),
                )
            }
        }
        Err(error) => Finding::fail(what, format!("{}: {error}", key.display())),
    }
}

fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    since.as_secs().cast_signed()
}

fn date(time: ASN1Time) -> String {
    time.to_datetime().date().to_string()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use time::{Duration, OffsetDateTime};

    use super::*;

    /// What is found of a certificate valid from and until so many days from now.
    #[track_caller]
    fn check(days: std::ops::Range<i64>, expected: &str) {
        let now = OffsetDateTime::now_utc();
        let mut params = CertificateParams::default();
        // An hour more, so that the day isn't over while this runs.
        params.not_before = now + Duration::days(days.start);
        params.not_after = now + Duration::days(days.end) + Duration::hours(1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), certificate.pem()).expect("written");
        let found = validity("time", file.path()).to_string();
        assert!(found.contains(expected), "{found}");
    }

    #[test]
    fn a_certificate_is_warned_of_before_its_end() {
        check(-1..31, ", 31 days");
        check(-1..29, ", in 29 days");
        check(-9..-1, "expired on ");
        check(2..31, "valid from ");
    }
}
