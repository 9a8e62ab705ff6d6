//! Appends on one connection: everything that has queued goes into one call. The longer a commit takes, the more goes into
//! the next one; no timer is needed.

use std::sync::Arc;
use std::time::Instant;

use futures_channel::oneshot::Sender;
use trunkline_shared::Slot;
use trunkline_shared::limits::{APPEND_BYTES_MAX, APPEND_PARTS_MAX};
use trunkline_store_core::{AppendOutcome, ChannelAppend, SlotPart, StoreError};

use super::batch::{Batch, Refusals, number, runs};
use super::error::Fault;
use super::session::{Session, within};
use super::worker::{Tools, Work};
use crate::queue::Cost;

/// An append that waits for its connection.
#[derive(Debug)]
pub(super) struct Append {
    parts: Vec<SlotPart>,
    answer: Sender<AppendOutcome>,
}

impl Append {
    pub(super) const fn new(parts: Vec<SlotPart>, answer: Sender<AppendOutcome>) -> Self {
        Self { parts, answer }
    }

    /// What it counts for in the queue and in a call: a unit is a slot's part.
    pub(super) fn cost(&self) -> Cost {
        const SMALL: usize = 128;
        let appends = self.parts.iter().flat_map(|part| &part.channels);
        Cost {
            bytes: appends.map(ChannelAppend::weight).sum::<usize>() + SMALL,
            units: self.parts.len(),
        }
    }

    fn slots(&self) -> Vec<Slot> {
        self.parts.iter().map(|part| part.slot).collect()
    }

    /// Answers; who doesn't wait any more isn't told.
    fn answer(self, outcome: AppendOutcome) {
        drop(self.answer.send(outcome));
    }

    fn answer_committed(self, refusals: &Refusals) {
        let refused = self.parts.iter().filter_map(|part| {
            let reason = refusals.get(&number(part.slot))?;
            Some((part.slot, *reason))
        });
        let refused = refused.collect();
        self.answer(AppendOutcome::Committed { refused });
    }
}

impl Work for Append {
    const BOUND: Cost = Cost {
        bytes: APPEND_BYTES_MAX,
        units: APPEND_PARTS_MAX,
    };

    async fn perform(batch: Vec<Self>, session: &Arc<Session>, tools: &Tools) -> Result<(), Fault> {
        let mut lost = Ok(());
        for run in runs(batch, Self::slots) {
            match &lost {
                Ok(()) => lost = commit(run, session, tools).await,
                Err(fault) => {
                    let why = fault.to_string();
                    run.into_iter().for_each(|append| append.answer_away(&why));
                }
            }
        }
        lost
    }

    fn answer_away(self, why: &str) {
        self.answer(AppendOutcome::Failed(StoreError::Away(why.to_owned())));
    }
}

/// Commits appends together, or, when the data of one can't be stored, each alone.
async fn commit(run: Vec<Append>, session: &Session, tools: &Tools) -> Result<(), Fault> {
    match call(&run, session, tools).await {
        Ok(refusals) => {
            run.into_iter()
                .for_each(|append| append.answer_committed(&refusals));
            Ok(())
        }
        Err(Fault::Data(_)) if run.len() > 1 => {
            let mut lost = Ok(());
            for append in run {
                match &lost {
                    Ok(()) => lost = Box::pin(commit(vec![append], session, tools)).await,
                    Err(fault) => append.answer_away(&fault.to_string()),
                }
            }
            lost
        }
        Err(fault) => give_up(run, fault, tools),
    }
}

async fn call(run: &[Append], session: &Session, tools: &Tools) -> Result<Refusals, Fault> {
    let begun = Instant::now();
    let batch = Batch::of(run.iter().flat_map(|append| &append.parts));
    let refusals = within(tools.answer_timeout, batch.append(session)).await?;
    let mut sum = batch.sum(&refusals);
    sum.appends = run.len() as u64;
    tools.counters.count_commit(sum, begun.elapsed());
    Ok(refusals)
}

/// Answers what became of appends that weren't committed, as far as is known.
fn give_up(run: Vec<Append>, fault: Fault, tools: &Tools) -> Result<(), Fault> {
    tools.counters.count_failed_commit();
    match fault {
        Fault::Lost(why) => {
            tools.counters.count_unknown_calls(run.len());
            for append in run {
                append.answer(AppendOutcome::Unknown(why.clone()));
            }
            Err(Fault::Lost(why))
        }
        fault @ (Fault::Data(_) | Fault::Busy(_)) => {
            let error = StoreError::from(fault.clone());
            tools.counters.damage.note(&error);
            for append in run {
                append.answer(AppendOutcome::Failed(error.clone()));
            }
            // A server that refuses for another reason than data may have become a standby: the next one is looked for.
            match fault {
                Fault::Busy(_) => Err(fault),
                Fault::Data(_) | Fault::Lost(_) => Ok(()),
            }
        }
    }
}
