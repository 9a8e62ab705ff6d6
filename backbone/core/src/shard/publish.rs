//! A publish as it arrives: the checks in their order, and the road of its class.

use std::time::Duration;

use trunkline_shared::frame::{Publish, Refusal, ToEdge};
use trunkline_shared::rules::Class;
use trunkline_shared::{
    IdempotencyKey, IdempotencyKeyError, Now, Offset, Position, PublishId, RequestId, Slot,
};

use super::Shard;
use super::admission::ChannelRules;
use super::edges::Caller;
use super::pending::{Held, LookUp};
use super::slot::SlotState;

impl Shard {
    pub(super) fn on_publish(&mut self, now: Now, caller: Caller, publish: Publish) {
        let id = PublishId {
            edge: caller.edge,
            counter: publish.request.0,
        };
        let slot = publish.slot;
        let Ok(key) = self.key_of(caller, &publish) else {
            return;
        };
        let rules = match self.rules_of(&publish.channel) {
            Ok(rules) => rules,
            Err(refusal) => return self.refuse_publish(slot, id, refusal),
        };
        if rules.class == Class::Ephemeral {
            return self.publish_ephemeral(now, caller, publish, key, rules);
        }
        self.note_arrival(slot, id, publish.oldest_unanswered);
        if publish.time_left_ms == 0 {
            return self.refuse_late(slot, id);
        }
        if self.is_undecided(slot, publish.view) {
            return self.park_publish(now, caller, publish);
        }
        match self.take_publish(now, id, publish, key, rules) {
            Ok(()) => {}
            Err(refusal) => self.refuse_publish(slot, id, refusal),
        }
    }

    /// Takes a publish that history doesn't keep, of whichever class its channel is.
    pub(super) fn on_publish_unkept(&mut self, now: Now, caller: Caller, publish: Publish) {
        let Ok(key) = self.key_of(caller, &publish) else {
            return;
        };
        match self.rules_of(&publish.channel) {
            Ok(rules) => self.publish_ephemeral(now, caller, publish, key, rules),
            Err(_) => self.counters.ephemeral_refused += 1,
        }
    }

    /// The publisher's key. What can't be one ends the link.
    fn key_of(
        &mut self,
        caller: Caller,
        publish: &Publish,
    ) -> Result<Option<IdempotencyKey>, IdempotencyKeyError> {
        let key = publish.key.as_deref().map(IdempotencyKey::new).transpose();
        if key.is_err() {
            self.close(caller.link, "an idempotency key that can't be one");
        }
        key
    }

    /// Gives a publish to who is there, and forgets it.
    fn publish_ephemeral(
        &mut self,
        now: Now,
        caller: Caller,
        publish: Publish,
        key: Option<IdempotencyKey>,
        rules: ChannelRules,
    ) {
        let Publish {
            slot,
            channel,
            mut publication,
            ..
        } = publish;
        if self.admit(slot, rules).is_err() {
            self.counters.ephemeral_refused += 1;
            return;
        }
        if !self.takes_unkept_key(now, slot, &channel, key) {
            return;
        }
        self.counters.ephemeral_published += 1;
        publication.offset = Offset::ZERO;
        publication.time = now.unix;
        publication.origin = self.region_of(caller.edge);
        self.push_ephemeral(now, slot, &channel, &publication);
    }

    fn take_publish(
        &mut self,
        now: Now,
        id: PublishId,
        publish: Publish,
        key: Option<IdempotencyKey>,
        rules: ChannelRules,
    ) -> Result<(), Refusal> {
        let Publish {
            slot,
            channel,
            view,
            repeat,
            oldest_unanswered,
            time_left_ms,
            mut publication,
            ..
        } = publish;
        self.admit(slot, rules)?;
        let state = self.slots.get(&slot).expect("an admitted slot is owned");
        if view < state.claimed_under && !repeat {
            self.counters.stale_views += 1;
            return Err(Refusal::StaleView);
        }
        self.counters.repeats += u64::from(repeat);
        if self.is_known(slot, id, oldest_unanswered) {
            return Ok(());
        }
        if rules.class == Class::Durable && self.is_store_failing(slot) {
            return Err(Refusal::StoreAway);
        }
        let key_bytes = key.as_ref().map_or(0, |key| key.as_bytes().len());
        let weight = publication.weight() + channel.as_str().len() + key_bytes;
        self.check_room(slot, weight)?;
        if self.is_out_of_order(slot, id) {
            return Err(Refusal::StaleView);
        }
        self.ensure_channel(slot, &channel, rules)?;
        publication.origin = self.region_of(id.edge);
        let deadline = now.instant + Duration::from_millis(u64::from(time_left_ms));
        let may_be_there = repeat || key.is_some();
        let look_up = if may_be_there && rules.class == Class::Durable {
            LookUp::Wanted
        } else {
            LookUp::Done
        };
        self.route(
            now,
            slot,
            Held {
                id,
                class: rules.class,
                channel,
                publication,
                key,
                deadline,
                look_up,
            },
        );
        Ok(())
    }

