//! The process's clock: all machines of a process count from one origin, so that deadlines cross between threads.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use trunkline_shared::{Instant, Now, UnixMillis};

/// Tells the time as machines want it; clones have the same origin.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: tokio::time::Instant,
}

impl Clock {
    /// Makes a clock whose origin is now.
    pub fn start() -> Self {
        Self {
            origin: tokio::time::Instant::now(),
        }
    }

    /// What time it is.
    pub fn now(self) -> Now {
        Now {
            instant: self.instant(),
            unix: wall(),
        }
    }

    /// Monotonic time.
    pub fn instant(self) -> Instant {
        Instant::ZERO + self.origin.elapsed()
    }

    /// When tokio's clock shows `instant`.
    pub fn to_tokio(self, instant: Instant) -> tokio::time::Instant {
        self.origin + Duration::from_micros(instant.as_micros())
    }
}

/// Wall time; a clock before 1970 reads as 1970.
fn wall() -> UnixMillis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_survives_the_way_to_tokio_and_back() {
        let clock = Clock::start();
        let later = Instant::ZERO + Duration::from_millis(1500);
        assert_eq!(
            clock.to_tokio(later) - clock.origin,
            Duration::from_millis(1500)
        );
    }
}
