//! The mesh: three nodes and a fourth that may join, three edges, one database.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::future::{join_all, try_join_all};
use tokio::time::{Instant, sleep};

use super::edge::Edge;
use super::node::Node;
use crate::scenario::processes::{Lab, Postgres};
use crate::target::Target;

/// The nodes' names, which their certificates have. As many as are asked for run when nothing is broken; the last one only
/// joins where a fault says so.
pub(super) const NODES: [&str; 4] = ["backbone-1", "backbone-2", "backbone-3", "backbone-4"];

/// The place of that one.
pub(super) const JOINER: usize = 3;

/// The edges' names, which their certificates have.
pub(super) const EDGES: [&str; 3] = ["edge-1", "edge-2", "edge-3"];

/// All slots of a mesh.
const SLOTS: f64 = 4096.0;

/// By how much a node's share may be above the mean.
const LOAD_MAX: f64 = 1.1;

/// Time within which slots must have come to rest.
const REST_WITHIN: Duration = Duration::from_secs(60);

/// From one look at the nodes' slots to the next, and how many in a row must show the same.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
const SAME_LOOKS: u32 = 3;

/// A running mesh; everything of it ends when it is dropped.
#[derive(Debug)]
pub(super) struct Mesh<'a> {
    /// Nodes that run when nothing is broken, at most three.
    pub(super) at_rest: usize,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    pub(super) postgres: &'a mut Postgres,
    dir: PathBuf,
    program: PathBuf,
    certificates: PathBuf,
    database: String,
}

impl<'a> Mesh<'a> {
    /// Starts a new mesh in a new directory, all nodes at once.
    ///
    /// # Errors
    /// When anything doesn't start.
    pub(super) async fn start(lab: &'a mut Lab, dir: &Path, at_rest: usize) -> Result<Self> {
        fs::create_dir(dir).with_context(|| dir.display().to_string())?;
        let postgres = lab.postgres.as_ref().context("no PostgreSQL")?.address();
        let nodes = NODES.iter().map(|name| Node::new(lab, postgres, name));
        let nodes = nodes.collect::<Result<_>>()?;
        let edges = EDGES.iter().map(|name| Edge::new(name, lab.ip)).collect();
        let (program, certificates) = (lab.program.clone(), lab.certificates());
        let mut mesh = Self {
            at_rest,
            nodes,
            edges,
            postgres: lab.postgres.as_mut().context("no PostgreSQL")?,
            dir: dir.to_owned(),
            program,
            certificates,
            // Of the directory, which no other mesh of this server has.
            database: dir
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .replace('-', "_"),
        };
        mesh.postgres.database(&mesh.database)?;
        mesh.start_nodes(0..at_rest).await?;
        for place in 0..EDGES.len() {
            mesh.start_edge(place).await?;
        }
        Ok(mesh)
    }

    /// Starts nodes, all at once, and waits until all of them are ready.
    ///
    /// # Errors
    /// When one doesn't start.
    pub(super) async fn start_nodes(
        &mut self,
        places: impl IntoIterator<Item = usize>,
    ) -> Result<()> {
        let places: Vec<usize> = places.into_iter().collect();
        let lab = (&*self.program, &*self.certificates);
        let chosen = self.nodes.iter_mut().enumerate();
        let chosen = chosen.filter(|(place, _)| places.contains(place));
        let starts = chosen.map(|(_, node)| node.start(lab, &self.dir, &self.database));
        try_join_all(starts).await.map(drop)
    }

    /// Starts an edge and waits until it is ready.
    ///
    /// # Errors
    /// When it doesn't start.
    pub(super) async fn start_edge(&mut self, place: usize) -> Result<()> {
        let lab = (&*self.program, &*self.certificates);
        let nodes = self.nodes.iter().take(self.at_rest);
        let contacts: Vec<SocketAddr> = nodes.map(Node::address).collect();
        self.edges[place].start(lab, &self.dir, &contacts).await
    }

    /// Puts an empty database in the place of the database.
    ///
    /// # Errors
    /// When the server refuses.
    pub(super) fn replace_store(&self) -> Result<()> {
        self.postgres.replace(&self.database)
    }

    /// The database, past every relay.
    pub(super) fn dsn(&self) -> String {
        Postgres::dsn(self.postgres.address(), &self.database)
    }

    /// Waits until the nodes that run share all slots as evenly as they should and have claimed them; returns their shares.
    ///
    /// # Errors
    /// When that takes too long.
    pub(super) async fn rest(&self) -> Result<Vec<f64>> {
        let (since, mut same, mut last) = (Instant::now(), 0, Vec::new());
        while since.elapsed() < REST_WITHIN {
            let (shares, is_even) = self.shares().await;
            same = if is_even && shares == last {
                same + 1
            } else {
                0
            };
            last = shares;
            if same == SAME_LOOKS {
                return Ok(last);
            }
            sleep(LOOK_INTERVAL).await;
        }
        bail!("after {REST_WITHIN:?} nodes own {last:?} slots");
    }

    /// Slots of each node that runs, and whether they are all of them, claimed, shared evenly and at rest.
    async fn shares(&self) -> (Vec<f64>, bool) {
        let (mut shares, mut all_rest) = (Vec::new(), true);
        for node in self.nodes.iter().filter(|node| node.is_started()) {
            // One that doesn't answer owns nothing that could be counted on.
            let (owned, rests) = node.slots().await.unwrap_or_default();
            all_rest &= rests;
            shares.push(owned);
        }
        let most = (SLOTS * LOAD_MAX / shares.len() as f64).ceil();
        let is_even = shares.iter().all(|share| (1.0..=most).contains(share));
        let is_whole = (shares.iter().sum::<f64>() - SLOTS).abs() < 0.5;
        (shares, is_even && is_whole && all_rest)
    }

    /// Heartbeats of each node that came late since its start; nothing of one that doesn't run.
    pub(super) async fn late_heartbeats(&self) -> Vec<Option<f64>> {
        let counts = self.nodes.iter().map(Node::late_heartbeats);
        let counts = join_all(counts).await;
        counts.into_iter().map(Result::ok).collect()
    }

    /// Names of processes that have ended though nobody ended them.
    pub(super) fn ended(&mut self) -> Vec<&'static str> {
        let nodes = self
            .nodes
            .iter_mut()
            .filter_map(|one| one.has_ended().then_some(one.name));
        let edges = self
            .edges
            .iter_mut()
            .filter_map(|one| one.has_ended().then_some(one.name));
        nodes.chain(edges).collect()
    }

    /// The endpoints for clients' sockets, beginning with that of an edge.
    ///
    /// # Errors
    /// When an address can't be read.
    pub(super) fn sockets_from(&self, first: usize) -> Result<Vec<Target>> {
        let mut sockets = self
            .edges
            .iter()
            .map(Edge::socket)
            .collect::<Result<Vec<_>>>()?;
        sockets.rotate_left(first);
        Ok(sockets)
    }
}
