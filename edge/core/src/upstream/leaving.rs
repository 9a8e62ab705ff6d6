//! The last subscriber leaves: its channel lingers, then ends at the owner too.

use trunkline_shared::frame::ToNode;
use trunkline_shared::{Channel, Instant};

use super::channel_state::Stand;
use super::{Timer, Upstream};
use crate::exchange::{RefusedBecause, WorkerId};

impl Upstream {
    pub(super) fn on_unsubscribe(&mut self, now: Instant, worker: WorkerId, channel: &Channel) {
        let gone = self
            .interest
            .take_waiters(channel, |waiter| waiter.asker.worker == worker);
        self.end_waiters(channel, &gone, RefusedBecause::Temporary);
        let Some(state) = self.interest.get_mut(channel) else {
            return;
        };
        if state
            .readers
            .remove(&worker)
            .is_some_and(|reader| reader.lagging)
        {
            self.workers.forget_lag(worker, channel);
        }
        self.settle(now, channel);
    }

    /// A channel without subscribers lingers while its pushes come, or came; one that never had an answer ends.
    pub(super) fn settle(&mut self, now: Instant, channel: &Channel) {
        let Some(state) = self.interest.get(channel) else {
            return;
        };
        if !state.readers.is_empty() || !state.waiters.is_empty() || state.linger.is_some() {
            return;
        }
        if !state.known || self.config.linger_channels_max == 0 {
            return self.end_channel(channel);
        }
        if self.interest.lingering() >= self.config.linger_channels_max {
            let oldest = self.interest.oldest_lingering().expect("there are some");
            self.counters.lingers_cut += 1;
            self.end_channel(&oldest);
        }
        let until = now + self.config.linger;
        self.interest.linger(channel, until);
        self.timers.arm(until, Timer::Linger(channel.clone()));
    }

    pub(super) fn on_linger_over(&mut self, channel: &Channel) {
        self.end_channel(channel);
    }

    /// Forgets a channel without subscribers, at the owner too.
    pub(super) fn end_channel(&mut self, channel: &Channel) {
        self.unsubscribe_at_owner(channel);
        let Some(state) = self.interest.remove(channel) else {
            return;
        };
        if let Some(until) = state.linger {
            self.timers.disarm(until, Timer::Linger(channel.clone()));
        }
        if let Some(at) = state.retry {
            self.timers.disarm(at, Timer::Retry(channel.clone()));
        }
    }

    pub(super) fn unsubscribe_at_owner(&mut self, channel: &Channel) {
        let Some(state) = self.interest.get(channel) else {
            return;
        };
        let link = match state.stand {
            Stand::Idle => None,
            Stand::Asked(id) => self.requests.get(id).and_then(|request| request.link),
            Stand::Live(link) => Some(link),
        };
        let slot = state.slot;
        if let Some(link) = link {
            self.send(
                link,
                ToNode::Unsubscribe {
                    slot,
                    channel: channel.clone(),
                },
            );
        }
    }
}
