//! What a head from the store says: where to go on, and whether an append was taken of which nobody knew.

use trunkline_shared::{Channel, Now, Offset, Slot};
use trunkline_store_core::Head;

use super::Shard;
use super::channel::{Lag, Load};
use super::pending::{Held, LookUp};
use super::slot::Reclaim;
use crate::io::StoreTicket;

impl Shard {
    pub(super) fn on_head(
        &mut self,
        now: Now,
        ticket: StoreTicket,
        slot: Slot,
        channel: &Channel,
        head: Head,
    ) {
        let Some(slot_state) = self.slots.get_mut(&slot) else {
            return;
        };
        let epoch = slot_state.epoch;
        let Some(state) = slot_state.channels.get_mut(channel) else {
            return;
        };
        let Some(log) = state
            .log
            .as_mut()
            .filter(|_| state.load == Load::Asked(ticket))
        else {
            return;
        };
        if state.was_loaded && log.epoch == epoch && head.offset < log.head {
            state.load = Load::Wanted;
            self.want_claim(
                slot,
                Reclaim {
                    new_epoch: true,
                    foreign: false,
                },
            );
            return self.claim_when_landed(now, slot);
        }
        state.load = Load::Loaded;
        state.was_loaded = true;
        if log.epoch != epoch {
            log.floor = Offset::ZERO;
            log.epoch = epoch;
            self.totals.ring_bytes -= log.bytes();
            log.clear();
        }
        let lost = std::mem::take(&mut state.lost);
        self.settle_lost(now, slot, lost, head);
        self.go_on_from(slot, channel, head);
        self.take_stored_floor(slot, channel, head.floor);
        self.serve_awaiting(now, slot, channel);
        self.touch(slot, channel);
        self.advance(now, slot);
    }

    /// The head says whether an append of which nobody knew was taken.
    fn settle_lost(&mut self, now: Now, slot: Slot, lost: Vec<Held>, head: Head) {
        let (Some(first), Some(last)) = (lost.first(), lost.last()) else {
            return;
        };
        // A floor there is the mark of a channel without a head: the offset is another channel's.
        let is_kept =
            head.offset == last.publication.offset && head.floor < last.publication.offset;
        if is_kept {
            self.counters.unknown_kept += lost.len() as u64;
            lost.into_iter().for_each(|held| self.keep(now, slot, held));
        } else if head.offset.next() == first.publication.offset {
            self.append_again(now, slot, lost);
        } else {
            self.seek_again(slot, lost);
        }
    }

    /// It wasn't taken: what is still in time goes first. The edges of the others have answered by themselves.
    fn append_again(&mut self, now: Now, slot: Slot, lost: Vec<Held>) {
        let (in_time, late): (Vec<_>, Vec<_>) = lost
            .into_iter()
            .partition(|held| held.deadline > now.instant);
        self.counters.out_of_time += late.len() as u64;
        late.iter().for_each(|held| self.release(slot, held));
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        for mut held in in_time.into_iter().rev() {
            held.look_up = LookUp::Done;
            state.waiting.push_front(held);
        }
    }

    /// Takes the store's head; subscribers that have missed what lies before it are told that they are behind.
    fn go_on_from(&mut self, slot: Slot, channel: &Channel, head: Head) {
        let Some(state) = self.channel_mut(slot, channel) else {
            return;
        };
        let Some(log) = state.log.as_mut().filter(|log| log.head != head.offset) else {
            return;
        };
        let bytes = log.bytes();
        log.clear();
        log.head = head.offset;
        log.raise_floor(head.floor);
        let told = |lag: Option<Lag>| lag.is_some();
        let missing: Vec<_> = state
            .subscribers
            .iter()
            .filter(|(_, s)| !told(s.lag))
            .map(|(edge, _)| *edge)
            .collect();
        self.totals.ring_bytes -= bytes;
        for edge in missing {
            self.begin_lag(slot, channel, edge);
            self.offer_behind(edge, slot);
        }
    }
}
