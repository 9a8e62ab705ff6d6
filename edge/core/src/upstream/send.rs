//! What leaves on a link, and what goes on when there is room again.

use trunkline_shared::frame::{EdgeStats, ToNode};
use trunkline_shared::limits::LANES;
use trunkline_shared::{Instant, LinkId, StreamId};

use super::links::NoRoom;
use super::{Output, Upstream};

/// The stream of a frame; ephemeral publishes are the exception and name theirs.
pub(super) fn stream_of(frame: &ToNode) -> StreamId {
    frame.slot().map_or(StreamId::Control, StreamId::of)
}

impl Upstream {
    /// Sends a frame if its stream has room; if not, it is noted that something waits there.
    pub(super) fn try_send(&mut self, link: LinkId, frame: ToNode) -> bool {
        let stream = stream_of(&frame);
        let Some(state) = self.links.get_mut(&link) else {
            return false;
        };
        let fits = state
            .account(stream)
            .is_some_and(|account| account.try_take(frame.weight()));
        if fits {
            self.out.push_back(Output::Send {
                link,
                stream,
                frame,
            });
        } else {
            state.block(NoRoom::Lane, stream);
        }
        fits
    }

    /// Sends an ephemeral publish if its stream has room.
    pub(super) fn try_send_ephemeral(&mut self, link: LinkId, frame: ToNode) -> bool {
        let stream = StreamId::Ephemeral;
        let Some(state) = self.links.get_mut(&link) else {
            return false;
        };
        let fits = state
            .account(stream)
            .is_some_and(|account| account.try_take(frame.weight()));
        if fits {
            self.out.push_back(Output::Send {
                link,
                stream,
                frame,
            });
        }
        fits
    }

    /// Sends a small frame that must not be lost while the link lives; there are never more than subscriptions.
    pub(super) fn send(&mut self, link: LinkId, frame: ToNode) {
        let stream = stream_of(&frame);
        if let Some(account) = self
            .links
            .get_mut(&link)
            .and_then(|state| state.account(stream))
        {
            account.take(frame.weight());
            self.out.push_back(Output::Send {
                link,
                stream,
                frame,
            });
        }
    }

    pub(super) fn on_sent(&mut self, now: Instant, link: LinkId, stream: StreamId, weight: usize) {
        let Some(state) = self.links.get_mut(&link) else {
            return;
        };
        let Some(account) = state.account(stream) else {
            return;
        };
        account.give_back(weight);
        let has_room = account.has_room();
        let lane = match stream {
            StreamId::Lane(lane) => lane,
            StreamId::Control => LANES,
            StreamId::Ephemeral => return,
        };
        if has_room && state.blocked.remove(&lane) {
            self.pump(now, link, lane);
        }
    }

    /// Sends what waits on a whole link, as far as there is room.
    pub(super) fn pump_link(&mut self, now: Instant, link: LinkId) {
        if let Some(state) = self.links.get_mut(&link) {
            state.answers_blocked = false;
        }
        self.pump_subscribes(now, link);
        for lane in 0..LANES {
            self.pump_publishes(now, link, lane);
        }
        for lane in 0..=LANES {
            self.pump_requests(link, lane);
        }
        for lane in 0..LANES {
            self.pump_snapshots(link, lane);
        }
    }

    /// Sends what waits on a lane: what the owner must know first, then requests, then presence.
    fn pump(&mut self, now: Instant, link: LinkId, lane: u8) {
        self.pump_subscribes(now, link);
        self.pump_publishes(now, link, lane);
        self.pump_requests(link, lane);
        self.pump_snapshots(link, lane);
    }

    pub(super) fn on_stats(&mut self, stats: EdgeStats) {
        self.stats = Some(stats);
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        for link in links {
            self.send_control(link, ToNode::Stats(stats));
        }
    }

    /// Sends what is dropped when the control stream is behind.
    pub(super) fn send_control(&mut self, link: LinkId, frame: ToNode) {
        if !self.try_send(link, frame) {
            self.counters.control_dropped += 1;
        }
    }

    pub(super) fn say_goodbye(&mut self) {
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        for link in links {
            self.send(link, ToNode::Goodbye);
        }
    }
}
