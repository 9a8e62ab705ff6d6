//! Channels that lag for an edge: nothing is pushed until a pull of the edge has reached the head.
//!
//! A lag begins with a push that doesn't fit, or with a head that moved past the edge. It is told once, by `Behind`, as
//! soon as the lane is at most half full; the oldest lag comes first (`design.md` §4).

use trunkline_shared::frame::{Behind, ToEdge};
use trunkline_shared::{Channel, Incarnation, LinkId, Slot, StreamId, limits};

use super::Shard;
use super::channel::Lag;

impl Shard {
    pub(super) fn begin_lag(&mut self, slot: Slot, channel: &Channel, edge: Incarnation) {
        let turn = self.next_number();
        let Some(state) = self
            .slots
            .get_mut(&slot)
            .and_then(|state| state.channels.get_mut(channel))
        else {
            return;
        };
        let Some(subscriber) = state.subscribers.get_mut(&edge) else {
            return;
        };
        let Some(link) = self.edges.link_mut(edge) else {
            return;
        };
        subscriber.lag = Some(Lag::Untold(turn));
        link.lane_mut(slot)
            .behind
            .insert(turn, (slot, channel.clone()));
        self.counters.lags += 1;
    }

    /// A pull has reached the head, or the edge has subscribed anew.
    pub(super) fn end_lag(&mut self, slot: Slot, channel: &Channel, edge: Incarnation) {
        let Some(state) = self
            .slots
            .get_mut(&slot)
            .and_then(|state| state.channels.get_mut(channel))
        else {
            return;
        };
        let Some(subscriber) = state.subscribers.get_mut(&edge) else {
            return;
        };
        if let Some(Lag::Untold(turn)) = subscriber.lag.take()
            && let Some(link) = self.edges.link_mut(edge)
        {
            link.lane_mut(slot).behind.remove(&turn);
        }
    }

    /// The shell has written something: what was waiting for room may go on.
    pub(super) fn on_sent(&mut self, link: LinkId, stream: StreamId, weight: usize) {
        let Some(caller) = self.edges.caller(link) else {
            return;
        };
        let Some(link) = self.edges.link_mut(caller.edge) else {
            return;
        };
        match stream {
            StreamId::Control => {}
            StreamId::Ephemeral => link.ephemeral.give_back(weight),
            StreamId::Lane(lane) => {
                let Some(lane_state) = link.lanes.get_mut(usize::from(lane)) else {
                    return;
                };
                lane_state.account.give_back(weight);
                if let Some(slot) = Slot::new(u16::from(lane)).filter(|_| lane < limits::LANES) {
                    self.offer_behind(caller.edge, slot);
                }
            }
        }
    }

    /// Tells an edge of the channels that lag on a slot's lane, as long as the lane has room.
    pub(super) fn offer_behind(&mut self, edge: Incarnation, lane_of: Slot) {
        while let Some(link) = self.edges.link_mut(edge) {
            let lane = link.lane_mut(lane_of);
            if !lane.account.has_room() {
                break;
            }
            let Some((_, (slot, channel))) = lane.behind.pop_first() else {
                break;
            };
            self.tell_behind(slot, channel, edge);
        }
    }

    fn tell_behind(&mut self, slot: Slot, channel: Channel, edge: Incarnation) {
        let Some(state) = self
            .slots
            .get_mut(&slot)
            .and_then(|state| state.channels.get_mut(&channel))
        else {
            return;
        };
        let (Some(head), floor) = (state.head(), state.floor()) else {
            return;
        };
        let Some(subscriber) = state.subscribers.get_mut(&edge) else {
            return;
        };
        subscriber.lag = Some(Lag::Told);
        self.counters.behinds += 1;
        self.edges.send(
            &mut self.outputs,
            edge,
            ToEdge::Behind(Behind {
                slot,
                channel,
                head,
                floor,
            }),
        );
    }
}
