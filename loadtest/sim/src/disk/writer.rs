//! The store's writers, one for each node: one call at a time, all appends that wait together, claims alone.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use trunkline_backbone_core::io::{PartOutcome, StoreAnswer};
use trunkline_shared::{Instant, Slot};
use trunkline_store_core::memory::AppendTicket;
use trunkline_store_core::{AppendOutcome, ClaimError, ClaimRequest, SlotPart, StoreError};

use super::fate::Fate;
use super::{Asker, Disk, Later};
use crate::coverage::{Coverage, Event};
use crate::scenario::Tuning;

/// What waits for a writer.
#[derive(Debug)]
pub(super) enum Call {
    Append(Asker, SlotPart),
    Claim(Asker, ClaimRequest),
}

/// What a writer works on.
#[derive(Debug)]
pub(super) enum Current {
    Append(AppendTicket, Vec<(Asker, SlotPart)>),
    /// It has ended, because another one's claim waited for it, and nobody is told yet.
    Ended(AppendOutcome, Vec<(Asker, SlotPart)>),
    Claim(Asker, ClaimRequest),
}

/// A node's way to the store.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) queue: VecDeque<Call>,
    pub(super) current: Option<Current>,
    pub(super) calls: u64,
    pub(super) away_until: Instant,
    pub(super) member_away_until: Instant,
    pub(super) slow_until: Instant,
}

impl Disk {
    pub(super) fn begin(&mut self, now: Instant, tuning: &Tuning, writer: usize) {
        while self.writers[writer].current.is_none() && !self.writers[writer].queue.is_empty() {
            if self.is_away_for(now, writer) {
                self.refuse_all(tuning, writer);
                return;
            }
            let current = self.next_current(writer);
            let delay = self.delay(tuning);
            let state = &mut self.writers[writer];
            state.current = Some(current);
            state.calls += 1;
            let call = state.calls;
            self.later.push((delay, Later::Work { writer, call }));
        }
    }

