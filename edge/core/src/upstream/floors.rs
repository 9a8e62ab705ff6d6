//! What `history_remove` took: the edge's rings forget it.
//!
//! A floor comes by a push of its own, with the answer to whoever removed, and in every answer of an owner that names where
//! a channel stands: so an edge that lagged or was away hears it before it is given anything more.

use trunkline_shared::frame::Floor;
use trunkline_shared::{Channel, Epoch, Instant, LinkId, Offset, RequestId};

use super::Upstream;
use super::channel_state::ChannelState;
use super::requests::Ask;
use crate::exchange::Answer;

impl Upstream {
    /// Takes the floor of a numbering: if it is the channel's, its ring forgets what lies at or below it.
    pub(super) fn take_floor(&mut self, channel: &Channel, epoch: Epoch, floor: Offset) {
        let is_ours = |state: &ChannelState| state.epoch == Some(epoch);
        if self.interest.get(channel).is_some_and(is_ours) {
            self.interest
                .change_ring(channel, |ring| ring.forget_to(floor));
        }
    }

    /// Somebody has removed the history of a channel that this link pushes.
    pub(super) fn on_floor(&mut self, link: LinkId, floor: &Floor) {
        let is_live = |state: &ChannelState| state.is_live_on(link);
        if self.interest.get(&floor.channel).is_some_and(is_live) {
            self.counters.floors += 1;
            self.take_floor(&floor.channel, floor.epoch, floor.floor);
        } else {
            self.counters.pushes_foreign += 1;
        }
    }

    /// A worker's removal is done: whoever resumes here from now on gets nothing of it, pushed the channel or not.
    pub(super) fn on_history_removed(
        &mut self,
        now: Instant,
        link: LinkId,
        request: RequestId,
        epoch: Epoch,
        floor: Offset,
    ) {
        let Some(request) = self.finish_request(now, link, request) else {
            return;
        };
        let Ask::RemoveHistory { asker, channel } = request.ask else {
            self.counters.frames_ignored += 1;
            return;
        };
        self.take_floor(&channel, epoch, floor);
        let answer = Answer::HistoryRemoved { epoch, floor };
        self.workers.answer(&mut self.out, asker, answer);
    }
}
