//! Publishes that were refused, until it is known that they won't come again: nothing is taken meanwhile that their edge
//! has sent behind them in their slot.
//!
//! The edge sends a slot's publishes in order, and learns of a refusal only when others are under way behind it. If those
//! were taken, because a view, a claim or room has come in between, they would stand before it when it comes again. That
//! an edge has given a publish up, as it does with one that is `Busy`, is known by the next one: each names the oldest of
//! its slot that is unanswered. What is refused because its time is over doesn't come again from anywhere.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use trunkline_shared::frame::Refusal;
use trunkline_shared::limits::UNANSWERED_MAX;
use trunkline_shared::rules::Class;
use trunkline_shared::{PublishId, RequestId, Slot};

use super::Shard;
use super::pending::Held;

/// What was refused on one link and hasn't come again. A new link begins without: on that one everything is sent again.
#[derive(Debug, Default)]
pub(super) struct SentBack {
    by_slot: BTreeMap<Slot, BTreeSet<u64>>,
    count: usize,
}

impl SentBack {
    fn insert(&mut self, slot: Slot, counter: u64) {
        let is_new = self.by_slot.entry(slot).or_default().insert(counter);
        self.count += usize::from(is_new);
    }

    /// A publish has come, and what is older than the oldest of its slot that its edge waits for won't come any more.
    fn arrive(&mut self, slot: Slot, counter: u64, oldest_unanswered: RequestId) {
        let Some(counters) = self.by_slot.get_mut(&slot) else {
            return;
        };
        let before = counters.len();
        *counters = counters.split_off(&oldest_unanswered.0.min(counter));
        counters.remove(&counter);
        self.count -= before - counters.len();
        if counters.is_empty() {
            self.by_slot.remove(&slot);
        }
    }

    fn is_before(&self, slot: Slot, counter: u64) -> bool {
        let first = self.by_slot.get(&slot).and_then(BTreeSet::first);
        first.is_some_and(|first| *first < counter)
    }

    /// Compares the count with what is kept.
    ///
    /// # Panics
    /// When they differ.
    pub(super) fn check(&self) {
        let count: usize = self.by_slot.values().map(BTreeSet::len).sum();
        assert_eq!(self.count, count, "publishes sent back are counted");
        assert!(
            self.by_slot.values().all(|counters| !counters.is_empty()),
            "no slot without a publish sent back"
        );
    }
}

impl Shard {
    /// Notes that a publish was refused and may come again. A link that has more of them than its edge may have unanswered is
    /// closed, and all is sent again on the next one.
    pub(super) fn note_sent_back(&mut self, slot: Slot, id: PublishId) {
        let Some(link) = self.edges.link_mut(id.edge) else {
            return;
        };
        let before = link.sent_back.count;
        link.sent_back.insert(slot, id.counter);
        if before == UNANSWERED_MAX && link.sent_back.count > before {
            let link = link.id;
            self.close(link, "more publishes were sent back than may be unanswered");
        }
    }

    /// Notes that a publish has come, whatever becomes of it.
    pub(super) fn note_arrival(&mut self, slot: Slot, id: PublishId, oldest: RequestId) {
        if let Some(link) = self.edges.link_mut(id.edge) {
            link.sent_back.arrive(slot, id.counter, oldest);
        }
    }

    /// Whether a publish must wait at its edge for an older one that was sent back.
    pub(super) fn is_out_of_order(&mut self, slot: Slot, id: PublishId) -> bool {
        let link = self.edges.link(id.edge);
        let is_behind = link.is_some_and(|link| link.sent_back.is_before(slot, id.counter));
        self.counters.out_of_order += u64::from(is_behind);
        is_behind
    }

    /// Sends back what waits for the store in a slot behind a publish that was refused. An edge without a link wasn't told of
    /// that, and sends everything again.
    pub(super) fn send_back_behind(&mut self, slot: Slot) {
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        let is_behind = |held: &Held| {
            let link = self.edges.link(held.id.edge);
            held.class == Class::Durable
                && link.is_none_or(|link| link.sent_back.is_before(slot, held.id.counter))
        };
        let (behind, others): (VecDeque<_>, VecDeque<_>) =
            state.waiting.drain(..).partition(is_behind);
        state.waiting = others;
        self.refuse_held(slot, behind, Refusal::StaleView);
    }
}
