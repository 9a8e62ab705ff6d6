//! What workers ask of a channel's owner, publishes and subscriptions apart, and the edges of the mesh.

use trunkline_shared::frame::HistoryQuery;
use trunkline_shared::{Channel, Instant};

use super::requests::Ask;
use super::{Asker, Upstream};
use crate::exchange::RefusedBecause;

impl Upstream {
    pub(super) fn on_history_wanted(
        &mut self,
        now: Instant,
        asker: Asker,
        deadline: Instant,
        channel: Channel,
        query: HistoryQuery,
        bytes_max: u32,
    ) {
        let named = channel.clone();
        self.ask_for_worker(
            now,
            asker,
            deadline,
            &named,
            Ask::History {
                asker,
                channel,
                query,
                bytes_max,
            },
        );
    }

    pub(super) fn on_removal_wanted(
        &mut self,
        now: Instant,
        asker: Asker,
        deadline: Instant,
        channel: Channel,
    ) {
        let named = channel.clone();
        self.ask_for_worker(
            now,
            asker,
            deadline,
            &named,
            Ask::RemoveHistory { asker, channel },
        );
    }

    pub(super) fn on_presence_wanted(
        &mut self,
        now: Instant,
        asker: Asker,
        deadline: Instant,
        channel: Channel,
    ) {
        let named = channel.clone();
        self.ask_for_worker(
            now,
            asker,
            deadline,
            &named,
            Ask::Presence { asker, channel },
        );
    }

    pub(super) fn on_presence_stats_wanted(
        &mut self,
        now: Instant,
        asker: Asker,
        deadline: Instant,
        channel: Channel,
    ) {
        let named = channel.clone();
        self.ask_for_worker(
            now,
            asker,
            deadline,
            &named,
            Ask::PresenceStats { asker, channel },
        );
    }

    /// Asks any node for the edges that it knows.
    pub(super) fn on_info_wanted(&mut self, now: Instant, asker: Asker, deadline: Instant) {
        if self.has_room_for_request(asker) {
            self.ask(now, Ask::Info { asker }, None, deadline);
        }
    }

    fn ask_for_worker(
        &mut self,
        now: Instant,
        asker: Asker,
        deadline: Instant,
        channel: &Channel,
        ask: Ask,
    ) {
        let Some(slot) = self.routing.slot_of(channel) else {
            return self.refuse(asker, RefusedBecause::UnknownChannel);
        };
        if self.has_room_for_request(asker) {
            self.ask(now, ask, Some(slot), deadline);
        }
    }

    /// Counts a request of a worker, and refuses it when too many wait.
    pub(super) fn has_room_for_request(&mut self, asker: Asker) -> bool {
        self.counters.requests += 1;
        let room = self.waiting() < self.config.waiting_max;
        if !room {
            self.counters.requests_refused_full += 1;
            self.refuse(asker, RefusedBecause::Temporary);
        }
        room
    }
}
