//! A channel that missed something is pulled, piece by piece, until it has reached the owner's head.

use trunkline_shared::frame::{Behind, Pulled};
use trunkline_shared::{Channel, Instant, LinkId, Offset, Position, Publication, RequestId};

use super::Upstream;
use super::requests::Ask;

impl Upstream {
    /// The owner has room again for a channel that lagged.
    pub(super) fn on_behind(&mut self, now: Instant, link: LinkId, behind: &Behind) {
        let Some(state) = self
            .interest
            .get(&behind.channel)
            .filter(|state| state.is_live_on(link))
        else {
            self.counters.pushes_foreign += 1;
            return;
        };
        self.counters.lags += 1;
        let is_known = state.epoch.is_some();
        self.take_floor(&behind.channel, behind.head.epoch, behind.floor);
        if !is_known {
            self.restate(now, &behind.channel);
        } else {
            self.fall_behind(now, &behind.channel);
        }
    }

    /// Notes that something was missed, and pulls unless that is done already.
    pub(super) fn fall_behind(&mut self, now: Instant, channel: &Channel) {
        if let Some(state) = self.interest.get_mut(channel) {
            state.behind = true;
            self.pull_if_behind(now, channel);
        }
    }

    pub(super) fn pull_if_behind(&mut self, now: Instant, channel: &Channel) {
        let Some(state) = self.interest.get(channel) else {
            return;
        };
        if !state.behind || !state.is_live() || state.pull.is_some() || state.epoch.is_none() {
            return;
        }
        let slot = state.slot;
        self.counters.pulls += 1;
        let id = self.ask_own(now, Ask::Pull(channel.clone()), slot);
        if let Some(state) = self.interest.get_mut(channel) {
            state.pull = Some(id);
        }
    }

    pub(super) fn on_pulled(&mut self, now: Instant, link: LinkId, pulled: Pulled) {
        let Some(request) = self.finish_request(now, link, pulled.request) else {
            return;
        };
        let Ask::Pull(channel) = request.ask else {
            self.counters.frames_ignored += 1;
            return;
        };
        let pulling = self
            .interest
            .get_mut(&channel)
            .filter(|state| state.pull == Some(pulled.request));
        let Some(state) = pulling else { return };
        state.pull = None;
        let Some(ours) = state.position() else { return };
        if ours.epoch == pulled.head.epoch && ours.offset > pulled.head.offset {
            // The owner stands below what it has pushed: it must be told, and begin another numbering.
            return self.restate(now, &channel);
        }
        let (epoch, floor) = (pulled.head.epoch, pulled.floor);
        if ours.epoch != pulled.head.epoch {
            self.change_epoch(&channel, pulled.head);
        } else {
            self.take_pulled(now, &channel, pulled);
        }
        self.take_floor(&channel, epoch, floor);
        self.serve_waiters(now, &channel);
    }

    fn take_pulled(&mut self, now: Instant, channel: &Channel, pulled: Pulled) {
        let Pulled {
            head,
            publications,
            reached_head,
            ..
        } = pulled;
        let is_empty = publications.is_empty();
        for publication in publications {
            self.take_pulled_one(channel, head, publication);
        }
        if !reached_head && is_empty {
            // Nothing came and more is to come: not again at once.
            return self.retry_later(now, channel);
        }
        if !reached_head {
            return self.pull_if_behind(now, channel);
        }
        let top = self
            .interest
            .get(channel)
            .map_or(head.offset, |state| state.ring.top());
        if top < head.offset {
            self.jump(channel, head);
        }
        if let Some(state) = self.interest.get_mut(channel) {
            state.behind = false;
        }
    }

    fn take_pulled_one(&mut self, channel: &Channel, head: Position, publication: Publication) {
        let Some(state) = self.interest.get(channel) else {
            return;
        };
        let before = Offset(publication.offset.0.saturating_sub(1));
        if publication.offset <= state.ring.top() {
            return;
        }
        if before > state.ring.top() {
            self.jump(
                channel,
                Position {
                    epoch: head.epoch,
                    offset: before,
                },
            );
        }
        self.take_publication(channel, publication);
    }

    pub(super) fn on_pull_lost(&mut self, now: Instant, channel: &Channel, id: RequestId) {
        if self.forget_pull(channel, id) {
            self.pull_if_behind(now, channel);
        }
    }

    /// The owner can't serve a pull now: it is asked again after a while.
    pub(super) fn on_pull_refused(&mut self, now: Instant, channel: &Channel, id: RequestId) {
        if self.forget_pull(channel, id) {
            self.retry_later(now, channel);
        }
    }

    fn forget_pull(&mut self, channel: &Channel, id: RequestId) -> bool {
        let pulling = self
            .interest
            .get_mut(channel)
            .filter(|state| state.pull == Some(id));
        pulling.map(|state| state.pull = None).is_some()
    }
}
