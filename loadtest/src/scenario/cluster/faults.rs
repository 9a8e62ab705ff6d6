//! What is done to the mesh, and how it is put right again.

use std::ops::Range;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::time::{Instant, sleep};

use super::mesh::{EDGES, JOINER, Mesh};
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

/// Breaks what the fault breaks and puts it right again, as far as that is part of it. Returns from when until when what
/// is sent shows what the fault itself costs.
///
/// # Errors
/// When something doesn't start, stop or come to rest.
pub(super) async fn commit(
    mesh: &mut Mesh<'_>,
    fault: ClusterFault,
    dice: Dice,
) -> Result<Range<Instant>> {
    let broken = Instant::now();
    match fault {
        ClusterFault::Join => mesh.start_nodes([JOINER]).await?,
        ClusterFault::Leave => mesh.nodes[dice.node].leave().await?,
        ClusterFault::Kill => return kill(mesh, dice).await,
        ClusterFault::Freeze => freeze(mesh, dice).await?,
        ClusterFault::CutStore => cut_store(mesh, dice).await,
        ClusterFault::CutEdges => cut_edges(mesh, dice).await?,
        ClusterFault::Postgres => restart_postgres(mesh, dice.outage).await?,
        ClusterFault::PostgresTwice => {
            restart_postgres(mesh, Duration::ZERO).await?;
            sleep(dice.between).await;
            restart_postgres(mesh, Duration::ZERO).await?;
        }
        ClusterFault::AllNodes => kill_all(mesh, dice).await?,
        ClusterFault::StoreReplaced => return replace_store(mesh).await,
        ClusterFault::Rolling => roll(mesh).await?,
    }
    mesh.rest().await?;
    Ok(broken..Instant::now())
}

/// The window ends before the node comes back: what that costs is what a join costs.
async fn kill(mesh: &mut Mesh<'_>, dice: Dice) -> Result<Range<Instant>> {
    let broken = Instant::now();
    mesh.nodes[dice.node].kill();
    sleep(dice.outage).await;
    let back = Instant::now();
    mesh.start_nodes([dice.node]).await?;
    mesh.rest().await?;
    Ok(broken..back)
}

async fn freeze(mesh: &Mesh<'_>, dice: Dice) -> Result<()> {
    mesh.nodes[dice.node].freeze(true)?;
    sleep(dice.outage).await;
    mesh.nodes[dice.node].freeze(false)
}

async fn cut_store(mesh: &Mesh<'_>, dice: Dice) {
    mesh.nodes[dice.node].cut_store(true);
    sleep(dice.outage).await;
    mesh.nodes[dice.node].cut_store(false);
}

async fn cut_edges(mesh: &Mesh<'_>, dice: Dice) -> Result<()> {
    let node = &mesh.nodes[dice.node];
    let Some(edge) = dice.edge else {
        node.cut_edges(true);
        sleep(dice.outage).await;
        node.cut_edges(false);
        return Ok(());
    };
    let linked = node.linked();
    ensure!(
        linked.len() >= EDGES.len(),
        "{} is linked to {linked:?}",
        node.name
    );
    node.cut_edge(linked[edge], true);
    sleep(dice.outage).await;
    node.cut_edge(linked[edge], false);
    Ok(())
}

async fn restart_postgres(mesh: &mut Mesh<'_>, outage: Duration) -> Result<()> {
    mesh.postgres.crash();
    sleep(outage).await;
    mesh.postgres.run().await
}

async fn kill_all(mesh: &mut Mesh<'_>, dice: Dice) -> Result<()> {
    mesh.nodes.iter_mut().for_each(super::node::Node::kill);
    sleep(dice.outage).await;
    mesh.start_nodes(0..mesh.at_rest).await
}

/// A node that starts makes the tables, so the fourth one comes: the others live on. The window ends with the replacing:
/// what was sent until then belongs to the old store.
async fn replace_store(mesh: &mut Mesh<'_>) -> Result<Range<Instant>> {
    let broken = Instant::now();
    mesh.replace_store()?;
    let replaced = Instant::now();
    mesh.start_nodes([JOINER]).await?;
    mesh.rest().await?;
    Ok(broken..replaced)
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
