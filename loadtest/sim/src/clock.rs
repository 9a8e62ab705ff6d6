//! The clocks of a process: each began at another moment, and none shows quite the right time.

use std::time::Duration;

use trunkline_shared::{Instant, Now, UnixMillis};

use crate::dice::Dice;

/// When runs begin, by a true clock.
pub(crate) const BEGIN: UnixMillis = UnixMillis(1_800_000_000_000);

/// A process's clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Duration,
    ahead: Duration,
}

impl Clock {
    /// Makes the clocks of a process, its wall clock up to `skew` milliseconds ahead.
    pub(crate) fn new(dice: &mut Dice, skew: u64) -> Self {
        Self {
            origin: dice.millis(0, 1_000_000),
            ahead: dice.millis(0, skew),
        }
    }

    /// Makes clocks that show the right time.
    pub(crate) const fn right() -> Self {
        Self {
            origin: Duration::ZERO,
            ahead: Duration::ZERO,
        }
    }

    /// What time it is for the process.
    pub(crate) fn now(&self, at: Instant) -> Now {
        let passed = at.since(Instant::ZERO);
        Now {
            instant: at + self.origin,
            unix: BEGIN.plus(passed + self.ahead),
        }
    }

    /// When it is that time for the process.
    pub(crate) fn when(&self, instant: Instant) -> Instant {
        Instant::ZERO + instant.since(Instant::ZERO + self.origin)
    }
}
