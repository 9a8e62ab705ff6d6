//! The node's lease: without it nothing is begun that changes the store.
//!
//! Safety doesn't depend on it, since the store fences; a node whose lease is over only fails fast and honestly.

use trunkline_shared::Now;
use trunkline_shared::Slot;
use trunkline_shared::frame::Refusal;

use super::Shard;

impl Shard {
    /// An append in flight ends as it would have.
    pub(super) fn on_lease(&mut self, now: Now, held: bool) {
        self.is_leased = held;
        let slots: Vec<Slot> = self.slots.keys().copied().collect();
        if held {
            self.ask_claim(now);
            slots.into_iter().for_each(|slot| self.advance(now, slot));
        } else {
            slots
                .into_iter()
                .for_each(|slot| self.fail_waiting(slot, Refusal::StoreAway));
        }
    }
}
