//! Certificates that are there already: kept, made anew, or refused.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use time::{Duration, OffsetDateTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::pem::parse_x509_pem;

use super::holder::Holder;
use super::name::names_of;

/// With less than this left a certificate counts as expired and is made anew.
const MARGIN: Duration = Duration::days(1);

/// A file of that name for somebody else is a mistake, and not to be kept or replaced in silence.
pub(super) fn refuse_another(dir: &Path, holder: &Holder) -> Result<()> {
    let path = dir.join(format!("{}.pem", holder.file));
    let Ok(pem) = fs::read(&path) else {
        return Ok(());
    };
    let names = read(&pem, names_of).with_context(|| format!("{}", path.display()))?;
    let found = names.iter().find_map(|name| name.uri());
    if found == holder.uri() {
        return Ok(());
    }
    bail!(
        "{} is for {}, not for {}",
        path.display(),
        found.unwrap_or("clients"),
        holder.uri().unwrap_or("clients")
    )
}

/// Whether the holder's files are there, name what they should, last, and are signed by the authority that is there.
pub(super) fn is_good(dir: &Path, holder: &Holder) -> bool {
    is_valid(dir, &holder.file, |certificate| {
        names_of(certificate) == holder.names && is_signed(dir, certificate)
    })
}

fn is_signed(dir: &Path, certificate: &X509Certificate<'_>) -> bool {
    let Ok(pem) = fs::read(dir.join("ca.pem")) else {
        return false;
    };
    let signed = read(&pem, |authority| {
        certificate.verify_signature(Some(authority.public_key()))
    });
    signed.is_ok_and(|verified| verified.is_ok())
}

/// Whether the authority's files are there and last.
pub(super) fn is_good_authority(dir: &Path) -> bool {
    is_valid(dir, "ca", |_| true)
}

fn is_valid(dir: &Path, name: &str, fits: impl FnOnce(&X509Certificate<'_>) -> bool) -> bool {
    let Ok(pem) = fs::read(dir.join(format!("{name}.pem"))) else {
        return false;
    };
    let needed = (OffsetDateTime::now_utc() + MARGIN).unix_timestamp();
    let good = read(&pem, |certificate| {
        certificate.validity().not_after.timestamp() > needed && fits(certificate)
    });
    good.unwrap_or(false) && dir.join(format!("{name}.key")).exists()
}

fn read<T>(pem: &[u8], of: impl FnOnce(&X509Certificate<'_>) -> T) -> Result<T> {
    let (_, pem) = parse_x509_pem(pem)?;
    Ok(of(&pem.parse_x509()?))
}
