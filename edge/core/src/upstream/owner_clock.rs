//! What an edge knows of the clock by which a channel's publications are dated.

use trunkline_shared::{Instant, UnixMillis};

/// A lower bound of an owner's wall clock, by the times of its publications.
///
/// When one comes its owner's clock shows at least its time, and goes on from there; how wrong the edge's own wall clock
/// is doesn't matter.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OwnerClock {
    read: Option<(UnixMillis, Instant)>,
}

impl OwnerClock {
    /// Takes the time of a publication that has just come.
    pub(super) fn read(&mut self, now: Instant, time: UnixMillis) {
        if time >= self.at_least(now) {
            self.read = Some((time, now));
        }
    }

    /// What the owner's clock shows now, at least; zero before the first publication.
    pub(super) fn at_least(&self, now: Instant) -> UnixMillis {
        self.read
            .map_or(UnixMillis(0), |(time, read)| time.plus(now.since(read)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1000)
    }

    #[test]
    fn the_clock_goes_on_from_what_was_read() {
        let mut clock = OwnerClock::default();
        assert_eq!(clock.at_least(at(5)), UnixMillis(0));
        clock.read(at(10), UnixMillis(1_000));
        assert_eq!(clock.at_least(at(250)), UnixMillis(1_240));
    }

    #[test]
    fn a_publication_that_was_long_on_its_way_says_nothing_new() {
        let mut clock = OwnerClock::default();
        clock.read(at(10), UnixMillis(1_000));
        clock.read(at(500), UnixMillis(1_200));
        assert_eq!(clock.at_least(at(500)), UnixMillis(1_490));
        clock.read(at(600), UnixMillis(1_700));
        assert_eq!(clock.at_least(at(600)), UnixMillis(1_700));
    }
}
