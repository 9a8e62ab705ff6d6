//! Delivery between all pairs of regions, beside the floor: half of each edge's emulated round trip, which no mesh could
//! beat. What is above it is the mesh's own.

mod page;
mod pair;
mod plot;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;

use super::feed::{self, Feed, Outcome, Sent};
use super::follow::{self, Follower, Log};
use crate::args::GeoArgs;
use crate::payload;
use crate::regions::{self, Region};
use crate::report::Report;
use pair::Measured;

/// Time at the begin of a run that isn't counted.
const WARM_UP: Duration = Duration::from_secs(1);

/// From the end of the preparations to the first message, so that all publishers begin together.
const START_DELAY: Duration = Duration::from_millis(100);

/// Measures all pairs side by side, run by run.
///
/// # Errors
/// When a message is refused or lost, or came before it could have.
pub(crate) async fn run(args: &GeoArgs) -> Result<Report> {
    let regions = regions::find(&args.regions).await?;
    let pairs = pair::all(&regions);
    let mut report = Report::new("geo");
    for _ in 0..args.rounds {
        for (pair, measured) in pairs.iter().zip(measure(args, &regions).await?) {
            measured.add_to(&mut report, pair)?;
        }
    }
    if let Some(path) = &args.report {
        page::write(path, args, &pairs, &report)?;
    }
    Ok(report)
}

/// One run; what it gave for each pair, in their order.
async fn measure(args: &GeoArgs, regions: &[Region]) -> Result<Vec<Measured>> {
    let channels = channels(args, regions);
    let mut followers = Vec::new();
    for (to, region) in regions.iter().enumerate() {
        let incoming: Vec<_> = channels.iter().map(|from| from[to].clone()).collect();
        followers.push(Follower::start(&region.url, &incoming).await?);
    }
    let start = Instant::now() + START_DELAY;
    let counted_from = payload::now() + feed::nanos(START_DELAY + WARM_UP);
    let feeds = regions
        .iter()
        .zip(&channels)
        .enumerate()
        .map(|(from, (region, channels))| {
            feed(args, regions.len(), from, region, channels, start).publish()
        });
    let sent = try_join_all(feeds).await?;
    sent.iter().try_for_each(|sent| all_acked(sent))?;
    follow::settle(&followers, || has_all(&followers, &sent)).await;
    followers.iter().try_for_each(stayed)?;
    let mut measured = Vec::new();
    for (from, sent) in sent.iter().enumerate() {
        for (to, follower) in followers.iter().enumerate() {
            let count = sent.iter().filter(|sent| sent.channel == to).count();
            let way = (regions[from].rtt, regions[to].rtt);
            let of = |log: &Log| Measured::of(&log.got, count, way, counted_from);
            measured.push(follower.log(from, of)?);
        }
    }
    Ok(measured)
}

/// Whether the last message of each region has come to each.
fn has_all(followers: &[Follower], sent: &[Vec<Sent>]) -> bool {
    sent.iter().enumerate().all(|(from, sent)| {
        let last = feed::last_acked(std::slice::from_ref(sent));
        let mut last = last.iter();
        last.all(|last| followers[last.channel].log(from, |log| log.has(last.number)))
    })
}

/// Channels from each region to each, new in each run.
fn channels(args: &GeoArgs, regions: &[Region]) -> Vec<Vec<String>> {
    let (namespace, run) = (&args.namespace, payload::now());
    let name =
        |from: &Region, to: &Region| format!("{namespace}:geo-{run}-{}-{}", from.name, to.name);
    let from = |from| regions.iter().map(|to| name(from, to)).collect();
    regions.iter().map(from).collect()
}

/// What one region publishes: to each in turn, and between the others' messages.
fn feed(
    args: &GeoArgs,
    regions: usize,
    from: usize,
    region: &Region,
    channels: &[String],
    start: Instant,
) -> Feed {
    let period = Duration::from_secs_f64(1.0 / (args.rate * regions as f64));
    let whole = WARM_UP.as_secs_f64() + args.seconds;
    let count = (whole / period.as_secs_f64()).round().clamp(1.0, 1e9);
    Feed {
        url: region.url.clone(),
        channels: channels.to_vec(),
        start: start + period.mul_f64(from as f64 / regions as f64),
        period,
        count: count as u32,
        bytes: args.bytes,
        first_number: from as u64,
        number_step: regions as u64,
    }
}

fn stayed(follower: &Follower) -> Result<()> {
    let ends = follower.ends();
    ensure!(
        ends.is_empty(),
        "a subscriber's connection ended: {}",
        ends.join("; ")
    );
    Ok(())
}

fn all_acked(sent: &[Sent]) -> Result<()> {
    let count = |outcome| sent.iter().filter(|sent| sent.outcome == outcome).count();
    let (refused, unanswered) = (count(Outcome::Refused), count(Outcome::Unanswered));
    ensure!(
        refused + unanswered == 0,
        "of {} messages {refused} were refused and {unanswered} not answered",
        sent.len()
    );
    Ok(())
}
