//! What a subscriber saw.

use crate::scenario::follow::{Follower, Log};

/// What a subscriber saw.
#[derive(Clone, Debug)]
pub(crate) struct Witness {
    /// Its edge, or the first of them.
    pub(crate) name: String,
    /// By channel.
    pub(crate) logs: Vec<Log>,
    /// Why its connections ended.
    pub(crate) ends: Vec<String>,
}

impl Witness {
    /// Ends a subscriber and takes what it saw.
    pub(crate) fn of(name: &str, follower: &Follower) -> Self {
        follower.stop();
        Self {
            name: name.to_owned(),
            logs: follower.logs(),
            ends: follower.ends(),
        }
    }

    /// How often it was told that something is missing.
    pub(crate) fn times_told(&self) -> usize {
        self.logs.iter().map(Log::times_told).sum()
    }
}
