//! What ends a request: its answer, a refusal, or its deadline.

use trunkline_shared::frame::Refusal;
use trunkline_shared::{Instant, LinkId, RequestId};

use super::Upstream;
use super::requests::{Ask, Request};
use crate::exchange::RefusedBecause;

impl Upstream {
    /// The answer of a request has come whole from a link: gives back its room, takes the request out of the table.
    pub(super) fn finish_request(
        &mut self,
        now: Instant,
        link: LinkId,
        id: RequestId,
    ) -> Option<Request> {
        self.release_room(now, link, id);
        if self.requests.sent_on(link, id).is_none() {
            self.counters.answers_unknown += 1;
            return None;
        }
        self.forget_request(id)
    }

    /// Gives back the room of an answer; what waited for room goes on.
    pub(super) fn release_room(&mut self, now: Instant, link: LinkId, id: RequestId) {
        let Some(state) = self.links.get_mut(&link) else {
            return;
        };
        state.release(id);
        let blocked = std::mem::take(&mut state.answers_blocked);
        if blocked {
            self.pump_link(now, link);
        }
    }

    pub(super) fn on_request_expired(&mut self, now: Instant, id: RequestId) {
        let Some(request) = self.forget_request(id) else {
            return;
        };
        if let Some(asker) = request.ask.asker() {
            self.counters.requests_expired += 1;
            return self.refuse(asker, RefusedBecause::Temporary);
        }
        self.counters.asked_again += 1;
        match request.ask {
            Ask::Subscribe(channel) => self.on_subscribe_lost(now, &channel, id),
            Ask::Pull(channel) => self.on_pull_lost(now, &channel, id),
            Ask::Recover { channel, .. } => self.on_recovery_lost(now, &channel, id),
            Ask::Positions { .. }
            | Ask::History { .. }
            | Ask::RemoveHistory { .. }
            | Ask::Presence { .. }
            | Ask::PresenceStats { .. }
            | Ask::Info { .. } => {}
        }
    }

    pub(super) fn on_request_refused(
        &mut self,
        now: Instant,
        link: LinkId,
        id: RequestId,
        refusal: Refusal,
    ) {
        let Some(request) = self.finish_request(now, link, id) else {
            return;
        };
        if let (Refusal::Moved { version }, Some(slot)) = (refusal, request.slot) {
            self.on_moved(now, link, slot, version);
        }
        match request.ask {
            Ask::Subscribe(channel) => self.on_subscribe_refused(now, &channel, id, refusal),
            Ask::Pull(channel) => self.on_pull_refused(now, &channel, id),
            Ask::Recover { channel, .. } => self.on_recovery_refused(now, &channel, id, refusal),
            Ask::Positions { .. } => {}
            ask @ (Ask::History { .. }
            | Ask::RemoveHistory { .. }
            | Ask::Presence { .. }
            | Ask::PresenceStats { .. }
            | Ask::Info { .. }) => {
                let asker = ask.asker().expect("these are asked for workers");
                match because(refusal) {
                    Some(because) => self.refuse(asker, because),
                    None => {
                        self.ask(now, ask, request.slot, request.deadline);
                    }
                }
            }
        }
    }
}

/// What a worker is told of a refusal; `None` when it is asked again instead.
pub(super) const fn because(refusal: Refusal) -> Option<RefusedBecause> {
    match refusal {
        Refusal::Moved { .. } => None,
        Refusal::StaleView | Refusal::Busy | Refusal::StoreAway | Refusal::WrongSlot => {
            Some(RefusedBecause::Temporary)
        }
        Refusal::UnknownChannel => Some(RefusedBecause::UnknownChannel),
        Refusal::NotAvailable => Some(RefusedBecause::NotAvailable),
    }
}
