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
    ids: BTreeSet<RequestId>,
    unsent: BTreeSet<RequestId>,
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
        of_slot.ids.insert(id);
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
        of_slot.ids.remove(&id);
        of_slot.unsent.remove(&id);
        if of_slot.unsent.is_empty() {
            self.unsent_slots.remove(&publish.slot);
        }
        if of_slot.ids.is_empty() {
            self.slots.remove(&publish.slot);
        }
        Some(publish)
    }

    pub(super) fn get(&self, id: RequestId) -> Option<&Unacked> {
        self.publishes.get(&id)
    }

    /// The oldest unanswered publish of a slot.
    pub(super) fn oldest(&self, slot: Slot) -> Option<RequestId> {
        self.slots.get(&slot)?.ids.first().copied()
    }

    /// The next publish of a slot that is to be sent.
    pub(super) fn next_unsent(&self, slot: Slot) -> Option<RequestId> {
        self.slots.get(&slot)?.unsent.first().copied()
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
        self.slots
            .entry(publish.slot)
            .or_default()
            .unsent
            .insert(id);
        self.unsent_slots.insert(publish.slot);
    }

    /// Notes that everything of a slot is to be sent again, in order.
    pub(super) fn unsend(&mut self, slot: Slot) {
        let ids = self
            .slots
            .get(&slot)
            .map(|of_slot| of_slot.ids.clone())
            .unwrap_or_default();
        for id in ids {
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
        let in_slots: usize = self.slots.values().map(|of_slot| of_slot.ids.len()).sum();
        assert_eq!(
            in_slots,
            self.publishes.len(),
            "each publish is in one slot"
        );
        for (id, publish) in &self.publishes {
            assert!(armed(publish.deadline, *id), "each publish has a deadline");
            let of_slot = &self.slots[&publish.slot];
            assert!(of_slot.ids.contains(id), "a publish is in its slot");
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
