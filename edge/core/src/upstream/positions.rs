//! Positions are checked edge against owner, once per channel, in batches: what was lost without a trace is found here.

use std::time::Duration;

use trunkline_shared::frame::ChannelHead;
use trunkline_shared::limits::LANES;
use trunkline_shared::{Channel, Instant, LinkId, RequestId, Slot};

use super::requests::Ask;
use super::{Timer, Upstream};

impl Upstream {
    /// Begins to check each lane of a link at its own random moment.
    pub(super) fn arm_position_checks(&mut self, now: Instant, link: LinkId) {
        let interval = self.config.position_check_interval;
        let times: Vec<Duration> = (0..LANES)
            .map(|_| interval / 4 + self.random_part(interval))
            .collect();
        if let Some(state) = self.links.get_mut(&link) {
            state.position_checks = times.iter().map(|after| now + *after).collect();
        }
        for (lane, after) in (0..LANES).zip(times) {
            self.timers.arm(now + after, Timer::Positions(link, lane));
        }
    }

    /// Ends the checks of a link that is gone.
    pub(super) fn disarm_position_checks(&mut self, link: LinkId, times: &[Instant]) {
        for (lane, at) in (0..LANES).zip(times) {
            self.timers.disarm(*at, Timer::Positions(link, lane));
        }
    }

    pub(super) fn on_position_check(&mut self, now: Instant, link: LinkId, lane: u8) {
        let interval = self.config.position_check_interval;
        let next = now + interval * 3 / 4 + self.random_part(interval / 2);
        let Some(state) = self.links.get_mut(&link) else {
            return;
        };
        state.position_checks[usize::from(lane)] = next;
        self.timers.arm(next, Timer::Positions(link, lane));
        self.check_positions(now, link, lane);
    }

    fn check_positions(&mut self, now: Instant, link: LinkId, lane: u8) {
        let numbered = |channel: &Channel| {
            self.interest
                .get(channel)
                .is_some_and(|state| state.is_live_on(link) && state.epoch.is_some())
        };
        let of_lane = self
            .interest
            .of_lane(lane)
            .filter(|(_, channel)| numbered(channel));
        let channels: Vec<(Slot, Channel)> = of_lane
            .map(|(slot, channel)| (slot, channel.clone()))
            .collect();
        for batch in channels.chunks(self.config.position_check_batch.max(1)) {
            let ask = Ask::Positions {
                link,
                channels: batch.to_vec(),
            };
            self.ask_own(now, ask, batch[0].0);
        }
    }

    pub(super) fn on_positions(
        &mut self,
        now: Instant,
        link: LinkId,
        request: RequestId,
        heads: Vec<ChannelHead>,
    ) {
        let Some(request) = self.finish_request(now, link, request) else {
            return;
        };
        let Ask::Positions { channels, .. } = request.ask else {
            self.counters.frames_ignored += 1;
            return;
        };
        for head in heads
            .iter()
            .filter(|head| channels.iter().any(|(_, asked)| *asked == head.channel))
        {
            self.compare(now, link, head);
        }
    }

    fn compare(&mut self, now: Instant, link: LinkId, head: &ChannelHead) {
        let Some(state) = self
            .interest
            .get(&head.channel)
            .filter(|state| state.is_live_on(link))
        else {
            return;
        };
        let Some(ours) = state.position() else { return };
        let is_known_behind = state.behind;
        match head.head {
            Some(theirs) if theirs.epoch == ours.epoch && theirs.offset == ours.offset => {}
            Some(theirs) if theirs.epoch == ours.epoch && theirs.offset > ours.offset => {
                self.counters.positions_healed += u64::from(!is_known_behind);
                self.fall_behind(now, &head.channel);
            }
            Some(_) | None => {
                self.counters.positions_healed += 1;
                self.restate(now, &head.channel);
            }
        }
    }
}
