//! The store's writer: one call at a time, all appends that wait together, claims alone.

use std::collections::BTreeSet;
use std::time::Duration;

use trunkline_backbone_core::io::{PartOutcome, StoreAnswer};
use trunkline_shared::{Instant, Slot};
use trunkline_store_core::memory::AppendTicket;
use trunkline_store_core::{AppendOutcome, ClaimError, ClaimRequest, SlotPart, StoreError};

use super::fate::Fate;
use super::{Asker, Call, Current, Disk, Later};
use crate::coverage::{Coverage, Event};
use crate::scenario::Tuning;

impl Disk {
    pub(super) fn begin(&mut self, now: Instant, tuning: &Tuning) {
        while self.current.is_none() && !self.queue.is_empty() {
            if self.is_away(now) {
                self.refuse_all(tuning);
                return;
            }
            self.current = self.next_current();
            let delay = self.delay(tuning);
            self.calls += 1;
            self.later.push((delay, Later::Work(self.calls)));
        }
    }

    fn refuse_all(&mut self, tuning: &Tuning) {
        for call in std::mem::take(&mut self.queue) {
            let error = || StoreError::Away("by the scenario".to_owned());
            let (asker, answer) = match call {
                Call::Append(asker, _) => {
                    (asker, StoreAnswer::Appended(PartOutcome::Failed(error())))
                }
                Call::Claim(asker, _) => {
                    (asker, StoreAnswer::Claimed(Err(ClaimError::Store(error()))))
                }
            };
            let delay = self.delay(tuning);
            self.later.push((delay, Later::Answer(asker, answer)));
        }
    }

    /// One claim, or all appends up to the next claim, each slot once.
    fn next_current(&mut self) -> Option<Current> {
        let mut parts = Vec::new();
        let mut slots = BTreeSet::new();
        loop {
            match self.queue.pop_front() {
                Some(Call::Append(asker, part)) if slots.insert(part.slot) => {
                    parts.push((asker, part))
                }
                Some(Call::Claim(asker, claim)) if parts.is_empty() => {
                    return Some(Current::Claim(asker, claim));
                }
                Some(other) => {
                    self.queue.push_front(other);
                    break;
                }
                None => break,
            }
        }
        self.tamper_parts(&mut parts);
        let bare = parts.iter().map(|(_, part)| part.clone()).collect();
        Some(Current::Append(self.state.begin_append(bare), parts))
    }

    pub(super) fn end_append(
        &mut self,
        now: Instant,
        tuning: &Tuning,
        ticket: AppendTicket,
        parts: Vec<(Asker, SlotPart)>,
        coverage: &mut Coverage,
    ) {
        let fate = self.fate(tuning);
        let outcome = match fate {
            Fate::Known => self.state.finish(ticket),
            Fate::UnknownTaken => {
                coverage.count(Event::UnknownCommitted);
                drop(self.state.finish(ticket));
                AppendOutcome::Unknown("the connection was lost".to_owned())
            }
            Fate::UnknownLost => {
                self.state.drop_append(ticket);
                AppendOutcome::Unknown("the connection was lost".to_owned())
            }
            Fate::UnknownYet => {
                self.hanging.push(ticket);
                let settles = self.dice.millis(0, 1_500);
                self.later.push((settles, Later::Settle));
                AppendOutcome::Unknown("the connection was lost".to_owned())
            }
        };
        if fate != Fate::Known {
            coverage.count(Event::UnknownAppend);
            let reopened = now + self.dice.millis(0, 200);
            self.go_away(reopened);
        }
        let outcome = self.tamper_outcome(outcome);
        self.remember(now);
        for (asker, part) in parts {
            let outcome = part_outcome(&outcome, part.slot);
            if matches!(outcome, PartOutcome::Refused(_)) {
                coverage.count(Event::AppendRefused);
            }
            self.later.push((
                Duration::ZERO,
                Later::Answer(asker, StoreAnswer::Appended(outcome)),
            ));
        }
    }

    /// A claim waits for the appends in flight: those that nobody knows about end here.
    pub(super) fn end_claim(&mut self, asker: Asker, claim: &ClaimRequest) {
        self.look_before_claim();
        self.settle();
        let mut claim = claim.clone();
        self.tamper_claim(&mut claim);
        let result = self.state.claim_now(&claim);
        for claimed in result.iter().flatten() {
            self.generations.insert(claimed.slot, claimed.generation);
        }
        self.miss_since_look();
        self.raise_zombies();
        self.later.push((
            Duration::ZERO,
            Later::Answer(asker, StoreAnswer::Claimed(result)),
        ));
    }
}

fn part_outcome(outcome: &AppendOutcome, slot: Slot) -> PartOutcome {
    match outcome {
        AppendOutcome::Committed { refused } => {
            let refusal = refused.iter().find(|(refused, _)| *refused == slot);
            refusal.map_or(PartOutcome::Committed, |(_, why)| {
                PartOutcome::Refused(*why)
            })
        }
        AppendOutcome::Failed(error) => PartOutcome::Failed(error.clone()),
        AppendOutcome::Unknown(_) => PartOutcome::Unknown,
    }
}
