//! Faults at random moments under load, on a mesh of real processes that the command starts itself, and the proof by
//! payload that no promise was broken by them.
//!
//! In each run publishers go on through the fault, each message is sent once; one subscriber per edge does what SDKs do.
//! Afterwards all processes are started anew, so that what is read by the history is the store's, and three accounts are
//! compared. Moments are drawn from seeds that are told.

mod config;
mod load;
mod mesh;
mod probe;
mod small_disk;
mod store_kind;
mod stored;
mod trial;

use std::env;

use anyhow::{Context, Result, bail};

use self::mesh::EDGES;
use self::small_disk::SmallDisk;
use self::store_kind::store_kind;
use crate::args::{ChaosArgs, Fault, StoreKind, word};
use crate::payload;
use crate::report::Report;
use crate::scenario::processes::{Lab, Plan, Postgres};
use crate::scenario::proof::Kind;
use crate::signals::Signals;

/// Broken promises of one run that are named; the others are counted.
const NAMED_MAX: usize = 5;

/// Makes the runs; nothing where the machine lacks what the fault needs, which fails where `CI=true`.
///
/// # Errors
/// When a promise was broken in any run, or a run can't be made.
pub(crate) async fn run(args: &ChaosArgs) -> Result<Option<Report>> {
    if let Some(missing) = missing(args) {
        if env::var_os("CI").is_some() {
            bail!("{missing}");
        }
        eprintln!("SKIPPED {missing}");
        return Ok(None);
    }
    let mut signals = Signals::listen()?;
    signals.or(runs(args)).await.map(Some)
}

/// What the fault needs and isn't there.
fn missing(args: &ChaosArgs) -> Option<String> {
    let fault = word(&args.fault);
    let needs_postgres = args.fault == Fault::Postgres || args.store == Some(StoreKind::Postgres);
    if needs_postgres && !Postgres::is_installed() {
        return Some(format!("chaos {fault}: apt-get install postgresql"));
    }
    if args.fault == Fault::DiskFull && !SmallDisk::can_be_mounted() {
        return Some(format!("chaos {fault}: only root may mount a small disk"));
    }
    None
}

async fn runs(args: &ChaosArgs) -> Result<Report> {
    let plan = Plan {
        command: "chaos",
        place: &args.lab,
        nodes: &["backbone-1"],
        edges: &EDGES,
        postgres: store_kind(args.fault, args.store)? == StoreKind::Postgres,
    };
    let mut lab = Lab::new(plan).await?;
    let first = args.seed.unwrap_or_else(|| payload::now() / 1_000_000_000);
    let (mut report, mut counted) = (Report::new("chaos"), 0_u32);
    let mut found = [0_usize; Kind::ALL.len()];
    for run in 0..args.runs.get() {
        let seed = first.wrapping_add(u64::from(run));
        let dir = lab.dir.join(format!("run-{seed}"));
        let what = format!("{}, seed {seed}", word(&args.fault));
        let outcome = trial::run(&mut lab, dir.clone(), args.fault, seed).await;
        let outcome = outcome.with_context(|| format!("{what}: see {}", dir.display()))?;
        eprintln!("{what}: {}", outcome.line());
        outcome.add_to(&mut report);
        counted += u32::from(outcome.counts());
        let broken = &outcome.verdict.broken;
        for broken in broken.iter().take(NAMED_MAX) {
            eprintln!("{what}: BROKEN: {broken}");
        }
        if broken.is_empty() {
            lab.remove(&dir)?;
        } else {
            eprintln!("{what}: {} in all: see {}", broken.len(), dir.display());
        }
        for (kind, found) in Kind::ALL.into_iter().zip(&mut found) {
            *found += outcome.verdict.count(kind);
        }
    }
    report.add("runs", "", f64::from(args.runs.get()));
    report.add(
        "runs with publishes in flight at the fault",
        "",
        f64::from(counted),
    );
    let named = Kind::ALL.iter().zip(found).filter(|(_, found)| *found > 0);
    let named: Vec<_> = named
        .map(|(kind, found)| format!("{}: {found}", kind.name()))
        .collect();
    if !named.is_empty() {
        bail!("promises were broken, {}", named.join(", "));
    }
    Ok(report)
}
