//! Publications on their way to workers: each exactly once and in order, or the worker is told that it can't be.

use std::sync::Arc;

use trunkline_shared::frame::{PresenceEvent, Push};
use trunkline_shared::{Channel, Instant, LinkId, Offset, Position, Publication};

use super::Upstream;
use crate::exchange::{ToWorker, WorkerId};
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
        let live =
            |state: &&super::interest::ChannelState| state.is_live_on(link) && state.slot == slot;
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
        let (count, bytes) = (
            self.config.ring_publications_max,
            self.config.ring_bytes_max,
        );
        self.interest.change_ring(channel, |ring| {
            ring.append(Arc::clone(&shared), count, bytes)
        });
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

    /// Gives back room, and serves the channels that lag for the worker, in turn.
    pub(super) fn on_consumed(&mut self, worker: WorkerId, weight: usize) {
        self.workers.on_consumed(worker, weight);
        while let Some(channel) = self.workers.pop_lagging(worker) {
            if !self.serve_reader(worker, &channel) {
                self.workers.lag(worker, channel);
                return;
            }
        }
    }

    /// Gives a worker what it lacks of a channel, from the ring; false when its queue is full again before the top.
    fn serve_reader(&mut self, worker: WorkerId, channel: &Channel) -> bool {
        let Some(state) = self.interest.get_mut(channel) else {
            return true;
        };
        let (top, floor) = (state.ring.top(), state.ring.floor());
        let position = |offset| state.epoch.map(|epoch| Position { epoch, offset });
        let gap = position(floor);
        let Some(reader) = state.readers.get_mut(&worker) else {
            return true;
        };
        if let Some(position) = gap.filter(|_| reader.sent < floor) {
            self.counters.gaps += 1;
            self.workers.tell(
                &mut self.out,
                worker,
                ToWorker::Gap {
                    channel: channel.clone(),
                    position,
                },
            );
            reader.sent = floor;
        }
        while let Some(shared) = state.ring.at(reader.sent.next()) {
            if !self.workers.try_tell(
                &mut self.out,
                worker,
                ToWorker::Publication(Arc::clone(shared)),
            ) {
                return false;
            }
            reader.sent = reader.sent.next();
        }
        assert_eq!(
            reader.sent, top,
            "a ring holds everything from its floor to its top"
        );
        reader.lagging = false;
        true
    }

    /// What lies before `position` is lost for good: the ring begins anew there, and the workers are told.
    ///
    /// A worker that lags learns it when it is served.
    pub(super) fn jump(&mut self, channel: &Channel, position: Position) {
        self.interest
            .change_ring(channel, |ring| ring.restart(position.offset));
        let Some(state) = self.interest.get_mut(channel) else {
            return;
        };
        for (worker, reader) in state
            .readers
            .iter_mut()
            .filter(|(_, reader)| !reader.lagging)
        {
            self.counters.gaps += 1;
            self.workers.tell(
                &mut self.out,
                *worker,
                ToWorker::Gap {
                    channel: channel.clone(),
                    position,
                },
            );
            reader.sent = position.offset;
        }
    }

    /// Takes where the owner says that the channel stands, when its pushes begin.
    pub(super) fn take_head(
        &mut self,
        now: Instant,
        channel: &Channel,
        head: Option<Position>,
        lagging: bool,
    ) {
        let Some(state) = self.interest.get_mut(channel) else {
            return;
        };
        let before = state.position();
        match (before, head) {
            (Some(before), Some(head))
                if before.epoch == head.epoch && before.offset <= head.offset =>
            {
                if lagging || before.offset < head.offset {
                    self.fall_behind(now, channel);
                }
            }
            (Some(_), Some(head)) => self.change_epoch(channel, head),
            (None, Some(head)) => self.begin(channel, head),
            (_, None) => {
                state.epoch = None;
                self.interest
                    .change_ring(channel, |ring| ring.restart(Offset::ZERO));
                self.align_readers(channel, Offset::ZERO);
            }
        }
    }

    fn begin(&mut self, channel: &Channel, head: Position) {
        if let Some(state) = self.interest.get_mut(channel) {
            state.epoch = Some(head.epoch);
            state.behind = false;
        }
        self.interest
            .change_ring(channel, |ring| ring.restart(head.offset));
        self.align_readers(channel, head.offset);
    }

    /// Another numbering begins, or this one fell back: nothing that is had belongs to it.
    pub(super) fn change_epoch(&mut self, channel: &Channel, head: Position) {
        self.begin(channel, head);
        let Some(state) = self.interest.get(channel) else {
            return;
        };
        let spread = self.config.epoch_spread;
        for worker in state.readers.keys() {
            self.counters.epoch_changes += 1;
            let message = ToWorker::EpochChanged {
                channel: channel.clone(),
                position: head,
                spread,
            };
            self.workers.tell(&mut self.out, *worker, message);
        }
    }

    /// Lets every worker go on from an offset.
    fn align_readers(&mut self, channel: &Channel, sent: Offset) {
        let Some(state) = self.interest.get_mut(channel) else {
            return;
        };
        for (worker, reader) in &mut state.readers {
            reader.sent = sent;
            if std::mem::take(&mut reader.lagging) {
                self.workers.forget_lag(*worker, channel);
            }
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
