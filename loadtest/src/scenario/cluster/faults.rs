//! What is done to the mesh, and how it is put right again.

use std::ops::Range;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::time::{Instant, sleep};

use super::mesh::{EDGES, JOINER, Mesh};
use super::node::Node;
use crate::args::ClusterFault;

/// Load before the fault, in milliseconds: so long that every channel has some messages.
const BEFORE: Range<u64> = 1200..2200;

/// How long a node that stood still or was cut off is so, and how long a killed one is away: longer than a lease, 2 s, and
/// the heartbeat in which the others find out.
const LONGER_THAN_LEASE: Range<u64> = 3000..4500;

/// How long a link is cut: for less and for more than its idle time-out, 3 s.
const CUT: Range<u64> = 500..4500;

/// How long a server or all nodes are away.
const OUTAGE: Range<u64> = 50..800;

/// Between two restarts of PostgreSQL: together with the first they are within one lease.
const BETWEEN: Range<u64> = 50..500;

/// What a seed draws.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dice {
    pub(super) before: Duration,
    pub(super) outage: Duration,
    /// Which node, where one is meant.
    pub(super) node: usize,
    /// From which of the edges that are linked a node is cut off; from all of them where it is none.
    pub(super) edge: Option<usize>,
    between: Duration,
}

impl Dice {
    pub(super) fn throw(seed: u64, fault: ClusterFault, nodes: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let outage = match fault {
            ClusterFault::Kill | ClusterFault::Freeze | ClusterFault::CutStore => LONGER_THAN_LEASE,
            ClusterFault::CutEdges => CUT,
            ClusterFault::Join
            | ClusterFault::Leave
            | ClusterFault::Postgres
            | ClusterFault::PostgresTwice
            | ClusterFault::AllNodes
            | ClusterFault::StoreReplaced
            | ClusterFault::Rolling => OUTAGE,
        };
        let mut micros = |millis: Range<u64>| {
            Duration::from_micros(rng.random_range(millis.start * 1000..millis.end * 1000))
        };
        let (before, outage, between) = (micros(BEFORE), micros(outage), micros(BETWEEN));
        let edge = rng.random_range(0..=EDGES.len());
        Self {
            before,
            outage,
            node: rng.random_range(0..nodes),
            edge: (edge < EDGES.len()).then_some(edge),
            between,
        }
    }
}

/// The moments of a fault.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moments {
    pub(super) broken: Instant,
    /// When its repair began; where nothing is repaired, when it was over.
    pub(super) repair: Instant,
    /// What is sent from the fault until then shows what the fault itself costs.
    pub(super) end: Instant,
}

/// Breaks what the fault breaks and puts it right again, as far as that is part of it; the mesh is at rest then.
///
/// # Errors
/// When something doesn't start, stop or come to rest.
pub(super) async fn commit(
    mesh: &mut Mesh<'_>,
    fault: ClusterFault,
    dice: Dice,
) -> Result<Moments> {
    let broken = Instant::now();
    let repair = match fault {
        ClusterFault::Join => {
            mesh.start_nodes([JOINER]).await?;
            None
        }
        ClusterFault::Leave => {
            mesh.nodes[dice.node].leave().await?;
            None
        }
        ClusterFault::Rolling => {
            roll(mesh).await?;
            None
        }
        ClusterFault::Kill => Some(kill(mesh, dice).await?),
        ClusterFault::Freeze => Some(freeze(mesh, dice).await?),
        ClusterFault::CutStore => Some(cut_store(mesh, dice).await),
        ClusterFault::CutEdges => Some(cut_edges(mesh, dice).await?),
        ClusterFault::Postgres => Some(restart_postgres(mesh, dice.outage).await?),
        ClusterFault::PostgresTwice => {
            let repair = restart_postgres(mesh, Duration::ZERO).await?;
            sleep(dice.between).await;
            restart_postgres(mesh, Duration::ZERO).await?;
            Some(repair)
        }
        ClusterFault::AllNodes => Some(kill_all(mesh, dice).await?),
        ClusterFault::StoreReplaced => Some(replace_store(mesh).await?),
    };
    mesh.rest().await?;
    let end = match (fault, repair) {
        // What the node's coming back costs is what a join costs.
        (ClusterFault::Kill, Some(repair)) => repair,
        _ => Instant::now(),
    };
    Ok(Moments {
        broken,
        repair: repair.unwrap_or(end),
        end,
    })
}

