//! Rows that make no sense: what needs one fails until it is repaired, so they are told in the log, and counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::error;
use trunkline_store_core::StoreError;

/// Time between two lines: clients that try again make no more of them.
const INTERVAL: Duration = Duration::from_secs(1);

/// What a store has met of them since it was opened.
#[derive(Debug, Default)]
pub(crate) struct Damage {
    met: AtomicU64,
    told: Mutex<Option<Instant>>,
}

impl Damage {
    /// Counts an answer that says so, and tells it, at most once a second.
    pub(crate) fn note(&self, error: &StoreError) {
        let StoreError::Data(why) = error else { return };
        let met = self.met.fetch_add(1, Ordering::Relaxed) + 1;
        if self.is_due(Instant::now()) {
            error!(
                error = why,
                met,
                "message store refused what it holds or was given: what needs it fails until it is repaired"
            );
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let due = told.is_none_or(|told| now.saturating_duration_since(told) >= INTERVAL);
        if due {
            *told = Some(now);
        }
        due
    }

    /// Answers that said so.
    pub(crate) fn met(&self) -> u64 {
        self.met.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_counted_each_time_and_told_once_a_second() {
        let (damage, start) = (Damage::default(), Instant::now());
        let due = [0, 1, 999, 1000, 1001, 2500]
            .map(|millis| damage.is_due(start + Duration::from_millis(millis)));
        assert_eq!(due, [true, false, false, true, false, true]);
        damage.note(&StoreError::Data("a row".to_owned()));
        damage.note(&StoreError::Data("a row".to_owned()));
        damage.note(&StoreError::Away("a server".to_owned()));
        assert_eq!(damage.met(), 2);
    }
}
