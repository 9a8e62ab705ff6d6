//! Which processes are shown.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};
use trunkline_process::Failure;

use crate::commands::admin;

/// A process and where it tells how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) name: String,
    /// Its admin listener, as `HOST:PORT`.
    pub(super) admin: String,
    /// Its process id, where it runs on this machine.
    pub(super) pid: Option<u32>,
}

/// The processes, and where they are told from.
#[derive(Debug)]
pub(super) struct Targets {
    known: Vec<Target>,
    /// `dev.json`, which changes when dev mode is started again.
    file: Option<PathBuf>,
}

/// What of a ready file matters here.
#[derive(Deserialize)]
struct Told {
    name: String,
    pid: u32,
    admin: SocketAddr,
}

impl Targets {
    /// The processes of `trunkline dev`.
    ///
    /// # Errors
    /// When it doesn't run.
    pub(super) fn of_dev(dir: &Path) -> Result<Self, Failure> {
        let file = crate::dev::addresses_file(dir);
        let known = read(&file).map_err(|why| {
            Failure::Configuration(format!(
                "{}: {why}; is `trunkline dev` running? --url names the admin address of another process",
                file.display()
            ))
        })?;
        let file = Some(file);
        Ok(Self { known, file })
    }

    /// Processes named by their admin addresses.
    ///
    /// # Errors
    /// When one isn't an HTTP URL.
    pub(super) fn of_urls(urls: &[String]) -> Result<Self, Failure> {
        let known = urls
            .iter()
            .map(|url| of_url(url))
            .collect::<Result<_, _>>()?;
        Ok(Self { known, file: None })
    }

    /// The processes as they are now; as they were while dev mode is away.
    pub(super) fn now(&mut self) -> Vec<Target> {
        let told = self.file.as_deref().and_then(|file| read(file).ok());
        if let Some(told) = told {
            self.known = told;
        }
        self.known.clone()
    }
}

fn of_url(url: &str) -> Result<Target, Failure> {
    let name = admin::listener("--url", url, "/metrics")?;
    Ok(Target {
        admin: name.clone(),
        name,
        pid: None,
    })
}

fn read(file: &Path) -> Result<Vec<Target>, String> {
    let text = std::fs::read(file).map_err(|error| error.to_string())?;
    let all: Map<String, Value> =
        serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    // What isn't a process is of no interest here.
    let told = all
        .into_iter()
        .filter_map(|(_, value)| serde_json::from_value(value).ok());
    let targets = told.map(|told: Told| Target {
        name: told.name,
        admin: told.admin.to_string(),
        pid: Some(told.pid),
    });
    Ok(targets.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_process_in_dev_json_is_passed_over() {
        let dir = tempfile::tempdir().expect("a directory");
        let text = r#"{"control": "127.0.0.1:1", "edge": {"name": "edge", "pid": 7, "admin": "127.0.0.1:9191"}}"#;
        std::fs::write(dir.path().join("dev.json"), text).expect("written");
        let mut targets = Targets::of_dev(dir.path()).expect("it runs");
        let edge = Target {
            name: "edge".to_owned(),
            admin: "127.0.0.1:9191".to_owned(),
            pid: Some(7),
        };
        assert_eq!(targets.now(), std::slice::from_ref(&edge));
        std::fs::remove_file(dir.path().join("dev.json")).expect("it is there");
        assert_eq!(targets.now(), [edge]);
    }
}