/// As the others here: returns when the repair began.
async fn kill(mesh: &mut Mesh<'_>, dice: Dice) -> Result<Instant> {
    mesh.nodes[dice.node].kill();
    sleep(dice.outage).await;
    let repair = Instant::now();
    mesh.start_nodes([dice.node]).await?;
    Ok(repair)
}

async fn freeze(mesh: &Mesh<'_>, dice: Dice) -> Result<Instant> {
    mesh.nodes[dice.node].freeze(true)?;
    sleep(dice.outage).await;
    mesh.nodes[dice.node].freeze(false)?;
    Ok(Instant::now())
}

async fn cut_store(mesh: &Mesh<'_>, dice: Dice) -> Instant {
    mesh.nodes[dice.node].cut_store(true);
    sleep(dice.outage).await;
    mesh.nodes[dice.node].cut_store(false);
    Instant::now()
}

async fn cut_edges(mesh: &Mesh<'_>, dice: Dice) -> Result<Instant> {
    let node = &mesh.nodes[dice.node];
    let linked = node.linked();
    ensure!(
        linked.len() >= EDGES.len(),
        "{} is linked to {linked:?}",
        node.name
    );
    let cut = |cut| match dice.edge {
        Some(edge) => node.cut_edge(linked[edge], cut),
        None => node.cut_edges(cut),
    };
    cut(true);
    sleep(dice.outage).await;
    cut(false);
    Ok(Instant::now())
}

async fn restart_postgres(mesh: &mut Mesh<'_>, outage: Duration) -> Result<Instant> {
    mesh.postgres.crash();
    sleep(outage).await;
    let repair = Instant::now();
    mesh.postgres.run().await?;
    Ok(repair)
}

async fn kill_all(mesh: &mut Mesh<'_>, dice: Dice) -> Result<Instant> {
    mesh.nodes.iter_mut().for_each(Node::kill);
    sleep(dice.outage).await;
    let repair = Instant::now();
    mesh.start_nodes(0..mesh.at_rest).await?;
    Ok(repair)
}

/// A node that starts makes the tables, so the fourth one comes: the others live on.
async fn replace_store(mesh: &mut Mesh<'_>) -> Result<Instant> {
    mesh.replace_store()?;
    let replaced = Instant::now();
    mesh.start_nodes([JOINER]).await?;
    Ok(replaced)
}

async fn roll(mesh: &mut Mesh<'_>) -> Result<()> {
    for place in 0..mesh.at_rest {
        mesh.nodes[place].leave().await?;
        mesh.start_nodes([place]).await?;
        mesh.rest().await?;
    }
    for place in 0..EDGES.len() {
        mesh.edges[place].drain().await?;
        mesh.start_edge(place).await?;
    }
    Ok(())
}

/// Brings back what a fault leaves otherwise than it was: as many nodes as before, at rest.
///
/// # Errors
/// When a node doesn't start, stop or come to rest.
pub(super) async fn restore(mesh: &mut Mesh<'_>) -> Result<()> {
    if mesh.nodes[JOINER].is_started() {
        mesh.nodes[JOINER].leave().await?;
    }
    let missing = (0..mesh.at_rest).filter(|place| !mesh.nodes[*place].is_started());
    let missing: Vec<_> = missing.collect();
    mesh.start_nodes(missing).await?;
    let rest = mesh.rest().await;
    rest.map(drop).context("after the run")
}
