//! Repeats: publishes that may have been taken before, and how their ids and idempotency keys are looked up.
//!
//! Ids of durable publishes lie in the store, next to their messages. Those of buffered ones are kept here, from the
//! oldest one on that their edge has no answer to (`design.md` §4).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use trunkline_shared::frame::Refusal;
use trunkline_shared::limits::IDEMPOTENCY_KEY_TTL;
use trunkline_shared::{Incarnation, Now, Offset, Position, PublishId, Slot, UnixMillis};
use trunkline_store_core::{AllFound, ChannelKey, FindRequest, StoreError};

use super::Shard;
use super::pending::{Held, LookUp};
use super::tickets::Purpose;
use crate::io::{StoreRequest, StoreTicket};

/// Publishes looked up in one query at most.
const PUBLISHES_PER_QUERY: usize = 1024;

/// Slots with publishes to look up; one query is in flight, what is wanted meanwhile goes in the next.
#[derive(Debug, Default)]
pub(super) struct LookUps {
    wanted: BTreeSet<Slot>,
    in_flight: bool,
    /// Keys of messages older than this are forgotten.
    keys_not_before: UnixMillis,
}

impl LookUps {
    /// Look-ups go by the time of the input that is worked on.
    pub(super) fn tell_time(&mut self, now: Now) {
        self.keys_not_before = now.unix.minus(IDEMPOTENCY_KEY_TTL);
    }

    /// Forgets a slot that is given up.
    pub(super) fn forget(&mut self, slot: Slot) {
        self.wanted.remove(&slot);
    }
}

/// The ids of a slot's buffered publishes.
#[derive(Debug, Default)]
pub(super) struct BufferedIds(BTreeMap<Incarnation, BTreeMap<u64, Position>>);

impl BufferedIds {
    pub(super) fn find(&self, id: PublishId) -> Option<Position> {
        self.0.get(&id.edge)?.get(&id.counter).copied()
    }

    /// Returns whether it is a new one.
    pub(super) fn insert(&mut self, id: PublishId, position: Position) -> bool {
        self.0
            .entry(id.edge)
            .or_default()
            .insert(id.counter, position)
            .is_none()
    }

    /// Forgets an edge's ids below a counter; returns how many.
    pub(super) fn forget_below(&mut self, edge: Incarnation, oldest: u64) -> usize {
        let Some(ids) = self.0.get_mut(&edge) else {
            return 0;
        };
        let before = ids.len();
        while ids
            .first_key_value()
            .is_some_and(|(counter, _)| *counter < oldest)
        {
            ids.pop_first();
        }
        before - ids.len()
    }

    /// Forgets an edge; returns how many ids that were.
    pub(super) fn forget(&mut self, edge: Incarnation) -> usize {
        self.0.remove(&edge).map_or(0, |ids| ids.len())
    }

    pub(super) fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }
}

/// What the store has of the publishes that it was asked for.
#[derive(Debug)]
struct FoundPublishes {
    ids: BTreeMap<PublishId, Offset>,
    keys: BTreeMap<ChannelKey, Offset>,
}

impl FoundPublishes {
    fn new(found: AllFound) -> Self {
        let ids = found.ids.into_iter();
        let keys = found.keys.into_iter();
        Self {
            ids: ids.map(|found| (found.id, found.offset)).collect(),
            keys: keys.map(|found| (found.key, found.offset)).collect(),
        }
    }

    /// Where a publish, or an earlier one with its key, stands.
    fn offset_of(&self, slot: Slot, held: &Held) -> Option<Offset> {
        let by_id = self.ids.get(&held.id);
        let by_key = || self.keys.get(&held.channel_key(slot)?);
        by_id.or_else(by_key).copied()
    }
}

impl Shard {
    /// Forgets the ids of an edge that is dead: it repeats nothing any more.
    pub(super) fn forget_ids(&mut self, edge: Incarnation) {
        let forgotten: usize = self
            .slots
            .values_mut()
            .map(|state| state.ids.forget(edge))
            .sum();
        self.totals.publish_ids -= forgotten;
    }

    /// Looks up what must be looked up in a slot.
    pub(super) fn want_look_ups(&mut self, slot: Slot) {
        let Some(state) = self.slots.get(&slot) else {
            return;
        };
        if state
            .waiting
            .iter()
            .any(|held| held.look_up == LookUp::Wanted)
        {
            self.look_ups.wanted.insert(slot);
            self.ask_look_ups();
        }
    }

