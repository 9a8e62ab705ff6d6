//! One run: load, the fault at a random moment, the mesh at rest again, the three accounts.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use tokio::time::{Instant, sleep};

use super::faults::{Dice, Moments, commit};
use super::lateness::Lateness;
use super::load::Load;
use super::mesh::Mesh;
use super::moves::{Claim, Moves};
use super::outcome::Outcome;
use super::{judgement, ledger};
use crate::args::{ClusterFault, word};
use crate::scenario::proof::Accounts;

/// Makes the run of a seed on a mesh at rest.
///
/// # Errors
/// When it can't be made, or the mesh doesn't come back.
pub(super) async fn run(mesh: &mut Mesh<'_>, fault: ClusterFault, seed: u64) -> Result<Outcome> {
    let dice = Dice::throw(seed, fault, mesh.at_rest);
    let shares_before = mesh.rest().await?;
    let since = Instant::now();
    let load = Load::start(mesh, &format!("{}-{seed}", word(&fault))).await?;
    let channels = load.0.channels.clone();
    let lateness = Lateness::measure();
    sleep(dice.before).await;
    load.wait_until_everywhere(since).await?;
    let slots = ledger::slots(&mesh.dsn(), &channels).await?;
    let slots: Option<Vec<i32>> = slots.into_iter().collect();
    let slots = slots.context("a channel that the database doesn't know")?;
    let moves = Moves::watch(mesh.dsn(), slots.clone());
    let beats_before = mesh.late_heartbeats().await;
    let moments = commit(mesh, fault, dice).await?;
    load.wait_until_back().await?;
    let (claims, late) = (moves.claims(), lateness.most());
    drop((moves, lateness));
    let late_heartbeats = late_heartbeats(
        fault,
        dice.node,
        &beats_before,
        &mesh.late_heartbeats().await,
    );
    let shares = mesh.rest().await?;
    let (sent, witnesses) = load.end(mesh).await?;
    if let [name, ..] = *mesh.ended() {
        bail!("{name} has ended by itself");
    }
    let accounts = Accounts {
        sent,
        stored: ledger::stored(&mesh.dsn(), &channels).await?,
        witnesses,
    };
    let verdict = match fault {
        ClusterFault::StoreReplaced => judgement::of_two_stores(&accounts, moments.repair),
        ClusterFault::Join
        | ClusterFault::Leave
        | ClusterFault::Kill
        | ClusterFault::Freeze
        | ClusterFault::CutStore
        | ClusterFault::CutEdges
        | ClusterFault::Postgres
        | ClusterFault::PostgresTwice
        | ClusterFault::AllNodes
        | ClusterFault::Rolling => judgement::of_one_store(&accounts),
    };
    Ok(Outcome {
        verdict,
        fault,
        accounts,
        moved: moved(&slots, &claims, moments),
        slots,
        claims,
        moments,
        late,
        late_heartbeats,
        shares: [shares_before, shares],
        outage: dice.outage,
    })
}

/// Places of the channels whose slots were claimed because of the fault.
fn moved(slots: &[i32], claims: &[Claim], moments: Moments) -> BTreeSet<usize> {
    let window = moments.broken..moments.end;
    let in_window = claims.iter().filter(|claim| window.contains(&claim.by));
    let claimed: BTreeSet<i32> = in_window.map(|claim| claim.slot).collect();
    let places = slots.iter().enumerate();
    let moved = places.filter(|(_, slot)| claimed.contains(slot));
    moved.map(|(place, _)| place).collect()
}

/// Late heartbeats of nodes that the fault gave no reason for them; a node that was started anew counts from then on.
fn late_heartbeats(
    fault: ClusterFault,
    node: usize,
    before: &[Option<f64>],
    after: &[Option<f64>],
) -> f64 {
    let has_a_reason = |place| match fault {
        ClusterFault::Join
        | ClusterFault::Leave
        | ClusterFault::Kill
        | ClusterFault::CutEdges
        | ClusterFault::Rolling => false,
        ClusterFault::Freeze | ClusterFault::CutStore => place == node,
        ClusterFault::Postgres
        | ClusterFault::PostgresTwice
        | ClusterFault::AllNodes
        | ClusterFault::StoreReplaced => true,
    };
    let counts = before.iter().zip(after).enumerate();
    let counts = counts.filter(|(place, _)| !has_a_reason(*place));
    let late = counts.map(|(_, (before, after))| match (before, after) {
        (Some(before), Some(after)) if after >= before => after - before,
        (_, Some(after)) => *after,
        (_, None) => 0.0,
    });
    late.fold(0.0, |sum, count| sum + count)
}
