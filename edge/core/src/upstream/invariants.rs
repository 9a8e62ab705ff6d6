//! What must hold after every step; the simulator checks it.

use super::channel_state::{ChannelState, Stand};
use super::waiters::waiter_timer;
use super::{Timer, Upstream};
use trunkline_shared::Channel;

impl Upstream {
    /// Checks that every table is within its bounds and agrees with the others.
    ///
    /// # Panics
    /// When something doesn't hold.
    pub fn check_invariants(&self) {
        self.interest.check_invariants();
        self.presences.check_invariants();
        self.unanswered
            .check_invariants(|at, id| self.timers.is_armed(at, &Timer::Publish(id)));
        self.requests
            .check_invariants(|at, id| self.timers.is_armed(at, &Timer::Request(id)));
        for (channel, state) in self.interest.all() {
            self.check_channel(channel, state);
        }
        for link in self.links.values() {
            link.check_invariants();
        }
        self.check_bounds();
    }

    fn check_bounds(&self) {
        let config = &self.config;
        assert!(
            self.unanswered.len() <= config.unanswered_max,
            "publishes are bounded"
        );
        assert!(
            self.unanswered.bytes() <= config.unanswered_bytes_max + 1024 * 1024,
            "their bytes are bounded"
        );
        assert!(self.waiting() <= config.waiting_max, "requests are bounded");
        assert!(
            self.interest.len() <= config.channels_max,
            "channels are bounded"
        );
        assert!(
            self.interest.lingering() <= config.linger_channels_max,
            "lingering channels are bounded"
        );
        assert!(
            self.interest.rings_bytes() <= config.rings_bytes_max,
            "rings are bounded"
        );
        assert!(
            self.presences.len() <= config.presences_max,
            "presences are bounded"
        );
    }

    fn check_channel(&self, channel: &Channel, state: &ChannelState) {
        state.ring.check_invariants();
        for (worker, reader) in &state.readers {
            assert!(
                reader.sent <= state.ring.top(),
                "no worker has more than the edge"
            );
            assert!(
                reader.lagging || reader.sent == state.ring.top(),
                "who doesn't lag has everything"
            );
            assert_eq!(
                reader.lagging,
                self.workers.lags(*worker, channel),
                "who lags is served"
            );
        }
        for waiter in &state.waiters {
            let timer = waiter_timer(channel, waiter.asker);
            assert!(
                self.timers.is_armed(waiter.deadline, &timer),
                "each waiter has a deadline"
            );
        }
        if let Stand::Live(link) = state.stand {
            assert_eq!(
                self.routing.owner_link(state.slot),
                Some(link),
                "pushes come from the owner's link"
            );
        }
        let is_wanted = !state.readers.is_empty() || !state.waiters.is_empty();
        assert_ne!(
            is_wanted,
            state.linger.is_some(),
            "a channel is wanted or lingers"
        );
        let is_served = state.pull.is_some() || state.retry.is_some() || !state.is_live();
        assert!(!state.behind || is_served, "what is missed is pulled");
    }
}
