//! Workers that can't keep up: served from the ring when they have room again, told of what the ring has lost.

use std::sync::Arc;

use trunkline_shared::{Channel, Offset, Position};

use super::Upstream;
use crate::exchange::{ToWorker, WorkerId};

impl Upstream {
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

    /// Lets every worker go on from an offset.
    pub(super) fn align_readers(&mut self, channel: &Channel, sent: Offset) {
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
}
