//! The order in which rings are emptied when all together are too large: the one used longest ago first.

use std::collections::BTreeSet;
use std::time::Duration;

use trunkline_shared::{Channel, Instant};

/// Uses of one ring that are nearer to each other don't change its place: a busy channel moves once in this time.
const RESOLUTION: Duration = Duration::from_secs(1);

/// Channels whose rings hold something, by when they were used last.
#[derive(Debug, Default)]
pub(super) struct Coldest(BTreeSet<(Instant, Channel)>);

impl Coldest {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The channel whose ring was used longest ago.
    pub(super) fn first(&self) -> Option<Channel> {
        self.0.first().map(|(_, channel)| channel.clone())
    }

    /// Notes a use; `used` is when the last one was noted.
    pub(super) fn touch(&mut self, channel: &Channel, used: &mut Option<Instant>, now: Instant) {
        if used.is_some_and(|used| now.since(used) < RESOLUTION) {
            return;
        }
        self.forget(channel, used);
        *used = Some(now);
        self.0.insert((now, channel.clone()));
    }

    /// Takes a channel out, whose ring holds nothing any more.
    pub(super) fn forget(&mut self, channel: &Channel, used: &mut Option<Instant>) {
        if let Some(used) = used.take() {
            self.0.remove(&(used, channel.clone()));
        }
    }

    /// Whether a channel stands where it was put; one that wasn't put stands nowhere.
    pub(super) fn knows(&self, channel: &Channel, used: Option<Instant>) -> bool {
        used.is_some_and(|used| self.0.contains(&(used, channel.clone())))
    }
}
