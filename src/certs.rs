//! Certificates for links: one authority per mesh, one certificate per process.
//!
//! A process's identity is the URI in its certificate: `trunkline://edge/<region>/<edge-id>` or
//! `trunkline://backbone/<node-id>`; nodes also carry the DNS name that edges ask for.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};
use trunkline_link::{NODE_DNS_NAME, PeerIdentity};
use trunkline_shared::{EdgeId, NodeId, Region};
use x509_parser::extensions::GeneralName;
use x509_parser::pem::parse_x509_pem;

/// How long certificates are valid.
const VALIDITY: Duration = Duration::days(365);

/// With less than this left a certificate counts as expired and is made anew.
const MARGIN: Duration = Duration::days(1);

/// Whom a certificate is for.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    /// The file's name without its ending.
    pub(crate) name: String,
    uri: String,
    dns: Option<&'static str>,
}

impl Holder {
    pub(crate) fn backbone(name: &str) -> Result<Self> {
        let identity = PeerIdentity::Backbone {
            node: NodeId::parse(name)?,
        };
        Ok(Self {
            name: name.to_owned(),
            uri: identity.to_string(),
            dns: Some(NODE_DNS_NAME),
        })
    }

    /// Parses `REGION/NAME`.
    pub(crate) fn edge(text: &str) -> Result<Self> {
        let (region, name) = text
            .split_once('/')
            .ok_or_else(|| anyhow!("an edge is written REGION/NAME, not {text:?}"))?;
        let identity = PeerIdentity::Edge {
            region: Region::parse(region)?,
            edge: EdgeId::parse(name)?,
        };
        Ok(Self {
            name: name.to_owned(),
            uri: identity.to_string(),
            dns: None,
        })
    }
}

/// Makes what isn't there yet or has expired; returns the files written.
///
/// A new authority makes all certificates anew: the old ones were signed by another.
pub(crate) fn ensure(dir: &Path, holders: &[Holder]) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(dir).with_context(|| format!("{}", dir.display()))?;
    let mut made = Vec::new();
    let fresh_authority = !is_valid(dir, "ca");
    if fresh_authority {
        write_authority(dir, &mut made)?;
    }
    let authority = read_authority(dir)?;
    for holder in holders {
        refuse_another(dir, holder)?;
        if fresh_authority || !is_valid(dir, &holder.name) {
            write_leaf(dir, holder, &authority, &mut made)?;
        }
    }
    Ok(made)
}

/// A file of that name for somebody else is a mistake, and not to be kept or replaced in silence.
fn refuse_another(dir: &Path, holder: &Holder) -> Result<()> {
    let path = dir.join(format!("{}.pem", holder.name));
    let Ok(pem) = fs::read(&path) else {
        return Ok(());
    };
    let (_, pem) = parse_x509_pem(&pem).with_context(|| format!("{}", path.display()))?;
    let certificate = pem
        .parse_x509()
        .with_context(|| format!("{}", path.display()))?;
    let names = certificate
        .subject_alternative_name()?
        .map(|names| names.value.general_names.clone());
    let uri = names.into_iter().flatten().find_map(|name| {
        if let GeneralName::URI(uri) = name {
            Some(uri)
        } else {
            None
        }
    });
    match uri {
        Some(uri) if uri != holder.uri => Err(anyhow!(
            "{} is for {uri}, not for {}",
            path.display(),
            holder.uri
        )),
        Some(_) | None => Ok(()),
    }
}

fn is_valid(dir: &Path, name: &str) -> bool {
    let Ok(pem) = fs::read(dir.join(format!("{name}.pem"))) else {
        return false;
    };
    let until = parse_x509_pem(&pem).ok().and_then(|(_, pem)| {
        let certificate = pem.parse_x509().ok()?;
        Some(certificate.validity().not_after.timestamp())
    });
    let needed = (OffsetDateTime::now_utc() + MARGIN).unix_timestamp();
    until.is_some_and(|until| until > needed) && dir.join(format!("{name}.key")).exists()
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

fn write_authority(dir: &Path, made: &mut Vec<PathBuf>) -> Result<()> {
    let mut params = params("Trunkline mesh");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    write_pair(dir, "ca", &certificate.pem(), &key, made)
}

fn read_authority(dir: &Path) -> Result<Issuer<'static, KeyPair>> {
    let read = |file: &str| {
        fs::read_to_string(dir.join(file)).with_context(|| format!("{}", dir.join(file).display()))
    };
    let key = KeyPair::from_pem(&read("ca.key")?).context("ca.key")?;
    Issuer::from_ca_cert_pem(&read("ca.pem")?, key).context("ca.pem")
}

fn write_leaf(
    dir: &Path,
    holder: &Holder,
    authority: &Issuer<'_, KeyPair>,
    made: &mut Vec<PathBuf>,
) -> Result<()> {
    let mut params = params(&holder.name);
    params
        .subject_alt_names
        .push(SanType::URI(holder.uri.as_str().try_into()?));
    if let Some(dns) = holder.dns {
        params
            .subject_alt_names
            .push(SanType::DnsName(dns.try_into()?));
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsagePurpose::ServerAuth,
    ];
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, authority)?;
    write_pair(dir, &holder.name, &certificate.pem(), &key, made)
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn names(paths: &[PathBuf]) -> Vec<String> {
        let name = |path: &PathBuf| {
            path.file_name()
                .map(|name| name.to_string_lossy().into_owned())
        };
        paths.iter().filter_map(name).collect()
    }

    #[test]
    fn certificates_are_made_once_and_are_private() {
        let dir = tempfile::tempdir().expect("a directory");
        let holders = [
            Holder::backbone("backbone-1").expect("a name"),
            Holder::edge("eu-west/edge-eu-west").expect("a name"),
        ];
        let made = ensure(dir.path(), &holders).expect("certificates");
        let expected = [
            "ca.key",
            "ca.pem",
            "backbone-1.key",
            "backbone-1.pem",
            "edge-eu-west.key",
            "edge-eu-west.pem",
        ];
        assert_eq!(names(&made), expected);
        for path in &made {
            let mode = fs::metadata(path).expect("a file").permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", path.display());
        }
        assert!(
            ensure(dir.path(), &holders)
                .expect("certificates")
                .is_empty()
        );
    }

    #[test]
    fn a_lost_authority_makes_all_certificates_anew() {
        let dir = tempfile::tempdir().expect("a directory");
        let holders = [Holder::backbone("backbone-1").expect("a name")];
        ensure(dir.path(), &holders).expect("certificates");
        fs::remove_file(dir.path().join("ca.pem")).expect("a file");
        assert_eq!(ensure(dir.path(), &holders).expect("certificates").len(), 4);
    }

    #[test]
    fn a_certificate_of_that_name_for_somebody_else_is_not_kept_in_silence() {
        let dir = tempfile::tempdir().expect("a directory");
        ensure(
            dir.path(),
            &[Holder::edge("eu-west/edge-1").expect("a name")],
        )
        .expect("certificates");
        let error = ensure(
            dir.path(),
            &[Holder::edge("us-east/edge-1").expect("a name")],
        )
        .expect_err("another edge");
        assert!(
            error
                .to_string()
                .contains("is for trunkline://edge/eu-west/edge-1"),
            "{error}"
        );
    }

    #[test]
    fn an_edge_needs_its_region() {
        assert!(Holder::edge("edge-eu-west").is_err());
        assert!(Holder::edge("EU/edge").is_err());
    }
}
