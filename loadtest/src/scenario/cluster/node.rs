//! A node of the mesh with what stands between it and the others: a relay before its links and one before its database.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use trunkline_telemetry::names::backbone::{CLAIMING_NOW, HEARTBEATS_LATE, MOVES, SLOTS_NOW};

use super::config::node_config;
use crate::metrics::Counted;
use crate::scenario::processes::{Lab, Postgres, Process, Start};
use crate::wan::{TcpRelay, UdpRelay, WanConfig};

/// Time within which a node must have left: the mesh's own bound for a leave, 20 s, and some more for its end.
const LEAVES_WITHIN: Duration = Duration::from_secs(25);

/// Time within which an edge that is linked has sent something.
const IS_LINKED: Duration = Duration::from_secs(3);

/// A node, running or not.
#[derive(Debug)]
pub(super) struct Node {
    // Ended first: it uses the rest.
    process: Option<Process>,
    pub(super) name: &'static str,
    listen: SocketAddr,
    links: UdpRelay,
    store: TcpRelay,
}

impl Node {
    /// Makes everything but the process.
    ///
    /// # Errors
    /// When a relay can't be started.
    pub(super) fn new(lab: &Lab, postgres: SocketAddr, name: &'static str) -> Result<Self> {
        let any_port = (lab.ip, 0).into();
        // Known before the node's first start, since the relay before it must be.
        let listen = UdpSocket::bind::<SocketAddr>(any_port)?.local_addr()?;
        let links = UdpRelay::start(any_port, listen, WanConfig::default(), 1);
        let store = TcpRelay::start(any_port, postgres, WanConfig::default(), 1);
        Ok(Self {
            process: None,
            name,
            listen,
            links: links.context("a relay of links")?,
            store: store.context("a relay of the database")?,
        })
    }

    /// Where edges dial it.
    pub(super) const fn address(&self) -> SocketAddr {
        self.links.address()
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// When it doesn't start.
    pub(super) async fn start(
        &mut self,
        lab: (&Path, &Path),
        dir: &Path,
        database: &str,
    ) -> Result<()> {
        let (program, certificates) = lab;
        let dsn = Postgres::dsn(self.store.address(), database);
        let config = node_config(self.name, self.listen, self.address(), &dsn, certificates);
        let process = Process::start(Start {
            program: Command::new(program),
            command: "backbone",
            name: self.name,
            dir,
            config: &config,
        });
        self.process = Some(process.await?);
        Ok(())
    }

    fn process(&self) -> Result<&Process> {
        let process = self.process.as_ref();
        process.with_context(|| format!("{} doesn't run", self.name))
    }

    /// Whether it was started and not ended.
    pub(super) const fn is_started(&self) -> bool {
        self.process.is_some()
    }

    /// Whether it has ended though nobody ended it.
    pub(super) fn has_ended(&mut self) -> bool {
        self.process.as_mut().is_some_and(|one| !one.runs())
    }

    /// SIGKILL.
    pub(super) fn kill(&mut self) {
        self.process = None;
    }

    /// Lets it leave as planned and waits for its end.
    ///
    /// # Errors
    /// When it doesn't end in time, or says that something went wrong.
    pub(super) async fn leave(&mut self) -> Result<()> {
        let name = self.name;
        let process = self.process.take();
        let process = process.with_context(|| format!("{name} doesn't run"))?;
        let status = process.stop(LEAVES_WITHIN).await;
        let status = status.with_context(|| name.to_owned())?;
        ensure!(status.success(), "{name} left with {status}");
        Ok(())
    }

    /// Lets it stand still, or go on.
    ///
    /// # Errors
    /// When it doesn't run.
    pub(super) fn freeze(&self, frozen: bool) -> Result<()> {
        let signal = if frozen { Signal::STOP } else { Signal::CONT };
        self.process()?.signal(signal)
    }

    /// Cuts it off from the database, or heals that.
    pub(super) fn cut_store(&self, cut: bool) {
        self.store.cut(cut);
    }

    /// Cuts it off from all edges, or heals that.
    pub(super) fn cut_edges(&self, cut: bool) {
        self.links.cut(cut);
    }

    /// The edges that are linked to it, by the addresses that they come from.
    pub(super) fn linked(&self) -> Vec<SocketAddr> {
        self.links.clients(IS_LINKED)
    }

    /// Cuts it off from one of them, or heals that.
    pub(super) fn cut_edge(&self, edge: SocketAddr, cut: bool) {
        self.links.cut_client(edge, cut);
    }

    /// The slots that it owns, and whether none of them is being claimed and nobody joins or leaves as far as it knows.
    ///
    /// # Errors
    /// When its metrics can't be read.
    pub(super) async fn slots(&self) -> Result<(f64, bool)> {
        let counted = self.counted().await?;
        let unrest = counted.now(CLAIMING_NOW) + counted.now(MOVES);
        Ok((counted.now(SLOTS_NOW), unrest == 0.0))
    }

    /// Heartbeats that came late since its start.
    ///
    /// # Errors
    /// When its metrics can't be read.
    pub(super) async fn late_heartbeats(&self) -> Result<f64> {
        Ok(self.counted().await?.of(HEARTBEATS_LATE))
    }

    async fn counted(&self) -> Result<Counted> {
        let url = format!("http://{}/metrics", self.process()?.admin()?);
        Counted::read(&url.parse().map_err(anyhow::Error::msg)?).await
    }
}
