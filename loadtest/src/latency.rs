//! Durations, counted so that percentiles of millions of them cost little memory.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The longest duration told apart: 100 s.
const NANOS_MAX: u64 = 100_000_000_000;

/// Durations with three significant digits.
#[derive(Clone, Debug)]
pub(crate) struct Latency(Histogram<u64>);

impl Latency {
    pub(crate) fn new() -> Self {
        Self(Histogram::new_with_bounds(1, NANOS_MAX, 3).expect("the bounds make sense"))
    }

    pub(crate) fn record(&mut self, duration: Duration) {
        self.record_nanos(u64::try_from(duration.as_nanos()).unwrap_or(NANOS_MAX));
    }

    pub(crate) fn record_nanos(&mut self, nanos: u64) {
        self.0.saturating_record(nanos);
    }

    pub(crate) fn clear(&mut self) {
        self.0.reset();
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// A percentile in microseconds; 0 of nothing.
    pub(crate) fn micros(&self, percentile: f64) -> f64 {
        self.0.value_at_percentile(percentile) as f64 / 1000.0
    }

    /// A percentile in milliseconds; 0 of nothing.
    pub(crate) fn millis(&self, percentile: f64) -> f64 {
        self.micros(percentile) / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_what_was_recorded() {
        let mut latency = Latency::new();
        for millis in 1..=100 {
            latency.record(Duration::from_millis(millis));
        }
        assert_eq!(latency.count(), 100);
        assert!((latency.micros(50.0) - 50_000.0).abs() < 100.0);
        assert!((latency.micros(99.0) - 99_000.0).abs() < 200.0);
    }

    #[test]
    fn what_is_too_long_is_the_longest() {
        let mut latency = Latency::new();
        latency.record(Duration::from_secs(1000));
        assert!(latency.micros(100.0) >= 99_000_000.0);
        latency.clear();
        assert!(latency.micros(100.0).abs() < f64::EPSILON);
    }
}
