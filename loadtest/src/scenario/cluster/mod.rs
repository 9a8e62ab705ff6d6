//! Faults at random moments under load, on a mesh of several nodes, three edges and a database, and the proof by payload that
//! no promise was broken by them; for how long channels could not publish.
//!
//! In each run publishers go on through the fault, each message is sent once; one subscriber per edge follows all channels as
//! SDKs do. Then three accounts are compared: what publishers were told, what the database holds, read by SQL, and what each
//! subscriber saw. The runs of a command share a mesh until one finds something; moments are drawn from seeds that are told.

mod blackout;
mod config;
mod edge;
mod faults;
mod judgement;
mod lateness;
mod ledger;
mod load;
mod mesh;
mod moves;
mod node;
mod outcome;
mod tally;
mod trial;

use std::collections::VecDeque;
use std::env;

use anyhow::{Context, Result, bail};

use self::mesh::{EDGES, Mesh, NODES};
use self::tally::Tally;
use crate::args::{ClusterArgs, ClusterFault, word};
use crate::payload;
use crate::report::Report;
use crate::scenario::processes::{Lab, Plan, Postgres};
use crate::signals::Signals;

/// Broken promises of one run that are named; the others are counted.
const NAMED_MAX: usize = 5;

/// Runs that are still to be made: the fault and the seed of each.
type Runs = VecDeque<(ClusterFault, u64)>;

/// Makes the runs; nothing where PostgreSQL is missing, which fails where `CI=true`.
///
/// # Errors
/// When a promise was broken in any run, or a run can't be made.
pub(crate) async fn run(args: &ClusterArgs) -> Result<Option<Report>> {
    if !Postgres::is_installed() {
        let missing = "cluster: apt-get install postgresql";
        if env::var_os("CI").is_some() {
            bail!(missing);
        }
        eprintln!("SKIPPED {missing}");
        return Ok(None);
    }
    let mut signals = Signals::listen()?;
    signals.or(all_runs(args)).await.map(Some)
}

async fn all_runs(args: &ClusterArgs) -> Result<Report> {
    let plan = Plan {
        command: "cluster",
        place: &args.lab,
        nodes: &NODES,
        edges: &EDGES,
        postgres: true,
    };
    let mut lab = Lab::new(plan).await?;
    let first = args.seed.unwrap_or_else(|| payload::now() / 1_000_000_000);
    let seeds = (0..args.runs.get()).map(|run| first.wrapping_add(u64::from(run)));
    let runs = seeds.flat_map(|seed| args.fault.iter().map(move |fault| (*fault, seed)));
    let (mut runs, mut tally): (Runs, _) = (runs.collect(), Tally::default());
    while !runs.is_empty() {
        runs_on_one_mesh(&mut lab, usize::from(args.nodes), &mut runs, &mut tally).await?;
    }
    tally.report()
}

/// Makes runs on a new mesh until one finds something or there are no more.
async fn runs_on_one_mesh(
    lab: &mut Lab,
    nodes: usize,
    runs: &mut Runs,
    tally: &mut Tally,
) -> Result<()> {
    let dir = lab.dir.join(format!("mesh-{}", runs.len()));
    let place = dir.display().to_string();
    let mesh = Mesh::start(lab, &dir, nodes).await;
    let mut mesh = mesh.with_context(|| format!("a new mesh: see {place}"))?;
    let mut is_whole = true;
    while is_whole && let Some((fault, seed)) = runs.pop_front() {
        let what = format!("{}, seed {seed}", word(&fault));
        let outcome = trial::run(&mut mesh, fault, seed).await;
        let outcome = outcome.with_context(|| format!("{what}: see {place}"))?;
        eprintln!("{what}: {}", outcome.line());
        tally.add(&word(&fault), &outcome);
        let broken = &outcome.verdict.broken;
        for broken in broken.iter().take(NAMED_MAX) {
            eprintln!("{what}: BROKEN: {broken}");
        }
        if broken.is_empty() {
            let restored = faults::restore(&mut mesh).await;
            restored.with_context(|| format!("{what}: see {place}"))?;
        } else {
            eprintln!("{what}: {} in all: see {place}", broken.len());
            is_whole = false;
        }
    }
    drop(mesh);
    if is_whole {
        lab.remove(&dir)?;
    }
    Ok(())
}
