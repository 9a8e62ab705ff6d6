//! When the store is asked again for what it couldn't do.

use std::time::Duration;

use trunkline_shared::{Instant, Now};

/// Waits that double up to a limit.
#[derive(Debug)]
pub(super) struct Retry {
    min: Duration,
    max: Duration,
    next: Duration,
    at: Option<Instant>,
}

impl Retry {
    pub(super) const fn new(min: Duration, max: Duration) -> Self {
        Self {
            min,
            max,
            next: min,
            at: None,
        }
    }

    pub(super) fn failed(&mut self, now: Now) {
        self.at = Some(now.instant + self.next);
        self.next = (self.next * 2).min(self.max);
    }

    pub(super) const fn succeeded(&mut self) {
        self.next = self.min;
        self.at = None;
    }

    /// The wait is over: the next try may fail again.
    pub(super) fn take_due(&mut self, now: Now) -> bool {
        self.at.take_if(|at| *at <= now.instant).is_some()
    }

    /// When the wait ends; `None` when nothing waits.
    pub(super) const fn at(&self) -> Option<Instant> {
        self.at
    }

    /// Whether the last try failed.
    pub(super) fn is_failing(&self) -> bool {
        self.at.is_some() || self.next > self.min
    }
}
