//! An edge of the mesh, which keeps its address over restarts.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::config::{EDGE_DRAIN_SECONDS, edge_config};
use crate::scenario::processes::{Process, Start};
use crate::target::Target;

/// Time within which an edge must have drained, and some more for its end.
const DRAINS_WITHIN: Duration = Duration::from_secs(EDGE_DRAIN_SECONDS + 10);

/// An edge, running or not.
#[derive(Debug)]
pub(super) struct Edge {
    process: Option<Process>,
    pub(super) name: &'static str,
    /// Any port at first, then the one that it got.
    listen: String,
}

impl Edge {
    /// One that isn't started.
    pub(super) fn new(name: &'static str, ip: std::net::IpAddr) -> Self {
        Self {
            process: None,
            name,
            listen: SocketAddr::from((ip, 0)).to_string(),
        }
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// When it doesn't start.
    pub(super) async fn start(
        &mut self,
        lab: (&Path, &Path),
        dir: &Path,
        contacts: &[SocketAddr],
    ) -> Result<()> {
        let (program, certificates) = lab;
        let config = edge_config(self.name, &self.listen, contacts, certificates);
        let process = Process::start(Start {
            program: Command::new(program),
            command: "edge",
            name: self.name,
            dir,
            config: &config,
        });
        let process = process.await?;
        process.listen()?.clone_into(&mut self.listen);
        self.process = Some(process);
        Ok(())
    }

    /// Lets it drain and waits for its end.
    ///
    /// # Errors
    /// When it doesn't end in time, or says that something went wrong.
    pub(super) async fn drain(&mut self) -> Result<()> {
        let name = self.name;
        let process = self.process.take();
        let process = process.with_context(|| format!("{name} doesn't run"))?;
        let status = process.stop(DRAINS_WITHIN).await;
        let status = status.with_context(|| name.to_owned())?;
        ensure!(status.success(), "{name} drained with {status}");
        Ok(())
    }

    /// Whether it has ended though nobody ended it.
    pub(super) fn has_ended(&mut self) -> bool {
        self.process.as_mut().is_some_and(|one| !one.runs())
    }

    /// The endpoint for clients' sockets.
    ///
    /// # Errors
    /// When the address can't be read.
    pub(super) fn socket(&self) -> Result<Target> {
        let url = format!("ws://{}/connection/websocket", self.listen);
        url.parse().map_err(anyhow::Error::msg)
    }

    /// The address for calls of the server API.
    ///
    /// # Errors
    /// When the address can't be read.
    pub(super) fn api(&self) -> Result<Target> {
        let url = format!("http://{}", self.listen);
        url.parse().map_err(anyhow::Error::msg)
    }
}
