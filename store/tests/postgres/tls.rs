//! Connections are encrypted, and only to a server whose certificate is trusted.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use trunkline_store::PostgresStore;
use trunkline_store::postgres::Options;
use trunkline_store_core::suite::Sample;

use super::support::{Postgres, block_on, lend, options, own_ip};

/// Writes an authority's certificate; returns its file and what it signs with.
fn authority(directory: &Path, name: &str) -> (PathBuf, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let file = directory.join(name);
    std::fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
    (file, Issuer::new(params, key))
}

#[test]
fn a_trusted_server_is_spoken_to_in_secret_and_another_one_not_at_all() {
    let directory = TempDir::new().unwrap();
    let (roots, authority_key) = authority(directory.path(), "ca.pem");
    let (other_roots, _) = authority(directory.path(), "other.pem");
    let ip = own_ip();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![ip.to_string()]).unwrap();
    let certificate = params.signed_by(&key, &authority_key).unwrap();
    let file = |name: &str, text: String| {
        use std::os::unix::fs::PermissionsExt;
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        lend(&path);
        path.display().to_string()
    };
    lend(directory.path());
    let settings = [
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", file("server.pem", certificate.pem())),
        format!("ssl_key_file={}", file("server.key", key.serialize_pem())),
    ];
    let settings = settings.each_ref().map(String::as_str);
    let Some(server) = Postgres::start(ip, &settings) else {
        return;
    };
    let database = server.database();
    let with = |roots| Options {
        ca_file: Some(roots),
        ..options(server.dsn(&database))
    };
    block_on(async {
        let store = PostgresStore::open(&with(roots)).await.unwrap();
        Sample(&store).claim(5).await;
        let plain = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
            WHERE application_name = 'trunkline' AND NOT ssl";
        assert_eq!(server.sql(&database, plain), "0");
        let error = PostgresStore::open(&with(other_roots)).await.unwrap_err();
        let said = error.to_string();
        assert!(said.contains("invalid peer certificate"), "{said}");
    });
}
