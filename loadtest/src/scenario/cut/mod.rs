//! One region cut off under traffic and healed: what its clients get, when, and what the other regions notice of it.

mod crowd;
mod outcome;
mod phases;
mod traffic;
mod trial;

use anyhow::{Result, bail, ensure};

use crate::args::CutArgs;
use crate::regions;
use crate::report::Report;
use trial::Trial;

/// Cuts and heals, run by run; after each the same traffic without a cut, so that the other regions' latencies stand side
/// by side.
///
/// # Errors
/// When the proof fails: something lost, doubled, out of order, missing in silence, or a connection that was closed.
pub(crate) async fn run(args: &CutArgs) -> Result<Report> {
    ensure!(
        args.channels > 0,
        "--channels 0 leaves nothing to publish into"
    );
    let regions = regions::find(&args.regions).await?;
    let region = regions::named(&regions, &args.region)?;
    if regions.len() < 2 {
        bail!("nobody is left to publish when {} is cut off", region.name);
    }
    let with_control = !args.no_control && !args.one_channel;
    let mut report = Report::new("cut");
    for _ in 0..args.runs {
        Trial::new(args, &regions, true).run(&mut report).await?;
        if with_control {
            Trial::new(args, &regions, false).run(&mut report).await?;
        }
    }
    phases::add_ratios(&mut report, &regions, region);
    Ok(report)
}
