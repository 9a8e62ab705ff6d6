//! What is known of the running processes: ready files and `dev.json`.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use trunkline_process::Ready;

use super::plan::Plan;

/// How often a ready file is looked for; it appears once, so this bounds only the wait at start.
const POLL: Duration = Duration::from_millis(20);

/// Waits for a ready file; it is written atomically, so it is whole when it is there.
pub(crate) async fn wait_for(path: &Path) -> Result<Ready> {
    loop {
        match fs::read(path) {
            Ok(text) => {
                return serde_json::from_slice(&text)
                    .with_context(|| format!("{}", path.display()));
            }
            Err(_) => tokio::time::sleep(POLL).await,
        }
    }
}

/// The mesh's authority, which clients of dev mode's edges must trust where these show a certificate.
pub(crate) fn authority(dir: &Path) -> PathBuf {
    dir.join("certs").join("ca.pem")
}

/// Where the addresses of everything are.
pub(crate) fn file(dir: &Path) -> PathBuf {
    dir.join("dev.json")
}

/// Where everything is.
pub(crate) struct Addresses<'a> {
    /// What each process said when it was ready.
    pub(crate) ready: &'a BTreeMap<String, Ready>,
    /// Where this process listens.
    pub(crate) control: SocketAddr,
    /// How others connect to the database, where there is one.
    pub(crate) dsn: Option<&'a str>,
}

/// Writes the addresses of everything to `dev.json`.
pub(crate) fn write(dir: &Path, plan: &Plan, addresses: &Addresses<'_>) -> Result<()> {
    let mut all = Map::new();
    for (name, ready) in addresses.ready {
        all.insert(name.clone(), serde_json::to_value(ready)?);
    }
    for edge in plan.edges() {
        if let Some(told) = all.get_mut(&edge.name) {
            told["region"] = json!(edge.region);
            told["tls"] = json!(plan.tls());
        }
    }
    all.insert("control".to_owned(), json!(addresses.control));
    if let Some(dsn) = addresses.dsn {
        all.insert("postgres".to_owned(), json!({ "dsn": dsn }));
    }
    let beside = dir.join("dev.json.new");
    fs::write(&beside, serde_json::to_string_pretty(&Value::Object(all))?)?;
    fs::rename(beside, file(dir)).context("dev.json")
}

/// Forgets the addresses of a mesh that has ended, or of one that is about to begin.
pub(crate) fn remove(dir: &Path) {
    let _ = fs::remove_file(file(dir));
}