    /// Looks a repeat up that has just begun to wait.
    pub(super) fn want_look_up(&mut self, slot: Slot) {
        self.look_ups.wanted.insert(slot);
        self.ask_look_ups();
    }

    fn ask_look_ups(&mut self) {
        if self.look_ups.in_flight {
            return;
        }
        let ready: Vec<Slot> = self
            .look_ups
            .wanted
            .iter()
            .copied()
            .filter(|slot| self.is_ready(*slot))
            .collect();
        let mut find = FindRequest {
            keys_not_before: self.look_ups.keys_not_before,
            ..FindRequest::default()
        };
        let mut slots = Vec::new();
        let ticket = self.tickets.draw();
        for slot in ready {
            let Some(state) = self.slots.get_mut(&slot) else {
                continue;
            };
            let wanted = state
                .waiting
                .iter_mut()
                .filter(|held| held.look_up == LookUp::Wanted);
            let before = find.ids.len();
            for held in wanted.take(PUBLISHES_PER_QUERY - before) {
                held.look_up = LookUp::Asked(ticket);
                find.ids.push((slot, held.id));
                find.keys.extend(held.channel_key(slot));
            }
            if find.ids.len() > before {
                slots.push(slot);
            }
            if find.ids.len() == PUBLISHES_PER_QUERY {
                break;
            }
            self.look_ups.wanted.remove(&slot);
        }
        if !find.is_empty() {
            self.look_ups.in_flight = true;
            self.ask_store(ticket, Purpose::Find(slots), StoreRequest::Find(find));
        }
    }

    fn is_ready(&self, slot: Slot) -> bool {
        self.slots
            .get(&slot)
            .is_some_and(super::slot::SlotState::is_ready)
    }

    pub(super) fn on_found(
        &mut self,
        now: Now,
        ticket: StoreTicket,
        slots: Vec<Slot>,
        answer: Result<AllFound, StoreError>,
    ) {
        self.look_ups.in_flight = false;
        let answer = answer.map(FoundPublishes::new);
        for slot in slots {
            match &answer {
                Ok(found) => self.on_slot_found(slot, ticket, found),
                Err(error) => self.on_slot_not_searched(slot, ticket, error),
            }
            self.advance(now, slot);
        }
        self.ask_look_ups();
    }

    fn on_slot_found(&mut self, slot: Slot, ticket: StoreTicket, found: &FoundPublishes) {
        // A slot that was given up and came back knows nothing of what was asked before.
        let state = self.slots.get_mut(&slot);
        let Some(state) = state.filter(|state| state.is_claimed()) else {
            return;
        };
        let epoch = state.epoch;
        let mut kept = Vec::new();
        let waiting = std::mem::take(&mut state.waiting);
        for mut held in waiting {
            match found.offset_of(slot, &held).filter(|_| held.is_sought()) {
                Some(offset) => kept.push((held, offset)),
                None => {
                    if held.look_up == LookUp::Asked(ticket) {
                        held.look_up = LookUp::Done;
                    }
                    state.waiting.push_back(held);
                }
            }
        }
        for (held, offset) in kept {
            if found.ids.contains_key(&held.id) {
                self.counters.repeats_found += 1;
            } else {
                self.counters.keys_found += 1;
            }
            let position = Position { epoch, offset };
            let behind = self.take_behind(slot, &held);
            self.release(slot, &held);
            self.published(slot, held.id, position);
            self.answer_behind(slot, behind, Some(position));
        }
    }

    fn on_slot_not_searched(&mut self, slot: Slot, ticket: StoreTicket, error: &StoreError) {
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        let was_asked = |held: &Held| held.look_up == LookUp::Asked(ticket);
        let (asked, others): (VecDeque<_>, VecDeque<_>) =
            state.waiting.drain(..).partition(was_asked);
        state.waiting = others;
        let refusal = match error {
            StoreError::Away(_) => Refusal::StoreAway,
            StoreError::Data(_) => Refusal::Busy,
        };
        self.refuse_held(slot, asked, refusal);
        self.send_back_behind(slot);
    }
}
