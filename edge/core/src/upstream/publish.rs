//! The trip of a publish: taken, kept, sent, sent again, answered.

use trunkline_shared::frame::{Publish, Refusal, ToNode};
use trunkline_shared::rules::{Class, Namespace};
use trunkline_shared::{
    Channel, IdempotencyKey, Instant, LinkId, Position, Publication, RequestId, Slot,
};

use super::unanswered::Unacked;
use super::{Asker, Timer, Upstream};
use crate::exchange::{Answer, RefusedBecause};

/// What a worker publishes, as [`ToUpstream::Publish`](crate::exchange::ToUpstream::Publish) says it.
pub(super) struct Message {
    pub(super) channel: Channel,
    pub(super) key: Option<IdempotencyKey>,
    pub(super) skip_history: bool,
    pub(super) publication: Publication,
}

impl Upstream {
    pub(super) fn on_publish(
        &mut self,
        now: Instant,
        asker: Asker,
        deadline: Instant,
        message: Message,
    ) {
        let Message {
            channel,
            key,
            skip_history,
            publication,
        } = message;
        self.counters.publishes += 1;
        let rules = self.routing.rules.clone();
        let class = rules
            .as_ref()
            .and_then(|rules| rules.of(&channel))
            .map(Namespace::class);
        let (Some(class), Some(slot)) = (class, self.routing.slot_of(&channel)) else {
            return self.refuse(asker, RefusedBecause::UnknownChannel);
        };
        let deadline = deadline.max(now);
        let publish = Unacked {
            asker,
            deadline,
            slot,
            channel,
            key,
            publication,
            sent_on: None,
            ever_sent: false,
        };
        match class {
            Class::Ephemeral => self.hand_over(now, &publish, ToNode::Publish),
            Class::Durable | Class::Buffered if skip_history => {
                self.hand_over(now, &publish, ToNode::PublishUnkept);
            }
            Class::Durable | Class::Buffered => self.publish_kept(now, publish),
        }
    }

    /// Hands a publish that isn't kept to the link at most once; it is answered whatever becomes of it.
    fn hand_over(&mut self, now: Instant, publish: &Unacked, frame: fn(Publish) -> ToNode) {
        let request = self.next_request();
        let frame = frame(self.publish_frame(now, request, publish));
        let link = self.routing.link_of(publish.slot);
        if !link.is_some_and(|link| self.try_send_ephemeral(link, frame)) {
            self.counters.ephemeral_dropped += 1;
        }
        self.workers.answer(
            &mut self.out,
            publish.asker,
            Answer::Published { position: None },
        );
    }

    fn publish_kept(&mut self, now: Instant, publish: Unacked) {
        let bytes = self.unanswered.bytes() + publish.publication.weight();
        if self.unanswered.len() >= self.config.unanswered_max
            || bytes > self.config.unanswered_bytes_max
        {
            return self.refuse_full(publish.asker);
        }
        let slot = publish.slot;
        let behind_others = self.unanswered.has_unsent(slot);
        let id = self.next_request();
        self.timers.arm(publish.deadline, Timer::Publish(id));
        self.unanswered.insert(id, publish);
        let link = self.routing.link_of(slot).filter(|_| !behind_others);
        if link.is_some_and(|link| !self.try_send_publish(now, link, id)) {
            let publish = self.forget_publish(id).expect("it was kept just now");
            self.refuse_full(publish.asker);
        }
    }

    fn refuse_full(&mut self, asker: Asker) {
        self.counters.publishes_refused_full += 1;
        self.refuse(asker, RefusedBecause::Temporary);
    }

    fn publish_frame(&self, now: Instant, request: RequestId, publish: &Unacked) -> Publish {
        let time_left = publish.deadline.since(now).as_millis();
        Publish {
            request,
            slot: publish.slot,
            channel: publish.channel.clone(),
            view: self.routing.view_version(),
            repeat: publish.ever_sent,
            oldest_unanswered: self.unanswered.oldest(publish.slot).unwrap_or(request),
            time_left_ms: u32::try_from(time_left).unwrap_or(u32::MAX),
            key: publish.key.as_ref().map(|key| key.as_bytes().to_vec()),
            publication: publish.publication.clone(),
        }
    }

