//! What is known of the running processes: ready files, `dev.json`, the banner.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use trunkline_process::Ready;

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

/// Writes the addresses of everything to `dev.json`.
pub(crate) fn write(dir: &Path, ready: &BTreeMap<String, Ready>) -> Result<()> {
    let text = serde_json::to_string_pretty(ready)?;
    let beside = dir.join("dev.json.new");
    fs::write(&beside, text)?;
    fs::rename(beside, dir.join("dev.json")).context("dev.json")
}

/// What a person sees once all is up.
pub(crate) fn banner(ready: &BTreeMap<String, Ready>, dir: &Path) -> String {
    let mut text = String::from(
        "\nTrunkline is up. Open a page to see how to subscribe in one region and publish in another:\n\n",
    );
    for process in ready.values() {
        let line = match (process.listen, process.link) {
            (Some(listen), _) => format!("http://{listen}/"),
            (None, Some(link)) => format!("link {link} (QUIC)"),
            (None, None) => String::new(),
        };
        let admin = process.admin;
        let _ = writeln!(
            text,
            "  {:<16} {line:<32} metrics http://{admin}/metrics",
            process.name
        );
    }
    let _ = writeln!(
        text,
        "\n  API key \"dev\", token secret \"dev\"; data, logs and pids in {}",
        dir.display()
    );
    text.push_str("  Ctrl-C stops everything.\n\n");
    text
}
