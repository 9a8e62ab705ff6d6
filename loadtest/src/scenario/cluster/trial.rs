//! One run: load, the fault at a random moment, the mesh at rest again, the three accounts.

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::{Context, Result, bail};
use tokio::time::{Instant, sleep};

use super::faults::{Dice, commit};
use super::lateness::Lateness;
use super::load::Load;
use super::mesh::Mesh;
use super::moves::{Claim, Moves};
use super::outcome::Outcome;
use super::{judgement, ledger};
use crate::args::{ClusterFault, word};

/// Makes the run of a seed on a mesh at rest.
///
/// # Errors
/// When it can't be made, or the mesh doesn't come back.
pub(super) async fn run(mesh: &mut Mesh<'_>, fault: ClusterFault, seed: u64) -> Result<Outcome> {
    let dice = Dice::throw(seed, fault, mesh.at_rest);
    let shares_before = mesh.rest().await?;
    let load = Load::start(mesh, &format!("{}-{seed}", word(&fault))).await?;
    let channels = load.channels.clone();
    let lateness = Lateness::measure();
    sleep(dice.before).await;
    let slots = ledger::slots(&mesh.dsn(), &channels).await?;
    let slots: Option<Vec<i32>> = slots.into_iter().collect();
    let slots = slots.context("a channel into which nothing was published")?;
    let moves = Moves::watch(mesh.dsn(), slots.clone());
    let window = commit(mesh, fault, dice).await?;
    load.wait_until_back().await?;
    let (claims, late) = (moves.claims(), lateness.most());
    drop((moves, lateness));
    let shares = mesh.rest().await?;
    let (sent, witnesses) = load.end(mesh).await?;
    if let [name, ..] = *mesh.ended() {
        bail!("{name} has ended by itself");
    }
    let stored = ledger::stored(&mesh.dsn(), &channels).await?;
    let verdict = match fault {
        ClusterFault::StoreReplaced => {
            judgement::of_two_stores(&sent, window.end, &stored, &witnesses)
        }
        ClusterFault::Join
        | ClusterFault::Leave
        | ClusterFault::Kill
        | ClusterFault::Freeze
        | ClusterFault::CutStore
        | ClusterFault::CutEdges
        | ClusterFault::Postgres
        | ClusterFault::PostgresTwice
        | ClusterFault::AllNodes
        | ClusterFault::Rolling => judgement::of_one_store(&sent, &stored, &witnesses),
    };
    Ok(Outcome {
        verdict,
        fault,
        sent,
        witnesses,
        stored,
        moved: moved(&slots, &claims, &window),
        slots,
        claims,
        window,
        late,
        shares: [shares_before, shares],
        outage: dice.outage,
    })
}

/// Places of the channels whose slots were claimed in the window.
fn moved(slots: &[i32], claims: &[Claim], window: &Range<Instant>) -> BTreeSet<usize> {
    let in_window = claims.iter().filter(|claim| window.contains(&claim.after));
    let claimed: BTreeSet<i32> = in_window.map(|claim| claim.slot).collect();
    let places = slots.iter().enumerate();
    let moved = places.filter(|(_, slot)| claimed.contains(slot));
    moved.map(|(place, _)| place).collect()
}
