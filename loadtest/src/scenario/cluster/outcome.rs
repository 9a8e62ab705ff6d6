//! What came of a run.

use std::collections::BTreeSet;
use std::time::Duration;

use super::blackout::{longest, was_open_at};
use super::faults::Moments;
use super::moves::Claim;
use crate::args::ClusterFault;
use crate::report::Report;
use crate::scenario::proof::{Accounts, Fate, Kind, Sent, Verdict};

/// Time by which the machine may be late in a run that counts.
const LATE_MAX: Duration = Duration::from_millis(500);

/// A run that is over.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) verdict: Verdict,
    pub(super) fault: ClusterFault,
    pub(super) accounts: Accounts,
    /// By channel.
    pub(super) slots: Vec<i32>,
    /// Of those slots, from the fault on.
    pub(super) claims: Vec<Claim>,
    /// Places of channels whose slots were claimed because of the fault.
    pub(super) moved: BTreeSet<usize>,
    pub(super) moments: Moments,
    /// By how much the machine was late.
    pub(super) late: Duration,
    /// Heartbeats that came late without a reason.
    pub(super) late_heartbeats: f64,
    /// Slots of each node before and after.
    pub(super) shares: [Vec<f64>; 2],
    pub(super) outage: Duration,
}

impl Outcome {
    /// Whether its times say something of the mesh, and not of a machine that had no time for it.
    pub(super) fn counts(&self) -> bool {
        self.late <= LATE_MAX && self.late_heartbeats == 0.0
    }

    /// Publishes that were under way when it happened. Where slots move one after another: when the channel's slot was
    /// claimed; where a node is lost: that, and sent before the fault; else sent before the fault and not acknowledged
    /// before its repair.
    pub(super) fn in_flight(&self) -> usize {
        let Moments { broken, repair, .. } = self.moments;
        let at_a_claim = |one: &Sent| {
            let of_slot = |claim: &&Claim| claim.slot == self.slots[one.channel];
            let mut claims = self.claims.iter().filter(of_slot);
            claims.any(|claim| was_open_at(one, claim))
        };
        let was_in_flight = |one: &&Sent| match self.fault {
            ClusterFault::Join | ClusterFault::Leave | ClusterFault::Rolling => at_a_claim(one),
            ClusterFault::Kill | ClusterFault::Freeze | ClusterFault::CutStore => {
                one.at < broken && at_a_claim(one)
            }
            ClusterFault::CutEdges
            | ClusterFault::Postgres
            | ClusterFault::PostgresTwice
            | ClusterFault::AllNodes
            | ClusterFault::StoreReplaced => one.was_in_flight(broken, repair),
        };
        self.accounts.sent.iter().filter(was_in_flight).count()
    }

    /// For how long each channel could not publish, by channel; nothing where that can't be said.
    fn blackouts(&self) -> Vec<Option<Duration>> {
        let mut by_channel = vec![Vec::new(); self.slots.len()];
        for one in &self.accounts.sent {
            by_channel[one.channel].push(*one);
        }
        let window = self.moments.broken..self.moments.end;
        let of_one = |sent: &Vec<Sent>| longest(sent, &window);
        by_channel.iter().map(of_one).collect()
    }

    /// The same for the channels whose slots moved.
    pub(super) fn blackouts_of_moved(&self) -> Vec<Duration> {
        let blackouts = self.blackouts();
        let moved = self.moved.iter();
        moved.filter_map(|place| blackouts[*place]).collect()
    }

    /// The longest time from one message to the next that any subscriber had in any channel.
    fn longest_gap(&self) -> Duration {
        let logs = self.accounts.witnesses.iter().flat_map(|one| &one.logs);
        let gaps = logs.flat_map(|log| log.got.windows(2).map(|two| two[1].came - two[0].came));
        Duration::from_nanos(gaps.max().unwrap_or_default())
    }

    /// What the run says of itself, in one line.
    pub(super) fn line(&self) -> String {
        let longest = |of: Vec<Duration>| of.into_iter().max().unwrap_or_default();
        format!(
            "outage {:.1?}; acked {}, refused {}, cut off {} of {}, kept {}; {} in flight; {} channels moved, without an \
             acknowledgement for {:.1?} at most, all channels {:.1?}; subscribers connected again {} times, were told of a \
             gap {} times, had nothing for {:.1?} at most; slots {:?} then {:?}; the machine was late by {:.1?}, {} \
             heartbeats",
            self.outage,
            self.accounts.count(Fate::Acked),
            self.accounts.count(Fate::Refused),
            self.accounts.count(Fate::CutOff),
            self.accounts.sent.len(),
            self.accounts.kept(),
            self.in_flight(),
            self.moved.len(),
            longest(self.blackouts_of_moved()),
            longest(self.blackouts().into_iter().flatten().collect()),
            self.accounts.times_cut_off(),
            self.accounts.times_told(),
            self.longest_gap(),
            self.shares[0],
            self.shares[1],
            self.late,
            self.late_heartbeats,
        )
    }

    /// Adds the run's figures, under the name of its fault.
    pub(super) fn add_to(&self, report: &mut Report, fault: &str) {
        let mut add = |name: &str, unit, value| report.add(format!("{fault}: {name}"), unit, value);
        let millis = |duration: Duration| duration.as_secs_f64() * 1000.0;
        add("publishes", "", self.accounts.sent.len() as f64);
        add("acknowledged", "", self.accounts.count(Fate::Acked) as f64);
        add("kept", "", self.accounts.kept() as f64);
        add("in flight", "", self.in_flight() as f64);
        for kind in Kind::ALL {
            add(kind.name(), "", self.verdict.count(kind) as f64);
        }
        add(
            "subscribers told of a gap",
            "",
            self.accounts.times_told() as f64,
        );
        add("channels that moved", "", self.moved.len() as f64);
        let fullest = self.shares[1].iter().copied().fold(0.0, f64::max);
        let mean = self.shares[1].iter().sum::<f64>() / self.shares[1].len() as f64;
        add("fullest node / mean", "", fullest / mean);
        if self.counts() {
            let all = self.blackouts().into_iter().flatten().max();
            add(
                "longest without an acknowledgement",
                "ms",
                millis(all.unwrap_or_default()),
            );
            add(
                "longest without a message",
                "ms",
                millis(self.longest_gap()),
            );
        }
    }
}
