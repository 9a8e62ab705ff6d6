//! Making certificates and writing them, readable by their owner only.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};

use super::holder::Holder;
use super::name::Name;

/// How long certificates are valid.
const VALIDITY: Duration = Duration::days(365);

/// Makes an authority.
pub(super) fn authority(dir: &Path, made: &mut Vec<PathBuf>) -> Result<()> {
    let mut params = params("Trunkline mesh");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    write_pair(dir, "ca", &certificate.pem(), &key, made)
}

/// The authority that the directory has.
pub(super) fn read_authority(dir: &Path) -> Result<Issuer<'static, KeyPair>> {
    let read = |file: &str| {
        fs::read_to_string(dir.join(file)).with_context(|| format!("{}", dir.join(file).display()))
    };
    let key = KeyPair::from_pem(&read("ca.key")?).context("ca.key")?;
    Issuer::from_ca_cert_pem(&read("ca.pem")?, key).context("ca.pem")
}

/// Makes a holder's certificate.
pub(super) fn leaf(
    dir: &Path,
    holder: &Holder,
    authority: &Issuer<'_, KeyPair>,
    made: &mut Vec<PathBuf>,
) -> Result<()> {
    let mut params = params(&holder.file);
    params.subject_alt_names = holder
        .names
        .iter()
        .map(Name::to_san)
        .collect::<Result<_>>()?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages.clone_from(&holder.usages);
    // Python 3.13 and newer want to be told by whose key it is signed.
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, authority)?;
    write_pair(dir, &holder.file, &certificate.pem(), &key, made)
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    // Clocks of a mesh differ a little: a certificate is valid from an hour ago.
    params.not_before = OffsetDateTime::now_utc() - Duration::hours(1);
    params.not_after = OffsetDateTime::now_utc() + VALIDITY;
    params
}

fn write_pair(
    dir: &Path,
    name: &str,
    certificate: &str,
    key: &KeyPair,
    made: &mut Vec<PathBuf>,
) -> Result<()> {
    for (ending, text) in [("key", key.serialize_pem().as_str()), ("pem", certificate)] {
        let path = dir.join(format!("{name}.{ending}"));
        write_private(&path, text).with_context(|| format!("{}", path.display()))?;
        made.push(path);
    }
    Ok(())
}

/// Writes beside the old file and renames, so that the mode is right from the start.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let _ = fs::remove_file(&beside);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)
}
