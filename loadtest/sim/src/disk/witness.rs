//! What the store has granted and taken, and from whom: safety is its own, so it is looked at where it is made.

use std::collections::{BTreeMap, BTreeSet};

use trunkline_shared::{RingView, Slot, ViewVersion};
use trunkline_store_core::memory::AppendTicket;
use trunkline_store_core::{AppendOutcome, Claimed, Generation, SlotPart};

use super::{Asker, Disk};

/// A process that writes: a node, and which life of its process.
pub(crate) type Process = (usize, u64);

/// Who had appends committed, by slot and generation.
pub(crate) type Committed = BTreeMap<(Slot, Generation), BTreeSet<Process>>;

/// What was granted and taken.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    /// Who had appends committed.
    pub(crate) committed: Committed,
    /// Claims in the order granted, by slot: the generation and the view that they were made under.
    pub(crate) claims: BTreeMap<Slot, Vec<(Generation, ViewVersion)>>,
    /// All views that there were.
    pub(crate) views: Vec<RingView>,
}

impl Witness {
    /// Remembers a view that was written.
    pub(super) fn note_view(&mut self, view: &RingView) {
        self.views.push(view.clone());
    }
}

impl Disk {
    /// Ends an append and remembers what was taken of it.
    pub(super) fn take(
        &mut self,
        ticket: AppendTicket,
        parts: &[(Asker, SlotPart)],
    ) -> AppendOutcome {
        if let Some(outcome) = self.drop_mixed(parts) {
            self.state.drop_append(ticket);
            return outcome;
        }
        let outcome = self.state.finish(ticket);
        if let AppendOutcome::Committed { refused } = &outcome {
            let is_refused = |slot| refused.iter().any(|(other, _)| *other == slot);
            for (asker, part) in parts.iter().filter(|(_, part)| !is_refused(part.slot)) {
                if let Asker::Shard { node, process, .. } = asker {
                    let of_claim = (part.slot, part.generation);
                    let processes = self.witness.committed.entry(of_claim).or_default();
                    processes.insert((*node, *process));
                }
            }
        }
        outcome
    }

    /// Remembers what was granted.
    pub(super) fn note_claims(&mut self, view: ViewVersion, claims: &[Claimed]) {
        for claimed in claims {
            self.generations.insert(claimed.slot, claimed.generation);
            let of_slot = self.witness.claims.entry(claimed.slot).or_default();
            of_slot.push((claimed.generation, view));
        }
    }
}
