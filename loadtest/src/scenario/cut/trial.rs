//! One run: subscribers everywhere, publishers in the regions that stay, the cut, the healing, the proof.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::crowd::Crowd;
use super::outcome::Outcome;
use super::phases::Moments;
use super::traffic::Traffic;
use crate::args::CutArgs;
use crate::payload;
use crate::regions::{self, Region};
use crate::report::Report;
use crate::scenario::feed::Feed;
use crate::signals::Signals;

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

    /// Runs it, proves what must hold and adds the figures. Whatever fails and at a signal too, the region is healed.
    ///
    /// # Errors
    /// When the proof fails, the mesh can't be reached or a signal comes.
    pub(super) async fn run(self, report: &mut Report) -> Result<()> {
        let channels = self.channels();
        let mut signals = Signals::listen()?;
        let crowd = Crowd::start(self.regions, &channels, self.args.subscribers);
        let crowd = signals.or(crowd).await?;
        let start = Instant::now() + START_DELAY;
        let mut traffic = Traffic::new(self.feeds(&channels, start), &mut signals);
        let moments = self.cut_and_heal(start, &mut traffic).await?;
        let sent = traffic.end().await?;
        let settled = async { Ok(crowd.settle(&sent).await) };
        let outcome = Outcome {
            witnesses: signals.or(settled).await?,
            sent: sent.into_iter().flatten().collect(),
            publishers: self.stay().map(|region| region.rtt).collect(),
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

    /// The regions that aren't cut off, whose clients publish.
    fn stay(self) -> impl Iterator<Item = &'a Region> {
        let cut = &self.args.region;
        self.regions
            .iter()
            .filter(move |region| region.name != *cut)
    }

    /// What each region that stays publishes, each between the others' messages.
    fn feeds(self, channels: &[String], start: Instant) -> impl Iterator<Item = Feed> {
        let args = self.args;
        let publishers = self.regions.len() - 1;
        let whole = args.seconds_before + args.seconds_cut + args.seconds_after;
        let count = (whole.as_secs_f64() * args.rate / publishers as f64)
            .round()
            .clamp(1.0, 1e9);
        self.stay().enumerate().map(move |(place, region)| Feed {
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

    /// Cuts and heals beside the traffic. The cut counts from when it is in force, the healing from when it is asked for.
    ///
    /// Once the cut is asked for, the healing follows, whatever came of it: only the traffic between can be ended early.
    async fn cut_and_heal(self, start: Instant, traffic: &mut Traffic<'_>) -> Result<Moments> {
        traffic.until(start + self.args.seconds_before).await?;
        let asked = self.set_cut(true).await;
        let cut = payload::now();
        let held = match asked {
            Ok(()) => traffic.until(Instant::now() + self.args.seconds_cut).await,
            Err(error) => Err(error),
        };
        let healed = payload::now();
        both(held, self.set_cut(false).await)?;
        Ok(Moments { cut, healed })
    }

    async fn set_cut(self, cut: bool) -> Result<()> {
        if !self.with_cut {
            return Ok(());
        }
        let region = &self.args.region;
        let Some(through) = self.stay().next() else {
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

/// What came of a cut and of its healing; a healing that failed doesn't hide why it was early.
fn both(cut: Result<()>, healing: Result<()>) -> Result<()> {
    match (cut, healing) {
        (Err(cut), Err(healing)) => Err(cut.context(format!("{healing:#}"))),
        (cut, healing) => cut.and(healing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_healing_stands_beside_the_one_before() {
        let said = |cut, healing| both(cut, healing).map_err(|error| format!("{error:#}"));
        let failed = |why: &'static str| Err(anyhow::Error::msg(why));
        assert_eq!(said(Ok(()), Ok(())), Ok(()));
        assert_eq!(said(failed("lost"), Ok(())), Err("lost".to_owned()));
        assert_eq!(
            said(Ok(()), failed("not healed")),
            Err("not healed".to_owned())
        );
        let both = said(failed("lost"), failed("not healed"));
        assert_eq!(both, Err("not healed: lost".to_owned()));
    }
}
