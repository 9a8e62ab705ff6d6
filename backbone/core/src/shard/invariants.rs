//! What always holds between a shard's tables; the simulator asks after every step.

use trunkline_shared::rules::Class;

use super::channel::{ChannelState, Lag, Load};
use super::pending::LookUp;
use super::slot::SlotState;
use super::{Shard, Totals};

impl Shard {
    /// Compares the shard's tables with each other.
    ///
    /// # Panics
    /// When they contradict each other.
    pub fn check_invariants(&self) {
        for (slot, state) in &self.slots {
            assert!(
                self.is_mine(*slot),
                "slot {} is another shard's",
                slot.number()
            );
            if state.channels.is_empty() {
                continue;
            }
            check_held(state);
            for (name, channel) in &state.channels {
                check_channel(channel);
                for (edge, subscriber) in &channel.subscribers {
                    let link = self
                        .edges
                        .link(*edge)
                        .expect("a subscribed edge has a link");
                    assert!(
                        link.subscriptions.contains(&(*slot, name.clone())),
                        "a link knows its subscriptions"
                    );
                    if let Some(Lag::Untold(turn)) = subscriber.lag {
                        let behind = &link.lanes
                            [usize::from(slot.lane(trunkline_shared::limits::LANES))]
                        .behind;
                        assert_eq!(
                            behind.get(&turn),
                            Some(&(*slot, name.clone())),
                            "a lag waits on its lane"
                        );
                    }
                }
                let idle = channel
                    .idle
                    .is_some_and(|turn| self.idle.by_turn.get(&turn).is_some_and(|c| c.1 == *name));
                assert_eq!(idle, channel.is_idle(), "idle channels are known as such");
            }
        }
        self.check_places();
        self.parked.check();
        self.check_links();
        self.check_totals();
    }

    fn check_places(&self) {
        let view = self.views.version().unwrap_or_default();
        let mut settled = 0;
        for (slot, state) in &self.slots {
            assert!(
                state.is_leaving || self.views.gives(*slot),
                "a slot that the view gives to another"
            );
            assert!(
                state.flight.is_some() || !state.is_leaving,
                "a slot leaves when its append has ended"
            );
            assert!(
                state.is_claimed() || (state.reclaim.is_some() && state.flight.is_none()),
                "nothing is numbered before the claim"
            );
            settled += usize::from(!state.is_leaving && state.is_claimed_in(view));
        }
        let unsettled = &self.views.unsettled;
        let is_unsettled = |slot| {
            self.slots
                .get(slot)
                .is_some_and(|state| state.is_leaving || !state.is_claimed_in(view))
        };
        assert!(
            unsettled.iter().all(is_unsettled) && unsettled.len() + settled == self.slots.len(),
            "what isn't as the view says"
        );
    }

    fn check_links(&self) {
        for (edge, known) in &self.edges.by_life {
            for (slot, name) in known.link.iter().flat_map(|link| &link.subscriptions) {
                let channel = self
                    .slots
                    .get(slot)
                    .and_then(|state| state.channels.get(name));
                assert!(
                    channel.is_some_and(|channel| channel.subscribers.contains_key(edge)),
                    "no stale subscription"
                );
            }
            let lags = known
                .link
                .iter()
                .flat_map(|link| &link.lanes)
                .flat_map(|lane| &lane.behind);
            for (turn, (slot, name)) in lags {
                let channel = self
                    .slots
                    .get(slot)
                    .and_then(|state| state.channels.get(name));
                let subscriber = channel.and_then(|channel| channel.subscribers.get(edge));
                assert_eq!(
                    subscriber.and_then(|s| s.lag),
                    Some(Lag::Untold(*turn)),
                    "no stale lag"
                );
            }
            known.link.iter().for_each(|link| link.sent_back.check());
            assert!(
                known.link.is_some() || known.due.is_some(),
                "an edge without a link is on its way out"
            );
        }
    }

    fn check_totals(&self) {
        let mut sums = Totals {
            orphans: self.totals.orphans,
            requests: self.totals.orphans,
            ..Totals::default()
        };
        let mut idle = 0;
        for state in self.slots.values() {
            sums.channels += state.channels.len();
            sums.waiting_bytes += state.held_bytes;
            sums.publish_ids += state.ids.len();
            sums.keys += state.keys.len();
            sums.key_bytes += state.keys.counted_bytes();
            sums.presence += state
                .presence
                .values()
                .map(|clients| clients.len())
                .sum::<usize>();
            for channel in state.channels.values() {
                sums.ring_bytes += channel.log.as_ref().map_or(0, |log| log.bytes());
                sums.requests += channel.awaiting.len() + channel.reading;
                idle += usize::from(channel.is_idle());
            }
        }
        assert_eq!(self.totals, sums, "totals");
        assert_eq!(self.keys_due.len(), sums.keys, "keys due, each once");
        assert_eq!(self.idle.by_turn.len(), idle, "idle channels");
        assert!(
            sums.channels <= self.config.channels_max,
            "too many channels"
        );
    }
}

fn check_held(state: &SlotState) {
    let in_flight = state
        .flight
        .iter()
        .flat_map(|flight| flight.channels.values().flatten());
    let lost = state.channels.values().flat_map(|channel| &channel.lost);
    let all: Vec<_> = state.waiting.iter().chain(in_flight).chain(lost).collect();
    assert_eq!(all.len(), state.held.len(), "each id waits once");
    assert!(
        all.iter().all(|held| state.held.contains(&held.id)),
        "what waits is known by its id"
    );
    assert_eq!(
        all.iter().map(|held| held.weight()).sum::<usize>(),
        state.held_bytes,
        "bytes that wait"
    );
    state.keyed.check(all.iter().copied());
    assert!(
        all.iter()
            .skip(state.waiting.len())
            .all(|held| held.look_up != LookUp::Behind),
        "what waits behind another with its key isn't in flight"
    );
    for (name, channel) in &state.channels {
        assert_eq!(
            channel.held,
            all.iter().filter(|held| held.channel == *name).count(),
            "held for {name}"
        );
    }
}

fn check_channel(channel: &ChannelState) {
    if let Some(log) = &channel.log {
        log.check();
    }
    assert_eq!(
        channel.log.is_none(),
        channel.class == Class::Ephemeral,
        "numbered channels have a log"
    );
    assert!(
        channel.load == Load::Loaded || channel.class == Class::Durable,
        "only durable heads are read"
    );
    assert!(
        channel.awaiting.is_empty() || channel.load != Load::Loaded,
        "nothing waits for a head that is known"
    );
    assert!(
        channel.lost.is_empty() || channel.load != Load::Loaded,
        "what was lost waits for the head"
    );
}
