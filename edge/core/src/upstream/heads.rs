//! Where the owner says that a channel stands: it goes on, is behind, or has another numbering.

use trunkline_shared::{Channel, Instant, Offset, Position};

use super::Upstream;
use crate::exchange::ToWorker;

impl Upstream {
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
}
