//! The mesh of one run: a node, two edges, a relay before the first edge's link, a store. Each can be broken and repaired.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::config::{edge_config, node_config};
use super::small_disk::SmallDisk;
use crate::args::Fault;
use crate::scenario::processes::{Lab, Postgres, Process, Start};
use crate::target::Target;
use crate::wan::{UdpRelay, WanConfig};

/// The edges' names, which their certificates have.
pub(super) const EDGES: [&str; 2] = ["edge-1", "edge-2"];

/// A running mesh; everything of it ends when it is dropped.
#[derive(Debug)]
pub(super) struct Mesh<'a> {
    // Ended first: its processes use the rest.
    node: Option<Process>,
    edges: [Option<Process>; 2],
    relay: Option<UdpRelay>,
    disk: Option<SmallDisk>,
    dir: PathBuf,
    program: PathBuf,
    certificates: PathBuf,
    postgres: Option<&'a mut Postgres>,
    /// The connection string, where the store is PostgreSQL.
    dsn: Option<String>,
    /// Address of the node's link, and of the edges for clients: any port at first, then those that they got.
    link: String,
    listen: [String; 2],
    fault: Fault,
}

impl<'a> Mesh<'a> {
    /// Starts a new mesh in a new directory.
    ///
    /// # Errors
    /// When anything doesn't start.
    pub(super) async fn start(lab: &'a mut Lab, dir: &Path, fault: Fault) -> Result<Self> {
        fs::create_dir(dir).with_context(|| dir.display().to_string())?;
        let (certificates, any_port) = (lab.certificates(), format!("{}:0", lab.ip));
        let dsn = match &lab.postgres {
            Some(server) => Some(server.database(&database_name(dir))?),
            None => None,
        };
        let mut mesh = Self {
            node: None,
            edges: [None, None],
            relay: None,
            disk: None,
            dir: dir.to_owned(),
            program: lab.program.clone(),
            certificates,
            postgres: lab.postgres.as_mut(),
            dsn,
            link: any_port.clone(),
            listen: [any_port.clone(), any_port],
            fault,
        };
        if fault == Fault::DiskFull {
            let at = dir.join("disk");
            fs::create_dir(&at)?;
            mesh.disk = Some(SmallDisk::mount(at)?);
        }
        mesh.start_node().await?;
        if fault == Fault::Link {
            let target = mesh.link.parse().context("the node's address")?;
            let relay = UdpRelay::start((lab.ip, 0).into(), target, WanConfig::default(), 1);
            mesh.relay = Some(relay.context("a relay")?);
        }
        mesh.start_edges().await?;
        Ok(mesh)
    }

    async fn start_node(&mut self) -> Result<()> {
        let (store, program) = match &self.disk {
            Some(disk) => (disk.path().join("store"), disk.command(&self.program)),
            None => (self.dir.join("store"), Command::new(&self.program)),
        };
        let config = node_config(
            &self.link,
            &store,
            self.dsn.as_deref(),
            &self.certificates,
            self.fault,
        );
        let node = Process::start(Start {
            program,
            command: "backbone",
            name: "backbone-1",
            dir: &self.dir,
            config: &config,
        });
        let node = node.await?;
        node.link()?.clone_into(&mut self.link);
        self.node = Some(node);
        Ok(())
    }

    async fn start_edge(&mut self, place: usize) -> Result<()> {
        let relay = self.relay.as_ref().filter(|_| place == 0);
        let relay = relay.map(|relay| relay.address().to_string());
        let config = edge_config(
            EDGES[place],
            &self.listen[place],
            relay.as_deref().unwrap_or(&self.link),
            relay.is_none(),
            &self.certificates,
            self.fault,
        );
        let edge = Process::start(Start {
            program: Command::new(&self.program),
            command: "edge",
            name: EDGES[place],
            dir: &self.dir,
            config: &config,
        });
        let edge = edge.await?;
        edge.listen()?.clone_into(&mut self.listen[place]);
        self.edges[place] = Some(edge);
        Ok(())
    }

    async fn start_edges(&mut self) -> Result<()> {
        for place in 0..EDGES.len() {
            self.start_edge(place).await?;
        }
        Ok(())
    }

    /// Breaks what the fault breaks, at once, but for the disk, which takes some time to fill up; of the edges the one at
    /// `place`.
    ///
    /// # Errors
    /// When the disk can't be filled.
    pub(super) async fn inflict(&mut self, place: usize) -> Result<()> {
        match self.fault {
            Fault::Edge => self.edges[place] = None,
            Fault::Backbone => self.node = None,
            Fault::Postgres => self.crash_postgres(),
            Fault::All => {
                self.node = None;
                self.edges = [None, None];
                self.crash_postgres();
            }
            Fault::DiskFull => {
                self.disk.as_ref().context("no small disk")?.fill().await?;
            }
            Fault::Link => self.relay.as_ref().context("no relay")?.cut(true),
        }
        Ok(())
    }

    fn crash_postgres(&mut self) {
        if let Some(server) = &mut self.postgres {
            server.crash();
        }
    }

    /// Puts right what the fault has broken; returns once what was started again is ready.
    ///
    /// # Errors
    /// When something doesn't start.
    pub(super) async fn repair(&mut self, place: usize) -> Result<()> {
        match self.fault {
            Fault::Edge => self.start_edge(place).await,
            Fault::Backbone => self.start_node().await,
            Fault::Postgres => self.run_postgres().await,
            Fault::All => {
                self.run_postgres().await?;
                self.start_node().await?;
                self.start_edges().await
            }
            Fault::DiskFull => self.disk.as_ref().context("no small disk")?.empty(),
            Fault::Link => {
                self.relay.as_ref().context("no relay")?.cut(false);
                Ok(())
            }
        }
    }

    async fn run_postgres(&mut self) -> Result<()> {
        match &mut self.postgres {
            Some(server) => server.run().await,
            None => Ok(()),
        }
    }

    /// Starts all of its processes anew, so that nothing but the store remembers anything.
    ///
    /// # Errors
    /// When something doesn't start.
    pub(super) async fn forget(&mut self) -> Result<()> {
        (self.node, self.edges) = (None, [None, None]);
        self.start_node().await?;
        self.start_edges().await
    }

    /// Names of processes that have ended though nobody ended them.
    pub(super) fn ended(&mut self) -> Vec<&'static str> {
        let named = ["backbone-1"].into_iter().chain(EDGES);
        let processes = std::iter::once(&mut self.node).chain(&mut self.edges);
        let ended = |process: &mut Option<Process>| process.as_mut().is_some_and(|one| !one.runs());
        named
            .zip(processes)
            .filter_map(|(name, process)| ended(process).then_some(name))
            .collect()
    }

    /// The endpoints for clients' sockets.
    ///
    /// # Errors
    /// When an edge's address can't be read.
    pub(super) fn sockets(&self) -> Result<[Target; 2]> {
        self.targets("ws", "/connection/websocket")
    }

    /// The addresses for calls of the server API.
    ///
    /// # Errors
    /// When an edge's address can't be read.
    pub(super) fn apis(&self) -> Result<[Target; 2]> {
        self.targets("http", "")
    }

    fn targets(&self, scheme: &str, path: &str) -> Result<[Target; 2]> {
        let target = |listen: &String| {
            let url = format!("{scheme}://{listen}{path}");
            url.parse().map_err(anyhow::Error::msg)
        };
        Ok([target(&self.listen[0])?, target(&self.listen[1])?])
    }
}

/// Of a run's directory, which no other run has.
fn database_name(dir: &Path) -> String {
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    name.replace('-', "_")
}
