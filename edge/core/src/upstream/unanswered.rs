//! Every publish that has no answer yet, by id and by slot, in the order of its taking.

use std::collections::{BTreeMap, BTreeSet};

use trunkline_shared::{Channel, IdempotencyKey, Instant, LinkId, Publication, RequestId, Slot};

use super::Asker;

/// A publish that is kept until it is answered or its time is over.
#[derive(Debug)]
pub(super) struct Unacked {
    pub(super) asker: Asker,
    pub(super) deadline: Instant,
    pub(super) slot: Slot,
    pub(super) channel: Channel,
    pub(super) key: Option<IdempotencyKey>,
    pub(super) publication: Publication,
    /// The link that it was handed to and that hasn't refused it.
    pub(super) sent_on: Option<LinkId>,
    /// Whether it was ever handed to any link: the next sending is then a repeat.
    pub(super) ever_sent: bool,
}

impl Unacked {
    fn weight(&self) -> usize {
        let key = self.key.as_ref().map_or(0, |key| key.as_bytes().len());
        self.channel.as_str().len() + key + self.publication.weight()
    }
}

#[derive(Debug, Default)]
struct OfSlot {
    sent: BTreeSet<RequestId>,
    unsent: BTreeSet<RequestId>,
}

impl OfSlot {
    fn is_empty(&self) -> bool {
        self.sent.is_empty() && self.unsent.is_empty()
    }

    fn contains(&self, id: RequestId) -> bool {
        self.sent.contains(&id) || self.unsent.contains(&id)
    }
}

/// The table of unanswered publishes.
#[derive(Debug, Default)]
pub(super) struct Unanswered {
    publishes: BTreeMap<RequestId, Unacked>,
    slots: BTreeMap<Slot, OfSlot>,
    unsent_slots: BTreeSet<Slot>,
    bytes: usize,
}

impl Unanswered {
    pub(super) fn len(&self) -> usize {
        self.publishes.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Keeps a publish; it isn't sent yet.
    pub(super) fn insert(&mut self, id: RequestId, publish: Unacked) {
        self.bytes += publish.weight();
        let of_slot = self.slots.entry(publish.slot).or_default();
        of_slot.unsent.insert(id);
        self.unsent_slots.insert(publish.slot);
        self.publishes.insert(id, publish);
    }

    /// Forgets a publish.
    pub(super) fn remove(&mut self, id: RequestId) -> Option<Unacked> {
        let publish = self.publishes.remove(&id)?;
        self.bytes -= publish.weight();
        let of_slot = self
            .slots
            .get_mut(&publish.slot)
            .expect("a publish is in its slot");
        of_slot.sent.remove(&id);
        of_slot.unsent.remove(&id);
        if of_slot.unsent.is_empty() {
            self.unsent_slots.remove(&publish.slot);
        }
        if of_slot.is_empty() {
            self.slots.remove(&publish.slot);
        }
        Some(publish)
    }

    pub(super) fn get(&self, id: RequestId) -> Option<&Unacked> {
        self.publishes.get(&id)
    }

    /// The oldest unanswered publish of a slot.
    pub(super) fn oldest(&self, slot: Slot) -> Option<RequestId> {
        let of_slot = self.slots.get(&slot)?;
        let (sent, unsent) = (of_slot.sent.first(), of_slot.unsent.first());
        sent.into_iter().chain(unsent).min().copied()
    }

    /// Whether something of a slot is to be sent.
    pub(super) fn has_unsent(&self, slot: Slot) -> bool {
        self.slots
            .get(&slot)
            .is_some_and(|of_slot| !of_slot.unsent.is_empty())
    }

    /// The next publish of a slot that may be sent: none while one behind it has no answer. That one is refused too, so what
    /// was sent in between would come to its owner before it, and be refused again, and so on without end.
    pub(super) fn next_unsent(&self, slot: Slot) -> Option<RequestId> {
        let of_slot = self.slots.get(&slot)?;
        let next = of_slot.unsent.first().copied()?;
        of_slot
            .sent
            .last()
            .is_none_or(|last| *last < next)
            .then_some(next)
    }

    /// The slots of a lane in which something is to be sent.
    pub(super) fn unsent_slots(&self, lane: u8) -> Vec<Slot> {
        let lanes = trunkline_shared::limits::LANES;
        self.unsent_slots
            .iter()
            .copied()
            .filter(|slot| slot.lane(lanes) == lane)
            .collect()
    }

    /// Notes that a publish was handed to a link.
    pub(super) fn mark_sent(&mut self, id: RequestId, link: LinkId) {
        let Some(publish) = self.publishes.get_mut(&id) else {
            return;
        };
        publish.sent_on = Some(link);
        publish.ever_sent = true;
        let of_slot = self
            .slots
            .get_mut(&publish.slot)
            .expect("a publish is in its slot");
        of_slot.unsent.remove(&id);
        of_slot.sent.insert(id);
        if of_slot.unsent.is_empty() {
            self.unsent_slots.remove(&publish.slot);
        }
    }

    /// Notes that a publish is to be sent again.
    pub(super) fn mark_unsent(&mut self, id: RequestId) {
        let Some(publish) = self.publishes.get_mut(&id) else {
            return;
        };
        publish.sent_on = None;
        let of_slot = self.slots.entry(publish.slot).or_default();
        of_slot.sent.remove(&id);
        of_slot.unsent.insert(id);
        self.unsent_slots.insert(publish.slot);
    }

    /// Notes that everything of a slot is to be sent again, in order.
    pub(super) fn unsend(&mut self, slot: Slot) {
        let sent = self
            .slots
            .get(&slot)
            .map(|of_slot| of_slot.sent.clone())
            .unwrap_or_default();
        for id in sent {
            self.mark_unsent(id);
        }
    }

    /// Checks the indexes against the publishes.
    ///
    /// # Panics
    /// When they differ.
    pub(super) fn check_invariants(&self, armed: impl Fn(Instant, RequestId) -> bool) {
        let bytes: usize = self.publishes.values().map(Unacked::weight).sum();
        assert_eq!(bytes, self.bytes, "bytes of publishes are counted");
        let in_slots: usize = self
            .slots
            .values()
            .map(|of_slot| of_slot.sent.len() + of_slot.unsent.len())
            .sum();
        assert_eq!(
            in_slots,
            self.publishes.len(),
            "each publish is in one slot"
        );
        for (id, publish) in &self.publishes {
            assert!(armed(publish.deadline, *id), "each publish has a deadline");
            let of_slot = &self.slots[&publish.slot];
            assert!(of_slot.contains(*id), "a publish is in its slot");
            assert_eq!(
                of_slot.unsent.contains(id),
                publish.sent_on.is_none(),
                "unsent is what no link has"
            );
        }
        let unsent = self
            .slots
            .iter()
            .filter(|(_, of_slot)| !of_slot.unsent.is_empty())
            .map(|(slot, _)| *slot);
        assert!(
            self.unsent_slots.iter().copied().eq(unsent),
            "slots with something to send are known"
        );
    }
}
