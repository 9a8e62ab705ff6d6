//! A look at the own certificate before peers look at it: they only say that they refuse it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::CertificateDer;
use tracing::warn;
use x509_parser::time::ASN1Time;

use crate::tls_error::{PemFile, TlsError};

/// Time before the end of a certificate from which a start warns of it.
const SOON: Duration = Duration::from_hours(14 * 24);

/// Refuses a leaf that isn't valid at `now`, and warns of one that soon won't be.
pub(crate) fn check(
    file: &PemFile,
    chain: &[CertificateDer<'_>],
    now: SystemTime,
) -> Result<(), TlsError> {
    let leaf = chain
        .first()
        .and_then(|leaf| x509_parser::parse_x509_certificate(leaf).ok());
    let Some((_, leaf)) = leaf else {
        // Its identity was read from it before.
        return Ok(());
    };
    let (from, until) = (leaf.validity().not_before, leaf.validity().not_after);
    let (file, now) = (file.clone(), seconds(now));
    if now > until.timestamp() {
        return Err(TlsError::Expired {
            file,
            date: date(until),
        });
    }
    if now < from.timestamp() {
        return Err(TlsError::NotYetValid {
            file,
            date: date(from),
        });
    }
    if until.timestamp() - now < SOON.as_secs().cast_signed() {
        warn!(%file, until = date(until), "certificate expires soon");
    }
    Ok(())
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs().cast_signed()
}

fn date(time: ASN1Time) -> String {
    let time = time.to_datetime();
    format!(
        "{} {:02}:{:02} UTC",
        time.date(),
        time.hour(),
        time.minute()
    )
}
