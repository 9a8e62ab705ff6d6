//! Publications on their way to workers: each exactly once and in order, or the worker is told that it can't be.

use std::sync::Arc;

use trunkline_shared::frame::{PresenceEvent, Push};
use trunkline_shared::{Channel, Instant, LinkId, Publication};

use super::Upstream;
use super::ring::RingBounds;
use crate::exchange::ToWorker;
use crate::shared_publication::SharedPublication;

impl Upstream {
    /// Takes a push, from the link that answered the channel's last subscribe only.
    pub(super) fn on_push(&mut self, now: Instant, link: LinkId, push: Push) {
        let Push {
            slot,
            channel,
            epoch,
            publication,
            ..
        } = push;
        let live = |state: &&super::channel_state::ChannelState| {
            state.is_live_on(link) && state.slot == slot
        };
        let Some(state) = self.interest.get(&channel).filter(live) else {
            self.counters.pushes_foreign += 1;
            return;
        };
        let (ours, top, was_behind) = (state.epoch, state.ring.top(), state.behind);
        if epoch.is_none() {
            return self.deliver_ephemeral(&channel, publication);
        }
        if epoch != ours {
            return self.restate(now, &channel);
        }
        if publication.offset <= top {
            self.counters.pushes_old += 1;
        } else if publication.offset == top.next() {
            self.take_publication(&channel, publication);
        } else {
            self.counters.pushes_beyond += u64::from(!was_behind);
            self.fall_behind(now, &channel);
        }
    }

    fn deliver_ephemeral(&mut self, channel: &Channel, publication: Publication) {
        self.counters.publications += 1;
        let Some(state) = self.interest.get(channel) else {
            return;
        };
        let shared = Arc::new(SharedPublication::new(channel.clone(), None, publication));
        for worker in state.readers.keys() {
            let message = ToWorker::Publication(Arc::clone(&shared));
            if !self.workers.try_tell(&mut self.out, *worker, message) {
                self.counters.worker_dropped += 1;
            }
        }
    }

    /// Takes the publication after the top: into the ring, and to every worker that has all before it.
    pub(super) fn take_publication(&mut self, channel: &Channel, publication: Publication) {
        let Some(state) = self.interest.get(channel) else {
            return;
        };
        self.counters.publications += 1;
        let shared = Arc::new(SharedPublication::new(
            channel.clone(),
            state.epoch,
            publication,
        ));
        let bounds = RingBounds {
            publications: self.config.ring_publications_max,
            bytes: self.config.ring_bytes_max,
        };
        let now = self.now.instant;
        self.interest.change_ring(channel, |ring| {
            ring.append(now, Arc::clone(&shared), bounds)
        });
        self.interest.use_ring(channel, now);
        self.deliver(channel, &shared);
        self.bound_rings();
    }

    fn deliver(&mut self, channel: &Channel, shared: &Arc<SharedPublication>) {
        let Some(state) = self.interest.get_mut(channel) else {
            return;
        };
        let offset = shared.publication.offset;
        for (worker, reader) in state
            .readers
            .iter_mut()
            .filter(|(_, reader)| !reader.lagging)
        {
            assert_eq!(
                reader.sent.next(),
                offset,
                "a worker that doesn't lag has all before"
            );
            if self.workers.try_tell(
                &mut self.out,
                *worker,
                ToWorker::Publication(Arc::clone(shared)),
            ) {
                reader.sent = offset;
            } else {
                reader.lagging = true;
                self.counters.worker_lags += 1;
                self.workers.lag(*worker, channel.clone());
            }
        }
    }

    fn bound_rings(&mut self) {
        while self.interest.rings_bytes() > self.config.rings_bytes_max
            && self.interest.evict_ring()
        {
            self.counters.rings_evicted += 1;
        }
    }

    /// Joins and leaves are given at most once, to the workers that have room.
    pub(super) fn on_presence_events(
        &mut self,
        link: LinkId,
        channel: Channel,
        events: Vec<PresenceEvent>,
    ) {
        let Some(state) = self
            .interest
            .get(&channel)
            .filter(|state| state.is_live_on(link))
        else {
            self.counters.pushes_foreign += 1;
            return;
        };
        let events = Arc::new(events);
        for worker in state.readers.keys() {
            let message = ToWorker::PresenceEvents {
                channel: channel.clone(),
                events: Arc::clone(&events),
            };
            if !self.workers.try_tell(&mut self.out, *worker, message) {
                self.counters.worker_dropped += 1;
            }
        }
    }
}
