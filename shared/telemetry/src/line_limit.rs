//! Keeps what strangers can cause from filling the log.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time between two lines of one kind.
const INTERVAL: Duration = Duration::from_secs(1);

/// Lets one line through per second and counts the others.
#[derive(Debug, Default)]
pub struct LineLimit(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    left_out: u64,
}

impl LineLimit {
    /// Whether a line may be written at `now`; with it, how many weren't since the last one. `None`: not this one.
    pub fn pass(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let early = |last| now.saturating_duration_since(last) < INTERVAL;
        if state.last.is_some_and(early) {
            state.left_out += 1;
            return None;
        }
        state.last = Some(now);
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_per_second_is_let_through_and_the_others_are_counted() {
        let (limit, start) = (LineLimit::default(), Instant::now());
        let passed = [0, 1, 999, 1000, 1001, 2500, 4000]
            .map(|millis| limit.pass(start + Duration::from_millis(millis)));
        assert_eq!(
            passed,
            [Some(0), None, None, Some(2), None, Some(1), Some(0)]
        );
    }
}
