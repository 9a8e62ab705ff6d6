//! What came of a run: the proof and the figures.

use std::time::Duration;

use anyhow::{Result, bail, ensure};

use super::phases::{Moments, Phases, figure, kind};
use crate::report::Report;
use crate::scenario::check::{self, Followed};
use crate::scenario::feed::Sent;
use crate::scenario::follow::Log;

/// Faults that an error names; the others are counted.
const FAULTS_NAMED: usize = 5;

/// What a subscriber saw.
#[derive(Clone, Debug)]
pub(super) struct Witness {
    pub(super) region: String,
    pub(super) name: String,
    /// The emulated round trip between its edge and the backbone.
    pub(super) rtt: Duration,
    /// By channel.
    pub(super) logs: Vec<Log>,
    /// Why its connections ended.
    pub(super) ends: Vec<String>,
}

/// A run that is over.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) witnesses: Vec<Witness>,
    pub(super) sent: Vec<Sent>,
    /// The emulated round trips of the publishers' edges, in the order in which they share the numbers.
    pub(super) publishers: Vec<Duration>,
    pub(super) moments: Moments,
    /// The region that was cut off, if one was.
    pub(super) cut: Option<String>,
    /// Whether the cut region must have missed more than the history holds.
    pub(super) beyond_history: bool,
}

impl Outcome {
    /// Proves that all subscribers got all acknowledged messages once, in one order, on connections that stayed; or,
    /// beyond the history, that those of the cut region were told what they miss. Returns how many messages each missed.
    ///
    /// # Errors
    /// When anything of it isn't so.
    pub(super) fn prove(&self, channels: usize) -> Result<Vec<usize>> {
        self.prove_connections()?;
        self.prove_cut()?;
        let mut missed = vec![0; self.witnesses.len()];
        let mut faults = Vec::new();
        for channel in 0..channels {
            let (found, told) = self.check_channel(channel);
            faults.extend(
                found
                    .iter()
                    .map(|fault| format!("channel {channel}: {fault}")),
            );
            missed
                .iter_mut()
                .zip(told)
                .for_each(|(sum, one)| *sum += one);
        }
        if !faults.is_empty() {
            let named = faults[..faults.len().min(FAULTS_NAMED)].join("; ");
            bail!("{} faults: {named}", faults.len());
        }
        self.prove_told(&missed)?;
        Ok(missed)
    }

    fn prove_connections(&self) -> Result<()> {
        let ends = self.witnesses.iter().flat_map(|one| {
            let name = &one.name;
            one.ends.iter().map(move |why| format!("{name}: {why}"))
        });
        let ends: Vec<_> = ends.collect();
        ensure!(
            ends.is_empty(),
            "{} connections ended: {}",
            ends.len(),
            ends[..ends.len().min(FAULTS_NAMED)].join("; ")
        );
        Ok(())
    }

    /// A cut through which messages come is none, and proves nothing.
    fn prove_cut(&self) -> Result<()> {
        let Moments { cut, healed } = self.moments;
        let through = self.cut_logs().flat_map(|log| &log.got);
        let through = through.filter(|got| got.due >= cut && got.came < healed);
        let count = through.count();
        ensure!(count == 0, "{count} messages came through the cut");
        let acked = self.sent.iter().filter(|sent| sent.is_acked()).count();
        ensure!(acked > 0, "no message was acknowledged");
        Ok(())
    }

    fn check_channel(&self, channel: usize) -> (Vec<check::Fault>, Vec<usize>) {
        let sent = self.sent.iter().filter(|sent| sent.channel == channel);
        let sent = check::Sent {
            all: sent.clone().map(|sent| sent.number).collect(),
            acked: sent
                .filter(|sent| sent.is_acked())
                .map(|sent| sent.number)
                .collect(),
        };
        let followed = self.witnesses.iter().map(|one| Followed {
            who: &one.name,
            log: &one.logs[channel],
        });
        check::check(&sent, &followed.collect::<Vec<_>>())
    }

    fn prove_told(&self, missed: &[usize]) -> Result<()> {
        for (one, missed) in self.witnesses.iter().zip(missed) {
            let (name, told) = (&one.name, one.times_told());
            if self.beyond_history && self.is_cut(one) {
                ensure!(
                    *missed > 0,
                    "{name} missed nothing: the cut was too short to go beyond the history"
                );
            } else {
                ensure!(
                    told == 0,
                    "{name} was told of a gap {told} times, and missed {missed} messages"
                );
            }
        }
        Ok(())
    }

    /// Adds the figures of the run, of which [`Self::prove`] has returned what each missed.
    pub(super) fn add_to(&self, report: &mut Report, missed: &[usize]) {
        let kind = kind(self.cut.is_some());
        let acked = self.sent.iter().filter(|sent| sent.is_acked()).count();
        report.add(format!("{kind}, messages"), "", self.sent.len() as f64);
        report.add(format!("{kind}, acknowledged"), "", acked as f64);
        for region in self.regions() {
            let mut phases = Phases::new(self.moments);
            let there = self.witnesses.iter().filter(|one| one.region == region);
            for one in there {
                let floor = |number| self.floor(number, one.rtt);
                let logs = one.logs.iter();
                logs.for_each(|log| phases.record(&log.got, floor));
            }
            phases.add_to(report, kind, region);
        }
        if let Some(region) = &self.cut {
            self.add_cut(report, region, missed);
        }
    }

    fn add_cut(&self, report: &mut Report, region: &str, missed: &[usize]) {
        let mut add = |what, unit, value| report.add(figure(kind(true), region, what), unit, value);
        add("caught up after", "s", self.caught_up_after());
        let cut = || self.witnesses.iter().filter(|one| self.is_cut(one));
        let told = cut().filter(|one| one.times_told() > 0).count();
        add("subscribers", "", cut().count() as f64);
        add("subscribers told of a gap", "", told as f64);
        let most = missed.iter().max().copied().unwrap_or(0);
        add("messages missed, at most", "", most as f64);
        let ends: usize = cut().map(|one| one.ends.len()).sum();
        add("connections ended", "", ends as f64);
    }

    /// Seconds from the healing until the last message that was due before it had come.
    fn caught_up_after(&self) -> f64 {
        let healed = self.moments.healed;
        let got = self.cut_logs().flat_map(|log| &log.got);
        let came = got.filter(|got| got.due < healed).map(|got| got.came);
        let last = came.max().unwrap_or(healed);
        last.saturating_sub(healed) as f64 / 1e9
    }

    fn regions(&self) -> Vec<&str> {
        let mut regions: Vec<&str> = self.witnesses.iter().map(|one| &*one.region).collect();
        regions.dedup();
        regions
    }

    fn is_cut(&self, one: &Witness) -> bool {
        self.cut.as_ref() == Some(&one.region)
    }

    /// The least that a message can take to a subscriber that far from the backbone.
    fn floor(&self, number: u64, rtt: Duration) -> Duration {
        let publisher = number as usize % self.publishers.len().max(1);
        let from = self.publishers.get(publisher).copied();
        (from.unwrap_or_default() + rtt) / 2
    }

    fn cut_logs(&self) -> impl Iterator<Item = &Log> {
        let there = self.witnesses.iter().filter(|one| self.is_cut(one));
        there.flat_map(|one| &one.logs)
    }
}

impl Witness {
    fn times_told(&self) -> usize {
        self.logs.iter().map(Log::times_told).sum()
    }
}

#[cfg(test)]
#[path = "outcome_tests.rs"]
mod tests;
