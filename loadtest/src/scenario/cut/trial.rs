//! One run: subscribers everywhere, publishers in the regions that stay, the cut, the healing, the proof.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_util::future::{try_join, try_join_all};

use super::crowd::Crowd;
use super::outcome::Outcome;
use super::phases::Moments;
use crate::args::CutArgs;
use crate::payload;
use crate::regions::{self, Region};
use crate::report::Report;
use crate::scenario::feed::Feed;

/// From the end of the preparations to the first message, so that all publishers begin together.
const START_DELAY: Duration = Duration::from_millis(100);

/// A run, with or without a cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial<'a> {
    args: &'a CutArgs,
    regions: &'a [Region],
    with_cut: bool,
}

impl<'a> Trial<'a> {
    pub(super) const fn new(args: &'a CutArgs, regions: &'a [Region], with_cut: bool) -> Self {
        Self {
            args,
            regions,
            with_cut,
        }
    }

    /// Runs it, proves what must hold and adds the figures; whatever happens, the region is healed.
    ///
    /// # Errors
    /// When the proof fails or the mesh can't be reached.
    pub(super) async fn run(self, report: &mut Report) -> Result<()> {
        let channels = self.channels();
        let crowd = Crowd::start(self.regions, &channels, self.args.subscribers).await?;
        let start = Instant::now() + START_DELAY;
        let feeds = self.feeds(&channels, start).map(Feed::publish);
        let traffic = try_join(try_join_all(feeds), self.cut_and_heal(start));
        let traffic = tokio::select! {
            traffic = traffic => traffic,
            _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
        };
        if traffic.is_err() && self.with_cut {
            self.set_cut(false).await?;
        }
        let (sent, moments) = traffic?;
        let outcome = Outcome {
            witnesses: crowd.settle(&sent).await,
            sent: sent.into_iter().flatten().collect(),
            moments,
            cut: self.with_cut.then(|| self.args.region.clone()),
            beyond_history: self.args.one_channel,
        };
        let missed = outcome.prove(channels.len())?;
        outcome.add_to(report, &missed);
        Ok(())
    }

    /// New channels, so that nothing of another run is in them.
    fn channels(self) -> Vec<String> {
        let (namespace, run) = (&self.args.namespace, payload::now());
        let count = if self.args.one_channel {
            1
        } else {
            self.args.channels
        };
        let name = |number| format!("{namespace}:cut-{run}:{number}");
        (0..count).map(name).collect()
    }

    /// What each region that stays publishes, each between the others' messages.
    fn feeds(self, channels: &[String], start: Instant) -> impl Iterator<Item = Feed> {
        let args = self.args;
        let stay = self
            .regions
            .iter()
            .filter(|region| region.name != args.region);
        let publishers = self.regions.len() - 1;
        let whole = args.seconds_before + args.seconds_cut + args.seconds_after;
        let count = (whole * args.rate / publishers as f64)
            .round()
            .clamp(1.0, 1e9);
        stay.enumerate().map(move |(place, region)| Feed {
            url: region.url.clone(),
            channels: channels.to_vec(),
            start: start + Duration::from_secs_f64(place as f64 / args.rate),
            period: Duration::from_secs_f64(publishers as f64 / args.rate),
            count: count as u32,
            bytes: args.bytes,
            first_number: place as u64,
            number_step: publishers as u64,
        })
    }

    /// Waits, cuts, waits, heals. The cut counts from when it is in force, the healing from when it is asked for.
    async fn cut_and_heal(self, start: Instant) -> Result<Moments> {
        let cut = start + Duration::from_secs_f64(self.args.seconds_before);
        tokio::time::sleep_until(cut.into()).await;
        self.set_cut(true).await?;
        let cut = payload::now();
        tokio::time::sleep(Duration::from_secs_f64(self.args.seconds_cut)).await;
        let healed = payload::now();
        self.set_cut(false).await?;
        Ok(Moments { cut, healed })
    }

    async fn set_cut(self, cut: bool) -> Result<()> {
        if !self.with_cut {
            return Ok(());
        }
        let region = &self.args.region;
        let through = self.regions.iter().find(|other| other.name != *region);
        let Some(through) = through else {
            bail!("no region but {region}");
        };
        regions::set_cut(through, region, cut)
            .await
            .with_context(|| {
                let word = if cut { "cut off" } else { "healed" };
                format!("{region} can't be {word}")
            })
    }
}
