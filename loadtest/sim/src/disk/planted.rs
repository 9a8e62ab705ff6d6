//! Bugs planted in the store: what it would be like if it broke its promises.

mod keys;

use std::time::Duration;

use trunkline_shared::{Instant, Offset};
use trunkline_store_core::{
    AppendOutcome, ClaimRequest, FloorError, FloorRequest, Head, Refused, SlotPart, ViewRow,
};

use super::writer::Current;
use super::{Asker, Disk};
use crate::plant::Plant;

pub(super) use keys::Missed;

/// How old the data are that a store gives back after it lost what it had acknowledged.
const LOSS: Duration = Duration::from_secs(2);

impl Disk {
    /// Forgets that an outcome is unknown.
    pub(super) fn tamper_outcome(&self, outcome: AppendOutcome) -> AppendOutcome {
        match outcome {
            AppendOutcome::Unknown(_) if self.plant == Some(Plant::UnknownAsCommitted) => {
                AppendOutcome::Committed {
                    refused: Vec::new(),
                }
            }
            AppendOutcome::Unknown(_)
            | AppendOutcome::Committed { .. }
            | AppendOutcome::Failed(_) => outcome,
        }
    }

    /// The view as a node reads it.
    pub(super) fn tampered_view(&self, node: usize) -> Option<ViewRow> {
        let mut row = self.state.view_row_now()?;
        if self.plant == Some(Plant::TwoViews) && !node.is_multiple_of(2) {
            row.view.members.rotate_left(1);
        }
        Some(row)
    }

    /// Gives no new epochs.
    pub(super) fn tamper_claim(&self, claim: &mut ClaimRequest) {
        if self.plant == Some(Plant::EpochKept) {
            claim
                .slots
                .iter_mut()
                .for_each(|(_, new_epoch)| *new_epoch = false);
        }
        if self.plant == Some(Plant::LateClaimTaken)
            && let Some(present) = self.state.view_now()
        {
            claim.view = claim.view.max(present.version);
        }
    }

    /// Refuses a part, and quietly takes nothing of the others; `None` where it does as it should.
    pub(super) fn drop_mixed(&self, parts: &[(Asker, SlotPart)]) -> Option<AppendOutcome> {
        let is_old = |part: &SlotPart| self.generations.get(&part.slot) != Some(&part.generation);
        let refused: Vec<_> = parts
            .iter()
            .filter(|(_, part)| is_old(part))
            .map(|(_, part)| (part.slot, Refused::Generation))
            .collect();
        let is_mixed = !refused.is_empty() && refused.len() < parts.len();
        (self.plant == Some(Plant::MixedBatchDropped) && is_mixed)
            .then_some(AppendOutcome::Committed { refused })
    }

    /// Reads from a replica that lags behind.
    pub(super) fn tamper_heads(&mut self, mut heads: Vec<Head>) -> Vec<Head> {
        if self.plant == Some(Plant::HeadUnchecked) {
            for head in heads.iter_mut().filter(|head| head.offset.0 > 0) {
                head.offset = Offset(head.offset.0 - self.dice.between(0, 1));
            }
        }
        heads
    }

    /// Raises a floor, or only says so.
    pub(super) fn tampered_floor(&mut self, raise: FloorRequest) -> Result<Head, FloorError> {
        if self.plant == Some(Plant::FloorForgotten) {
            self.state.clone().raise_floor_now(raise)
        } else {
            self.state.raise_floor_now(raise)
        }
    }

    /// Takes messages wherever they follow.
    pub(super) fn tamper_parts(&self, parts: &mut [(Asker, SlotPart)]) {
        if self.plant == Some(Plant::HeadUnchecked) {
            parts.iter_mut().for_each(|(_, part)| self.renumber(part));
        }
        if self.plant == Some(Plant::KeyPendingUnseen) {
            parts
                .iter_mut()
                .for_each(|(_, part)| Self::undisguise(part));
        }
        if self.plant == Some(Plant::NoFence) {
            let present =
                |part: &SlotPart| self.generations.get(&part.slot) == Some(&part.generation);
            parts
                .iter_mut()
                .filter(|(_, part)| !present(part))
                .for_each(|(_, part)| self.renumber(part));
        }
    }

    /// Keeps what a dying process had under way, if nothing will stop it from arriving later.
    pub(super) fn bury_current(&mut self, node: usize) {
        if self.plant == Some(Plant::GenerationUnchecked)
            && let Some(Current::Append(_, parts)) = &self.writers[node].current
        {
            self.zombies.extend(parts.iter().cloned());
        }
    }

    /// Lets appends of an owner that was fenced off arrive all the same.
    pub(super) fn raise_zombies(&mut self) {
        if self.dice.permille(500) {
            return;
        }
        for (asker, mut part) in std::mem::take(&mut self.zombies) {
            self.renumber(&mut part);
            let ticket = self.state.begin_append(vec![part.clone()]);
            drop(self.take(ticket, &[(asker, part)]));
        }
    }

    /// Keeps what a store would give back that had acknowledged too early.
    pub(super) fn remember(&mut self, now: Instant) {
        let loses = matches!(self.plant, Some(Plant::AckBeforeCommit | Plant::EpochKept));
        let is_old = |(at, _): &(Instant, _)| now.since(*at) > LOSS;
        if loses && self.old.as_ref().is_none_or(is_old) {
            self.old = Some((now, self.state.clone()));
        }
    }

    /// Loses what was acknowledged too early.
    pub(super) fn lose_synced(&mut self) {
        if let Some((_, old)) = self.old.take() {
            let row = self.state.view_row_now();
            let generations = self.generations.clone();
            self.state = old;
            self.state
                .crash(trunkline_store_core::memory::Survivors::default());
            self.restore_ownership(row, &generations);
        }
    }

    fn restore_ownership(
        &mut self,
        row: Option<ViewRow>,
        generations: &std::collections::BTreeMap<
            trunkline_shared::Slot,
            trunkline_store_core::Generation,
        >,
    ) {
        let Some(ViewRow { view, rules }) = row else {
            return;
        };
        let expected = self.state.view_now().map(|view| view.version);
        let version = view.version;
        self.state
            .change_view_now(trunkline_store_core::ViewChange {
                expected,
                view,
                rules,
            });
        let mut behind = generations
            .keys()
            .map(|slot| (*slot, false))
            .collect::<Vec<_>>();
        while !behind.is_empty() {
            let claim = ClaimRequest {
                view: version,
                slots: behind,
            };
            let claimed = self
                .state
                .claim_now(&claim)
                .expect("nobody has a later view");
            let is_behind = |claimed: &trunkline_store_core::Claimed| {
                claimed.generation < generations[&claimed.slot]
            };
            behind = claimed
                .into_iter()
                .filter(is_behind)
                .map(|claimed| (claimed.slot, false))
                .collect();
        }
    }

    /// Makes a part fit: the generation that the slot has, behind the heads that the channels have.
    fn renumber(&self, part: &mut SlotPart) {
        part.generation = self
            .generations
            .get(&part.slot)
            .copied()
            .unwrap_or_default();
        for append in &mut part.channels {
            let head = self.state.heads_now(&[(part.slot, append.channel.clone())])[0];
            append.follows = head.offset;
            for (message, offset) in append.messages.iter_mut().zip(head.offset.0 + 1..) {
                message.publication.offset = Offset(offset);
            }
        }
    }
}