    fn refuse_all(&mut self, tuning: &Tuning, writer: usize) {
        for call in std::mem::take(&mut self.writers[writer].queue) {
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
    fn next_current(&mut self, writer: usize) -> Current {
        let mut parts = Vec::new();
        let mut slots = BTreeSet::new();
        let queue = &mut self.writers[writer].queue;
        loop {
            match queue.pop_front() {
                Some(Call::Append(asker, part)) if slots.insert(part.slot) => {
                    parts.push((asker, part))
                }
                Some(Call::Claim(asker, claim)) if parts.is_empty() => {
                    return Current::Claim(asker, claim);
                }
                Some(other) => {
                    queue.push_front(other);
                    break;
                }
                None => break,
            }
        }
        self.begin_append(parts)
    }

    fn begin_append(&mut self, mut parts: Vec<(Asker, SlotPart)>) -> Current {
        self.tamper_parts(&mut parts);
        let bare = parts.iter().map(|(_, part)| part.clone()).collect();
        Current::Append(self.state.begin_append(bare), parts)
    }

    /// Ends the call that a writer works on, and begins the next.
    pub(crate) fn work(
        &mut self,
        (writer, call): (usize, u64),
        now: Instant,
        tuning: &Tuning,
        coverage: &mut Coverage,
    ) {
        if call != self.writers[writer].calls {
            return;
        }
        match self.writers[writer].current.take() {
            Some(Current::Append(ticket, parts)) => {
                let fate = self.fate(now, tuning, writer);
                let outcome = self.end_append(fate, ticket, &parts);
                self.tell_append(now, writer, (fate, outcome), parts, coverage);
            }
            Some(Current::Ended(outcome, parts)) => {
                let (fate, outcome) = match self.fate(now, tuning, writer) {
                    Fate::Known => (Fate::Known, outcome),
                    Fate::UnknownTaken | Fate::UnknownLost | Fate::UnknownYet => {
                        (Fate::UnknownTaken, lost())
                    }
                };
                self.tell_append(now, writer, (fate, outcome), parts, coverage);
            }
            Some(Current::Claim(asker, claim)) => {
                self.end_claim(now, writer, asker, &claim, coverage);
            }
            None => {}
        }
        self.begin(now, tuning, writer);
    }

    fn end_append(
        &mut self,
        fate: Fate,
        ticket: AppendTicket,
        parts: &[(Asker, SlotPart)],
    ) -> AppendOutcome {
        match fate {
            Fate::Known => self.take(ticket, parts),
            Fate::UnknownTaken => {
                drop(self.take(ticket, parts));
                lost()
            }
            Fate::UnknownLost => {
                self.state.drop_append(ticket);
                lost()
            }
            Fate::UnknownYet => {
                self.hang(ticket, parts.to_vec());
                lost()
            }
        }
    }

    fn tell_append(
        &mut self,
        now: Instant,
        writer: usize,
        (fate, outcome): (Fate, AppendOutcome),
        parts: Vec<(Asker, SlotPart)>,
        coverage: &mut Coverage,
    ) {
        if fate != Fate::Known {
            coverage.count(Event::UnknownAppend);
            let reopened = now + self.dice.millis(0, 200);
            self.go_away(writer, reopened);
        }
        if fate == Fate::UnknownTaken {
            coverage.count(Event::UnknownCommitted);
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

    /// A claim waits for the appends in flight that have its slots' rows; those that haven't come so far wait for it, and are
    /// refused.
    fn end_claim(
        &mut self,
        now: Instant,
        writer: usize,
        asker: Asker,
        claim: &ClaimRequest,
        coverage: &mut Coverage,
    ) {
        if self.is_away_for(now, writer) && self.dice.permille(500) {
            return self.tell_claim(asker, lost_claim());
        }
        self.look_before_claim();
        self.settle();
        let late = self.end_appends_of_others(claim, coverage);
        let mut tampered = claim.clone();
        self.tamper_claim(&mut tampered);
        let result = self.state.claim_now(&tampered);
        self.note_claims(claim.view, result.as_deref().unwrap_or_default());
        for (writer, parts) in late {
            self.writers[writer].current = Some(self.begin_append(parts));
        }
        self.miss_since_look();
        self.raise_zombies();
        if matches!(result, Err(ClaimError::LaterView(_))) {
            coverage.count(Event::ClaimRefused);
        }
        let is_heard = !self.is_away_for(now, writer);
        self.tell_claim(asker, if is_heard { result } else { lost_claim() });
    }

    fn tell_claim(
        &mut self,
        asker: Asker,
        result: Result<Vec<trunkline_store_core::Claimed>, ClaimError>,
    ) {
        let answer = Later::Answer(asker, StoreAnswer::Claimed(result));
        self.later.push((Duration::ZERO, answer));
    }

    /// Ends the appends of other writers that a claim waits for; returns those that come after it.
    fn end_appends_of_others(
        &mut self,
        claim: &ClaimRequest,
        coverage: &mut Coverage,
    ) -> Vec<(usize, Vec<(Asker, SlotPart)>)> {
        let claimed: BTreeSet<Slot> = claim.slots.iter().map(|(slot, _)| *slot).collect();
        let mut late = Vec::new();
        for writer in 0..self.writers.len() {
            let (ticket, parts) = match self.writers[writer].current.take() {
                Some(Current::Append(ticket, parts))
                    if parts.iter().any(|(_, part)| claimed.contains(&part.slot)) =>
                {
                    (ticket, parts)
                }
                other => {
                    self.writers[writer].current = other;
                    continue;
                }
            };
            if self.dice.permille(500) {
                coverage.count(Event::ClaimWaited);
                let outcome = self.take(ticket, &parts);
                self.writers[writer].current = Some(Current::Ended(outcome, parts));
            } else {
                self.state.drop_append(ticket);
                late.push((writer, parts));
            }
        }
        late
    }
}

fn lost() -> AppendOutcome {
    AppendOutcome::Unknown("the connection was lost".to_owned())
}

const fn lost_claim() -> Result<Vec<trunkline_store_core::Claimed>, ClaimError> {
    Err(ClaimError::Store(StoreError::Away(String::new())))
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
