//! Claiming slots: when a view gives them to the node, and again after an append of which nobody knows, after a refusal,
//! and to begin a new epoch.
//!
//! A claim waits for the lost append to end and fences whoever else writes; so what the heads say afterwards is final.

use std::collections::{BTreeMap, BTreeSet};

use trunkline_shared::frame::Refusal;
use trunkline_shared::rules::Class;
use trunkline_shared::{Now, Slot, ViewVersion};
use trunkline_store_core::{ClaimError, ClaimRequest, Claimed};

use super::Shard;
use super::channel::Load;
use super::pending::LookUp;
use super::retry::Retry;
use super::slot::Reclaim;
use super::tickets::Purpose;
use crate::io::StoreRequest;

/// Slots that are to be claimed; one claim is in flight at a time.
#[derive(Debug)]
pub(super) struct Claims {
    wanted: BTreeSet<Slot>,
    in_flight: bool,
    /// The later view for which a claim was refused: nothing is claimed before the node has it.
    outdated_by: Option<ViewVersion>,
    pub(super) retry: Retry,
}

impl Claims {
    pub(super) const fn new(retry: Retry) -> Self {
        Self {
            wanted: BTreeSet::new(),
            in_flight: false,
            outdated_by: None,
            retry,
        }
    }

    pub(super) fn want(&mut self, slot: Slot) {
        self.wanted.insert(slot);
    }

    /// Whether a claim may be sent now.
    fn may_ask(&self, now: Now, view: ViewVersion) -> bool {
        let waits = self.retry.at().is_some_and(|at| at > now.instant);
        let outdated = self.outdated_by.is_some_and(|later| later > view);
        !(self.in_flight || waits || outdated)
    }
}

impl Shard {
    /// Stops numbering in a slot until it is claimed; [`Shard::claim_when_landed`] sends the claim.
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
            self.claims.want(slot);
            self.ask_claim(now);
        }
    }

    pub(super) fn ask_claim(&mut self, now: Now) {
        let Some(view) = self.views.version() else {
            return;
        };
        if !self.is_leased || !self.claims.may_ask(now, view) {
            return;
        }
        let wanted = std::mem::take(&mut self.claims.wanted).into_iter();
        let slots: Vec<_> = wanted.filter_map(|slot| self.claim_of(slot)).collect();
        if slots.is_empty() {
            return;
        }
        self.claims.in_flight = true;
        self.counters.claims += slots.len() as u64;
        let ticket = self.tickets.draw();
        let claim = ClaimRequest { view, slots };
        let purpose = Purpose::Claim(claim.clone());
        self.ask_store(ticket, purpose, StoreRequest::Claim(claim));
    }

    fn claim_of(&self, slot: Slot) -> Option<(Slot, bool)> {
        let state = self.slots.get(&slot)?;
        let reclaim = state.reclaim.filter(|_| !state.is_leaving)?;
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
        asked: ClaimRequest,
        answer: Result<Vec<Claimed>, ClaimError>,
    ) {
        self.claims.in_flight = false;
        match answer {
            Ok(claimed) => {
                self.claims.retry.succeeded();
                let new_epochs: BTreeMap<_, _> = asked.slots.into_iter().collect();
                for claimed in claimed {
                    let new_epoch = new_epochs.get(&claimed.slot).copied().unwrap_or(false);
                    self.take_claim(now, asked.view, claimed, new_epoch);
                    self.claim_when_landed(now, claimed.slot);
                }
            }
            Err(ClaimError::LaterView(version)) => {
                self.claims
                    .wanted
                    .extend(asked.slots.iter().map(|(slot, _)| *slot));
                self.on_later_view(version);
            }
            Err(ClaimError::Store(_)) => {
                self.claims.retry.failed(now);
                for (slot, _) in asked.slots {
                    self.claims.want(slot);
                    self.fail_waiting(slot, Refusal::StoreAway);
                }
            }
        }
        self.ask_claim(now);
    }

    /// A slot was claimed under a later view than the claim's: the node needs that one to know which slots are its own.
    fn on_later_view(&mut self, version: ViewVersion) {
        if self.views.version() < Some(version) {
            self.claims.outdated_by = self.claims.outdated_by.max(Some(version));
            self.need_view(version);
        }
    }

    /// Takes what a claim under a view gave.
    fn take_claim(
        &mut self,
        now: Now,
        under: ViewVersion,
        claimed: Claimed,
        asked_new_epoch: bool,
    ) {
        let slot = claimed.slot;
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        let first = !state.is_claimed();
        // A slot may have been given to another and back since: that other's claim may be the later one of the two.
        let outdated = first && under < state.claimed_under;
        if outdated {
            return;
        }
        let skipped = !first && claimed.generation.0 != state.generation.0 + 1;
        let new_epoch = !first && claimed.epoch != state.epoch;
        let reclaim = state.reclaim.take().unwrap_or_default();
        state.generation = claimed.generation;
        state.epoch = claimed.epoch;
        state.claimed_under = under;
        if reclaim.new_epoch && !asked_new_epoch && !new_epoch {
            state.reclaim = Some(reclaim);
        }
        if reclaim.foreign || skipped || new_epoch {
            if skipped {
                // Another was the owner meanwhile, and may have taken what waits, or what its edges sent behind it.
                self.send_back(slot);
            }
            self.doubt_everything(slot);
            self.unloaded(slot)
                .iter()
                .for_each(|channel| self.touch(slot, channel));
        }
        if new_epoch {
            self.counters.epochs_begun += 1;
            self.reset(slot);
        }
        self.settle_claim(slot);
        self.load_heads_of(slot);
        self.advance(now, slot);
    }

    /// Heads must be read again, and ids looked up, before anything is numbered.
    fn doubt_everything(&mut self, slot: Slot) {
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
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

    /// A claim settles its slot, unless the store has begun a new life since.
    fn settle_claim(&mut self, slot: Slot) {
        let view = self.views.version().unwrap_or_default();
        if self
            .slots
            .get(&slot)
            .is_some_and(|state| state.is_claimed_in(view))
        {
            self.views.unsettled.remove(&slot);
        } else {
            self.want_claim(
                slot,
                Reclaim {
                    new_epoch: false,
                    foreign: true,
                },
            );
        }
    }
}