    /// Whether a publish of this id waits already, and will be answered, or has been taken, and is answered now.
    fn is_known(&mut self, slot: Slot, id: PublishId, oldest_unanswered: RequestId) -> bool {
        let state = self
            .slots
            .get_mut(&slot)
            .expect("an admitted slot is owned");
        if state.held.contains(&id) {
            self.counters.repeats_held += 1;
            return true;
        }
        let position = state.ids.find(id);
        self.totals.publish_ids -= state
            .ids
            .forget_below(id.edge, oldest_unanswered.0.min(id.counter));
        if let Some(position) = position {
            self.counters.repeats_found += 1;
            self.published(slot, id, position);
        }
        position.is_some()
    }

    fn check_room(&self, slot: Slot, weight: usize) -> Result<(), Refusal> {
        let state = self.slots.get(&slot).expect("an admitted slot is owned");
        let slot_full =
            state.held_bytes > 0 && state.held_bytes + weight > self.config.slot_waiting_bytes_max;
        let shard_full = self.totals.waiting_bytes + weight > self.config.waiting_bytes_max;
        if slot_full || shard_full {
            Err(Refusal::Busy)
        } else {
            Ok(())
        }
    }

    fn route(&mut self, now: Now, slot: Slot, held: Held) {
        match held.class {
            Class::Buffered if self.slots.get(&slot).is_some_and(SlotState::is_gated) => {
                self.hold(slot, held)
            }
            Class::Buffered => self.publish_buffered(now, slot, held),
            Class::Durable => self.hold_durable(now, slot, held),
            Class::Ephemeral => {}
        }
    }

    fn hold_durable(&mut self, now: Now, slot: Slot, held: Held) {
        let sought = held.is_sought();
        let loaded = self.is_loaded(slot, &held.channel);
        self.hold(slot, held);
        if sought {
            self.want_look_up(slot);
        } else if loaded {
            self.advance(now, slot);
        }
    }

    /// Numbers, delivers and answers a buffered publish in one step; one whose time is over, as may be behind a look-up, is
    /// refused.
    pub(super) fn publish_buffered(&mut self, now: Now, slot: Slot, held: Held) {
        if held.deadline <= now.instant {
            return self.refuse_late(slot, held.id);
        }
        if let Some(position) = self.recall(now, slot, &held) {
            self.counters.keys_found += 1;
            return self.published(slot, held.id, position);
        }
        let Held {
            id,
            channel,
            key,
            mut publication,
            ..
        } = held;
        let room = self.totals.publish_ids < self.config.publish_ids_max
            && self.has_key_room(now, &channel, key.as_ref())
            && self.make_ring_room(slot, &channel, publication.weight());
        let numbered = self
            .channel_mut(slot, &channel)
            .and_then(|state| state.log.as_ref())
            .filter(|_| room);
        let Some(log) = numbered else {
            return self.refuse_publish(slot, id, Refusal::Busy);
        };
        publication.offset = log.head.next();
        publication.time = log.time(now);
        if let Some(position) = self.deliver(now, slot, &channel, publication) {
            self.remember_id(slot, id, position);
            self.remember_key(now, slot, &channel, key, Some(position));
            self.published(slot, id, position);
        }
    }

    fn remember_id(&mut self, slot: Slot, id: PublishId, position: Position) {
        let state = self
            .slots
            .get_mut(&slot)
            .expect("a channel delivers in a slot that is owned");
        self.totals.publish_ids += usize::from(state.ids.insert(id, position));
    }

    pub(super) fn published(&mut self, slot: Slot, id: PublishId, position: Position) {
        let frame = ToEdge::Published {
            request: RequestId(id.counter),
            slot,
            position,
        };
        self.edges.send(&mut self.outputs, id.edge, frame);
    }

    pub(super) fn refuse_publish(&mut self, slot: Slot, id: PublishId, refusal: Refusal) {
        match refusal {
            Refusal::Moved { .. } | Refusal::StaleView | Refusal::Busy | Refusal::StoreAway => {
                self.note_sent_back(slot, id);
            }
            Refusal::WrongSlot | Refusal::UnknownChannel | Refusal::NotAvailable => {}
        }
        self.say_refused(slot, id, refusal);
    }

    /// Refuses a publish whose time is over: its edge doesn't send it again.
    pub(super) fn refuse_late(&mut self, slot: Slot, id: PublishId) {
        self.counters.out_of_time += 1;
        self.say_refused(slot, id, Refusal::Busy);
    }

    fn say_refused(&mut self, slot: Slot, id: PublishId, refusal: Refusal) {
        self.count_refusal(refusal);
        let frame = ToEdge::Refused {
            request: RequestId(id.counter),
            slot,
            refusal,
        };
        self.edges.send(&mut self.outputs, id.edge, frame);
    }
}
