//! `trunkline dev cut` and `trunkline dev heal`: from another terminal while `trunkline dev` runs.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use axum::http::{Method, StatusCode};
use clap::{Args, Subcommand};
use serde_json::Value;
use trunkline_process::{Failure, tell};

use super::control::{Change, ask};
use super::state;
use crate::cli::{failure, usage};

/// What can be done with a mesh that runs.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum DevCommand {
    /// Cut a region off from the backbone: nothing passes until it is healed.
    Cut(Region),
    /// Let a region that was cut off reach the backbone again.
    Heal(Region),
}

/// Which region of which mesh.
#[derive(Clone, Debug, Args)]
pub(crate) struct Region {
    /// The region's name: eu-west, us-east or ap-south.
    #[arg(value_name = "REGION")]
    name: String,
    /// Directory of the mesh, as `trunkline dev` was told.
    #[arg(long, default_value = super::DIR, value_name = "DIR")]
    dir: PathBuf,
}

impl DevCommand {
    /// Does it, and says what became of it.
    ///
    /// # Errors
    /// When no mesh runs there, or it has no such region.
    pub(crate) fn run(self) -> Result<(), Failure> {
        let (region, cut) = match self {
            Self::Cut(region) => (region, true),
            Self::Heal(region) => (region, false),
        };
        let control = control_of(&region.dir).map_err(|error| failure(&error))?;
        let change = Change {
            region: region.name,
            cut,
        };
        let (status, body) = send(control, &change).map_err(|error| failure(&error))?;
        match status {
            StatusCode::OK => {
                let now = if cut { "cut off from" } else { "linked to" };
                tell(format_args!("{} is {now} the backbone", change.region));
                Ok(())
            }
            StatusCode::NOT_FOUND => Err(usage(&refused(&body))),
            _ => Err(failure(&refused(&body))),
        }
    }
}

/// Where the process that runs the mesh of a directory listens.
fn control_of(dir: &Path) -> Result<SocketAddr> {
    let file = state::file(dir);
    let text = std::fs::read(&file).map_err(|_| {
        anyhow!(
            "no dev.json in {}: is `trunkline dev` running?",
            dir.display()
        )
    })?;
    let known: Value =
        serde_json::from_slice(&text).with_context(|| format!("{}", file.display()))?;
    let control = known["control"].as_str().and_then(|text| text.parse().ok());
    control.ok_or_else(|| anyhow!("{} has no `control` address", file.display()))
}

fn send(control: SocketAddr, change: &Change) -> Result<(StatusCode, Vec<u8>)> {
    let body = serde_json::to_vec(change)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("runtime")?;
    let answer = runtime.block_on(ask(control, Method::POST, body.into()));
    let (status, body) = answer.context("is `trunkline dev` running?")?;
    Ok((status, body.into()))
}

/// Why a mesh refuses, in its words.
fn refused(body: &[u8]) -> anyhow::Error {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = said["error"].as_str().map(ToOwned::to_owned);
    anyhow!(said.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()))
}
