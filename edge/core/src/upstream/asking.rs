//! How a request is sent: in order, when its owner is linked, its lane has room and its answer's room is reserved.

use trunkline_shared::frame::ToNode;
use trunkline_shared::{Instant, LinkId, RequestId, Slot};

use super::requests::{Ask, Request};
use super::send::stream_of;
use super::{Output, Timer, Upstream};

impl Upstream {
    /// Asks an owner, now or when there is room; the id also names the request to whoever waits for it.
    pub(super) fn ask(
        &mut self,
        now: Instant,
        ask: Ask,
        slot: Option<Slot>,
        deadline: Instant,
    ) -> RequestId {
        let id = self.next_request();
        let request = Request::new(ask, slot, deadline.max(now));
        self.timers.arm(request.deadline, Timer::Request(id));
        let link = self.link_for(&request);
        let lane = request.lane();
        self.requests.insert(id, request);
        let free = |link: &LinkId| self.links.get(link).is_some_and(|link| link.is_free(lane));
        if let Some(link) = link.filter(free) {
            self.try_send_request(link, id);
        }
        id
    }

    /// Asks for a question of the edge's own.
    pub(super) fn ask_own(&mut self, now: Instant, ask: Ask, slot: Slot) -> RequestId {
        let deadline = now + self.config.ask_timeout;
        self.ask(now, ask, Some(slot), deadline)
    }

    fn link_for(&self, request: &Request) -> Option<LinkId> {
        match (&request.ask, request.slot) {
            (Ask::Positions { link, .. }, _) => Some(*link),
            (_, Some(slot)) => self.routing.link_of(slot),
            (_, None) => self.links.keys().next().copied(),
        }
    }

    /// Sends what waits on a lane, in order, as far as there is room.
    pub(super) fn pump_requests(&mut self, link: LinkId, lane: u8) {
        let mut last = RequestId(0);
        while let Some(id) = self.requests.next_waiting(lane, last) {
            last = id;
            let here = self
                .requests
                .get(id)
                .and_then(|request| self.link_for(request))
                == Some(link);
            if here && !self.is_wanted(id) {
                self.forget_request(id);
            } else if here && !self.try_send_request(link, id) {
                return;
            }
        }
    }

    /// Sends a request unless its lane or the room of answers is full.
    fn try_send_request(&mut self, link: LinkId, id: RequestId) -> bool {
        let Some((frame, room)) = self.request_frame(id) else {
            return true;
        };
        let stream = stream_of(&frame);
        let Some(state) = self.links.get_mut(&link) else {
            return false;
        };
        if let Err(why) = state.try_reserve(id, stream, frame.weight(), room) {
            state.block(why, stream);
            return false;
        }
        if matches!(frame, ToNode::Subscribe(_)) {
            state.subscribes.insert(id);
        }
        self.requests.mark_sent(id, link);
        self.out.push_back(Output::Send {
            link,
            stream,
            frame,
        });
        true
    }

    /// Whether somebody still waits for the answer of a request that wasn't sent yet.
    fn is_wanted(&self, id: RequestId) -> bool {
        let Some(request) = self.requests.get(id) else {
            return false;
        };
        match &request.ask {
            Ask::Pull(channel) => self
                .interest
                .get(channel)
                .is_some_and(|state| state.pull == Some(id)),
            Ask::Recover { channel, .. } => self
                .interest
                .get(channel)
                .is_some_and(|state| state.recovery == Some(id)),
            Ask::Subscribe(channel) => self
                .interest
                .get(channel)
                .is_some_and(|state| state.is_asked(id)),
            Ask::Positions { .. }
            | Ask::History { .. }
            | Ask::RemoveHistory { .. }
            | Ask::Presence { .. }
            | Ask::PresenceStats { .. }
            | Ask::Info { .. } => true,
        }
    }

    /// Asks again, under new ids, what workers want and what was handed to links that don't lead to the owner any more.
    pub(super) fn ask_lost_requests_again(&mut self, now: Instant) {
        let lost = self.requests.lost(|link, slot| match slot {
            _ if !self.links.contains_key(&link) => true,
            Some(slot) => self.routing.owner_link(slot) != Some(link),
            None => false,
        });
        for id in lost {
            self.ask_again(now, id);
        }
    }

    fn ask_again(&mut self, now: Instant, id: RequestId) {
        let Some(request) = self.forget_request(id) else {
            return;
        };
        if request.ask.asker().is_some() {
            self.ask(now, request.ask, request.slot, request.deadline);
        }
    }

    /// Takes a request out of the table; its room comes back with its answer.
    pub(super) fn forget_request(&mut self, id: RequestId) -> Option<Request> {
        let request = self.requests.remove(id)?;
        self.timers.disarm(request.deadline, Timer::Request(id));
        Some(request)
    }
}