    fn try_send_publish(&mut self, now: Instant, link: LinkId, id: RequestId) -> bool {
        let Some(publish) = self.unanswered.get(id) else {
            return false;
        };
        let repeat = publish.ever_sent;
        let frame = ToNode::Publish(self.publish_frame(now, id, publish));
        let sent = self.try_send(link, frame);
        if sent {
            self.unanswered.mark_sent(id, link);
            self.counters.repeats += u64::from(repeat);
        }
        sent
    }

    /// Sends what waits in the slots of a lane, each slot in order, until the lane is full.
    pub(super) fn pump_publishes(&mut self, now: Instant, link: LinkId, lane: u8) {
        for slot in self.unanswered.unsent_slots(lane) {
            if self.routing.link_of(slot) == Some(link) && !self.pump_slot(now, link, slot) {
                return;
            }
        }
    }

    /// An answer may have been the one for which others of its slot wait.
    fn go_on_with(&mut self, now: Instant, slot: Slot) {
        if let Some(link) = self.routing.link_of(slot) {
            self.pump_slot(now, link, slot);
        }
    }

    fn pump_slot(&mut self, now: Instant, link: LinkId, slot: Slot) -> bool {
        while let Some(id) = self.unanswered.next_unsent(slot) {
            if !self.try_send_publish(now, link, id) {
                return false;
            }
        }
        true
    }

    pub(super) fn on_published(&mut self, now: Instant, request: RequestId, position: Position) {
        match self.forget_publish(request) {
            Some(publish) => {
                let answer = Answer::Published {
                    position: Some(position),
                };
                self.workers.answer(&mut self.out, publish.asker, answer);
                self.go_on_with(now, publish.slot);
            }
            None => self.counters.answers_unknown += 1,
        }
    }

    /// Takes a refusal of a publish; one of a link that hasn't the publish any more says nothing.
    pub(super) fn on_publish_refused(
        &mut self,
        now: Instant,
        link: LinkId,
        id: RequestId,
        refusal: Refusal,
    ) {
        let Some(publish) = self.unanswered.get(id) else {
            return;
        };
        if publish.sent_on != Some(link) {
            self.counters.answers_unknown += 1;
            return;
        }
        let slot = publish.slot;
        match refusal {
            Refusal::Moved { version } => {
                self.unanswered.mark_unsent(id);
                self.on_moved(now, link, slot, version);
            }
            Refusal::StaleView => {
                self.unanswered.mark_unsent(id);
                self.go_on_with(now, slot);
            }
            Refusal::Busy | Refusal::StoreAway | Refusal::WrongSlot => {
                self.end_publish(now, id, RefusedBecause::Temporary);
            }
            Refusal::UnknownChannel => {
                self.end_publish(now, id, RefusedBecause::UnknownChannel);
            }
            Refusal::NotAvailable => self.end_publish(now, id, RefusedBecause::NotAvailable),
        }
    }

    pub(super) fn on_publish_expired(&mut self, now: Instant, id: RequestId) {
        self.counters.publishes_expired += 1;
        self.end_publish(now, id, RefusedBecause::Temporary);
    }

    fn end_publish(&mut self, now: Instant, id: RequestId, because: RefusedBecause) {
        if let Some(publish) = self.forget_publish(id) {
            self.refuse(publish.asker, because);
            self.go_on_with(now, publish.slot);
        }
    }

    fn forget_publish(&mut self, id: RequestId) -> Option<Unacked> {
        let publish = self.unanswered.remove(id)?;
        self.timers.disarm(publish.deadline, Timer::Publish(id));
        Some(publish)
    }
}
