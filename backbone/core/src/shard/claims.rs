//! Claiming slots again: after an append of which nobody knows, after a refusal, and to begin a new epoch.
//!
//! A claim waits for the lost append to end and fences whoever else writes; so what the heads say afterwards is final.

use std::collections::BTreeSet;

use trunkline_shared::frame::Refusal;
use trunkline_shared::rules::Class;
use trunkline_shared::{Now, Slot, ViewVersion};
use trunkline_store_core::{ClaimError, ClaimRequest, Claimed};

use super::Shard;
use super::channel::Load;
use super::pending::LookUp;
use super::retry::Retry;
use super::slot::{Reclaim, SlotState};
use super::tickets::Purpose;
use crate::io::StoreRequest;

/// Slots that are to be claimed again; one claim is in flight at a time.
#[derive(Debug)]
pub(super) struct Claims {
    wanted: BTreeSet<Slot>,
    /// Slots of a claim that was refused for a later view: it doesn't say for which, so they are claimed one by one.
    alone: BTreeSet<Slot>,
    in_flight: bool,
    pub(super) retry: Retry,
}

impl Claims {
    pub(super) const fn new(retry: Retry) -> Self {
        Self {
            wanted: BTreeSet::new(),
            alone: BTreeSet::new(),
            in_flight: false,
            retry,
        }
    }

    fn next(&mut self) -> Vec<Slot> {
        match self.alone.pop_first() {
            Some(slot) => {
                self.wanted.remove(&slot);
                vec![slot]
            }
            None => std::mem::take(&mut self.wanted).into_iter().collect(),
        }
    }
}

impl Shard {
    /// Stops numbering in a slot until it is claimed again; [`Shard::claim_when_landed`] sends the claim.
    pub(super) fn want_claim(&mut self, slot: Slot, why: Reclaim) {
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        let reclaim = state.reclaim.get_or_insert_default();
        reclaim.new_epoch |= why.new_epoch;
        reclaim.foreign |= why.foreign;
    }

    /// Claims a slot that wants it and has no append in flight: its outcome is waited for first.
    pub(super) fn claim_when_landed(&mut self, now: Now, slot: Slot) {
        let Some(state) = self.slots.get(&slot) else {
            return;
        };
        if state.reclaim.is_some() && state.flight.is_none() {
            self.claims.wanted.insert(slot);
            self.ask_claim(now);
        }
    }

    pub(super) fn ask_claim(&mut self, now: Now) {
        let Some(view) = self.view.as_ref().map(|view| view.version) else {
            return;
        };
        if self.claims.in_flight || self.claims.retry.at().is_some_and(|at| at > now.instant) {
            return;
        }
        let slots: Vec<_> = self
            .claims
            .next()
            .into_iter()
            .filter_map(|slot| self.claim_of(slot))
            .collect();
        if slots.is_empty() {
            return;
        }
        self.claims.in_flight = true;
        self.counters.claims += slots.len() as u64;
        let ticket = self.tickets.draw();
        let purpose = Purpose::Claim(slots.clone());
        self.ask_store(
            ticket,
            purpose,
            StoreRequest::Claim(ClaimRequest { view, slots }),
        );
    }

    fn claim_of(&self, slot: Slot) -> Option<(Slot, bool)> {
        let reclaim = self.slots.get(&slot)?.reclaim?;
        Some((slot, reclaim.new_epoch))
    }

    pub(super) fn on_claim_retry(&mut self, now: Now) {
        if self.claims.retry.take_due(now) {
            self.ask_claim(now);
        }
    }

    pub(super) fn on_claimed(
        &mut self,
        now: Now,
        asked: Vec<(Slot, bool)>,
        answer: Result<Vec<Claimed>, ClaimError>,
    ) {
        self.claims.in_flight = false;
        match answer {
            Ok(claimed) => {
                self.claims.retry.succeeded();
                for (slot, new_epoch) in asked {
                    if let Some(claimed) = claimed.iter().find(|claimed| claimed.slot == slot) {
                        self.take_claim(now, claimed, new_epoch);
                    }
                    self.claim_when_landed(now, slot);
                }
            }
            Err(ClaimError::LaterView(version)) => self.on_later_view(now, &asked, version),
            Err(ClaimError::Store(_)) => {
                self.claims.retry.failed(now);
                for (slot, _) in asked {
                    self.claims.wanted.insert(slot);
                    self.fail_waiting(slot, Refusal::StoreAway);
                }
            }
        }
        self.ask_claim(now);
    }

    /// The claim was sent under an older view than the slots were claimed under: by our own node, whose claim has arrived
    /// here meanwhile, or by another.
    fn on_later_view(&mut self, now: Now, asked: &[(Slot, bool)], version: ViewVersion) {
        let is_ours = self
            .view
            .as_ref()
            .is_some_and(|view| view.version >= version);
        if is_ours {
            asked
                .iter()
                .for_each(|(slot, _)| self.claim_when_landed(now, *slot));
            return;
        }
        match asked {
            [(slot, _)] => self.give_up(*slot, version),
            several => self
                .claims
                .alone
                .extend(several.iter().map(|(slot, _)| *slot)),
        }
    }

    /// Takes what a claim of ours gave, by the shard or by its node.
    pub(super) fn take_claim(&mut self, now: Now, claimed: &Claimed, asked_new_epoch: bool) {
        let Some(view) = self.view.as_ref().map(|view| view.version) else {
            return;
        };
        let slot = claimed.slot;
        let Some(state) = self.slots.get_mut(&slot) else {
            self.slots.insert(slot, SlotState::new(claimed, view));
            return;
        };
        if claimed.generation <= state.generation {
            return;
        }
        let skipped = claimed.generation.0 != state.generation.0 + 1;
        let new_epoch = claimed.epoch != state.epoch;
        let reclaim = state.reclaim.take().unwrap_or(Reclaim {
            new_epoch: false,
            foreign: true,
        });
        state.generation = claimed.generation;
        state.epoch = claimed.epoch;
        state.claimed_under = view;
        if reclaim.new_epoch && !asked_new_epoch && !new_epoch {
            state.reclaim = Some(reclaim);
        }
        if reclaim.foreign || skipped || new_epoch {
            doubt_everything(state);
            self.unloaded(slot)
                .iter()
                .for_each(|channel| self.touch(slot, channel));
        }
        if new_epoch {
            self.counters.epochs_begun += 1;
            self.reset(slot);
        }
        self.load_heads_of(slot);
        self.advance(now, slot);
    }
}

/// Heads must be read again, and ids looked up, before anything is numbered.
fn doubt_everything(state: &mut SlotState) {
    for channel in state
        .channels
        .values_mut()
        .filter(|channel| channel.class == Class::Durable)
    {
        channel.load = Load::Wanted;
        for held in std::mem::take(&mut channel.lost).into_iter().rev() {
            state.waiting.push_front(held);
        }
    }
    for held in state
        .waiting
        .iter_mut()
        .filter(|held| held.class == Class::Durable && held.look_up != LookUp::Behind)
    {
        held.look_up = LookUp::Wanted;
    }
}
