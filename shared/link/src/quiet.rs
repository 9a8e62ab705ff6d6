//! Keeps what strangers can cause from filling the log.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lets one line through per second.
#[derive(Debug, Default)]
pub(crate) struct Quiet(Mutex<Option<Instant>>);

impl Quiet {
    /// Whether a line may be written at `now`; what isn't written is counted elsewhere.
    pub(crate) fn allows(&self, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let allowed = last.is_none_or(|last| now.duration_since(last) >= Duration::from_secs(1));
        if allowed {
            *last = Some(now);
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_per_second_is_let_through() {
        let (quiet, start) = (Quiet::default(), Instant::now());
        let allowed = [0, 1, 999, 1000, 1001, 2500]
            .map(|millis| quiet.allows(start + Duration::from_millis(millis)));
        assert_eq!(allowed, [true, false, false, true, false, true]);
    }
}
