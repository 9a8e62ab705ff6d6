//! `trunkline dev cut`, `dev heal` and `dev start`: from another terminal while `trunkline dev` runs.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use axum::http::StatusCode;
use bytes::Bytes;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;
use trunkline_process::{Failure, tell};

use super::control::{Change, Question, Start, ask};
use super::state;
use crate::cli::{failure, usage};

/// What can be done with a mesh that runs.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum DevCommand {
    /// Cut a region off from the backbone: nothing passes until it is healed.
    Cut(Region),
    /// Let a region that was cut off reach the backbone again.
    Heal(Region),
    /// Start a node or an edge that has ended, or was killed; returns once it is ready.
    Start(Part),
}

/// Which region of which mesh.
#[derive(Clone, Debug, Args)]
pub(crate) struct Region {
    /// The region's name: eu-west, us-east or ap-south.
    #[arg(value_name = "REGION")]
    name: String,
    #[command(flatten)]
    mesh: Place,
}

/// Which process of which mesh.
#[derive(Clone, Debug, Args)]
pub(crate) struct Part {
    /// The process's name, as under DIR/pids: backbone-1, edge-eu-west, and so on.
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    mesh: Place,
}

/// Which mesh.
#[derive(Clone, Debug, Args)]
struct Place {
    /// Directory of the mesh, as `trunkline dev` was told.
    #[arg(long, default_value = super::DIR, value_name = "DIR")]
    dir: PathBuf,
}

impl DevCommand {
    /// Does it, and says what became of it.
    ///
    /// # Errors
    /// When no mesh runs there, it has no such region or process, or the process runs already or doesn't start.
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Cut(region) => cut(region, true),
            Self::Heal(region) => cut(region, false),
            Self::Start(part) => start(part),
        }
    }
}

fn cut(region: Region, cut: bool) -> Result<(), Failure> {
    let change = Change {
        region: region.name,
        cut,
    };
    order(&region.mesh.dir, &change, Question::Cut)?;
    let now = if cut { "cut off from" } else { "linked to" };
    tell(format_args!("{} is {now} the backbone", change.region));
    Ok(())
}

fn start(part: Part) -> Result<(), Failure> {
    let start = Start { name: part.name };
    order(&part.mesh.dir, &start, Question::Start)?;
    tell(format_args!("{} is ready", start.name));
    Ok(())
}

/// Has something done by the process that runs a mesh.
fn order(
    dir: &Path,
    body: &impl Serialize,
    question: impl FnOnce(Bytes) -> Question,
) -> Result<(), Failure> {
    let control = control_of(dir).map_err(|error| failure(&error))?;
    let body = serde_json::to_vec(body).map_err(|error| failure(&error.into()))?;
    let answer = send(control, question(body.into()));
    let (status, body) = answer.map_err(|error| failure(&error))?;
    match status {
        StatusCode::OK => Ok(()),
        StatusCode::NOT_FOUND => Err(usage(&refused(&body))),
        _ => Err(failure(&refused(&body))),
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

fn send(control: SocketAddr, question: Question) -> Result<(StatusCode, Bytes)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("runtime")?;
    let answer = runtime.block_on(ask(control, question));
    answer.context("is `trunkline dev` running?")
}

/// Why a mesh refuses, in its words.
fn refused(body: &[u8]) -> anyhow::Error {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = said["error"].as_str().map(ToOwned::to_owned);
    anyhow!(said.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()))
}
