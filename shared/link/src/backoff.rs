//! How long to wait before the next attempt: doubling, with full jitter, so that edges don't come back in step.

use std::time::Duration;

use crate::config::LinkConfig;

/// The waits between attempts to reach one node.
#[derive(Clone, Debug)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    ceiling: Duration,
}

impl Backoff {
    /// Makes one from `reconnect_min` and `reconnect_max`.
    pub fn new(config: &LinkConfig) -> Self {
        Self {
            min: config.reconnect_min,
            max: config.reconnect_max,
            ceiling: config.reconnect_min,
        }
    }

    /// The next wait: uniform between 0 and a ceiling that doubles with each call up to the maximum.
    ///
    /// `random` is 32 fresh random bits.
    pub fn next_wait(&mut self, random: u32) -> Duration {
        let wait = self
            .ceiling
            .mul_f64(f64::from(random) / f64::from(u32::MAX));
        self.ceiling = (self.ceiling * 2).min(self.max);
        wait
    }

    /// Starts again from the smallest ceiling, after a link that worked.
    pub fn reset(&mut self) {
        self.ceiling = self.min;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceilings_double_to_the_maximum_and_start_again() {
        let mut backoff = Backoff::new(&LinkConfig::default());
        let millis: Vec<u128> = (0..8)
            .map(|_| backoff.next_wait(u32::MAX).as_millis())
            .collect();
        assert_eq!(millis, [50, 100, 200, 400, 800, 1600, 2000, 2000]);
        backoff.reset();
        assert_eq!(backoff.next_wait(u32::MAX).as_millis(), 50);
    }

    #[test]
    fn jitter_is_full() {
        let mut backoff = Backoff::new(&LinkConfig::default());
        assert_eq!(backoff.next_wait(0), Duration::ZERO);
        assert!(backoff.next_wait(u32::MAX / 2) < Duration::from_millis(51));
    }
}
