//! How a request is sent: in order, when its owner is linked, its lane has room and its answer's room is reserved.

use trunkline_shared::frame::{History, HistoryQuery, Pull, Refusal, Subscribe, ToNode};
use trunkline_shared::limits::PIECE_BYTES_MAX;
use trunkline_shared::{Channel, Instant, LinkId, RequestId, Slot};

use super::requests::{Ask, Request};
use super::send::stream_of;
use super::{Output, Timer, Upstream};
use crate::exchange::RefusedBecause;

/// Room of an answer that is one small frame.
const SMALL_ANSWER_BYTES: usize = 256;

/// Room of an answer whose length only the node knows.
const LONG_ANSWER_BYTES: usize = 1 << 20;

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

    /// The frame of a request and the room of its answer.
    fn request_frame(&self, id: RequestId) -> Option<(ToNode, usize)> {
        let request = self.requests.get(id)?;
        let slot = request.slot;
        Some(match &request.ask {
            Ask::Subscribe(channel) => (
                self.subscribe_frame(id, slot?, channel)?,
                SMALL_ANSWER_BYTES,
            ),
            Ask::Pull(channel) => (self.pull_frame(id, slot?, channel)?, 3 * PIECE_BYTES_MAX),
            Ask::Recover {
                channel,
                after,
                limit,
            } => {
                let query = HistoryQuery::Newest {
                    after: *after,
                    limit: *limit,
                };
                history(id, slot?, channel, query, self.config.recovery_bytes_max)
            }
            Ask::Positions { channels, .. } => {
                let room = channels
                    .iter()
                    .map(|(_, channel)| 32 + channel.as_str().len())
                    .sum::<usize>();
                (
                    ToNode::CheckPositions {
                        request: id,
                        channels: channels.clone(),
                    },
                    SMALL_ANSWER_BYTES + room,
                )
            }
            Ask::History {
                channel,
                query,
                bytes_max,
                ..
            } => history(id, slot?, channel, *query, *bytes_max),
            Ask::Presence { channel, .. } => (
                ToNode::Presence {
                    request: id,
                    slot: slot?,
                    channel: channel.clone(),
                },
                LONG_ANSWER_BYTES,
            ),
            Ask::PresenceStats { channel, .. } => (
                ToNode::PresenceStats {
                    request: id,
                    slot: slot?,
                    channel: channel.clone(),
                },
                SMALL_ANSWER_BYTES,
            ),
            Ask::Info { .. } => (ToNode::Info { request: id }, LONG_ANSWER_BYTES),
        })
    }

    fn subscribe_frame(&self, request: RequestId, slot: Slot, channel: &Channel) -> Option<ToNode> {
        let at = self.interest.get(channel)?.position();
        let view = self.routing.view_version();
        Some(ToNode::Subscribe(Subscribe {
            request,
            slot,
            channel: channel.clone(),
            view,
            at,
        }))
    }

    fn pull_frame(&self, request: RequestId, slot: Slot, channel: &Channel) -> Option<ToNode> {
        let after = self.interest.get(channel)?.position()?;
        Some(ToNode::Pull(Pull {
            request,
            slot,
            channel: channel.clone(),
            after,
        }))
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

    /// The answer of a request has come whole from a link: gives back its room, takes the request out of the table.
    pub(super) fn finish_request(
        &mut self,
        now: Instant,
        link: LinkId,
        id: RequestId,
    ) -> Option<Request> {
        self.release_room(now, link, id);
        if self.requests.sent_on(link, id).is_none() {
            self.counters.answers_unknown += 1;
            return None;
        }
        self.forget_request(id)
    }

    /// Gives back the room of an answer; what waited for room goes on.
    pub(super) fn release_room(&mut self, now: Instant, link: LinkId, id: RequestId) {
        let Some(state) = self.links.get_mut(&link) else {
            return;
        };
        state.release(id);
        let blocked = std::mem::take(&mut state.answers_blocked);
        if blocked {
            self.pump_link(now, link);
        }
    }

    pub(super) fn on_request_expired(&mut self, now: Instant, id: RequestId) {
        let Some(request) = self.forget_request(id) else {
            return;
        };
        if let Some(asker) = request.ask.asker() {
            self.counters.requests_expired += 1;
            return self.refuse(asker, RefusedBecause::Temporary);
        }
        self.counters.asked_again += 1;
        match request.ask {
            Ask::Subscribe(channel) => self.on_subscribe_lost(now, &channel, id),
            Ask::Pull(channel) => self.on_pull_lost(now, &channel, id),
            Ask::Recover { channel, .. } => self.on_recovery_lost(now, &channel, id),
            Ask::Positions { .. }
            | Ask::History { .. }
            | Ask::Presence { .. }
            | Ask::PresenceStats { .. }
            | Ask::Info { .. } => {}
        }
    }

    pub(super) fn on_request_refused(
        &mut self,
        now: Instant,
        link: LinkId,
        id: RequestId,
        refusal: Refusal,
    ) {
        let Some(request) = self.finish_request(now, link, id) else {
            return;
        };
        if let (Refusal::Moved { version }, Some(slot)) = (refusal, request.slot) {
            self.hold(now, slot, version);
        }
        match request.ask {
            Ask::Subscribe(channel) => self.on_subscribe_refused(now, &channel, id, refusal),
            Ask::Pull(channel) => self.on_pull_refused(now, &channel, id),
            Ask::Recover { channel, .. } => self.on_recovery_refused(now, &channel, id, refusal),
            Ask::Positions { .. } => {}
            ask @ (Ask::History { .. }
            | Ask::Presence { .. }
            | Ask::PresenceStats { .. }
            | Ask::Info { .. }) => {
                let asker = ask.asker().expect("these are asked for workers");
                match because(refusal) {
                    Some(because) => self.refuse(asker, because),
                    None => {
                        self.ask(now, ask, request.slot, request.deadline);
                    }
                }
            }
        }
    }
}

/// What a worker is told of a refusal; `None` when it is asked again instead.
pub(super) const fn because(refusal: Refusal) -> Option<RefusedBecause> {
    match refusal {
        Refusal::Moved { .. } => None,
        Refusal::StaleView | Refusal::Busy | Refusal::StoreAway | Refusal::WrongSlot => {
            Some(RefusedBecause::Temporary)
        }
        Refusal::UnknownChannel => Some(RefusedBecause::UnknownChannel),
        Refusal::NotAvailable => Some(RefusedBecause::NotAvailable),
    }
}

fn history(
    request: RequestId,
    slot: Slot,
    channel: &Channel,
    query: HistoryQuery,
    bytes_max: u32,
) -> (ToNode, usize) {
    let room = usize::try_from(bytes_max)
        .unwrap_or(usize::MAX)
        .saturating_add(PIECE_BYTES_MAX);
    (
        ToNode::History(History {
            request,
            slot,
            channel: channel.clone(),
            query,
            bytes_max,
        }),
        room,
    )
}
