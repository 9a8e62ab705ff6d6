//! Which partitions to make and which to drop.

use std::ops::Range;
use std::time::Duration;

/// A partition is never narrower: a repeat is looked for in the two newest.
const WIDTH_MIN: i64 = 10 * 60;

/// How wide a partition is where nothing says how long messages are kept: few of them, since none is dropped.
const WIDTH_OF_UNLIMITED: i64 = 24 * 60 * 60;

/// Partitions made ahead: what a clock that goes on, and a maintenance that doesn't, may use up.
const AHEAD: i64 = 4;

/// What is to be done, in seconds of Unix time.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) make: Vec<Range<i64>>,
    pub(super) drop: Vec<Range<i64>>,
}

impl Plan {
    /// Compares the partitions that are there with what `now` needs. Without a retention nothing is dropped: that of a
    /// configuration which has lost its durable namespaces must not end their history.
    pub(super) fn new(present: &[Range<i64>], now: i64, retention: Option<Duration>) -> Self {
        let retention = retention.map(|kept| {
            i64::try_from(kept.as_secs())
                .unwrap_or(i64::MAX)
                .max(WIDTH_MIN)
        });
        let width = retention.map_or(WIDTH_OF_UNLIMITED, |kept| (kept / 16).max(WIDTH_MIN));
        let expired = |partition: &&Range<i64>| {
            retention.is_some_and(|kept| partition.end.saturating_add(kept) <= now)
        };
        Self {
            make: missing(present, now, width),
            drop: present.iter().filter(expired).cloned().collect(),
        }
    }
}

/// From the end of the newest one on, or, when that is past, from one before now: clocks step back.
fn missing(present: &[Range<i64>], now: i64, width: i64) -> Vec<Range<i64>> {
    let end = present.iter().map(|partition| partition.end).max();
    let first = (now - now.rem_euclid(width)) - width;
    let mut start = end.map_or(first, |end| end.max(first));
    let mut missing = Vec::new();
    while start <= now + (AHEAD - 1) * width {
        missing.push(start..start + width);
        start += width;
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 60 * 60;
    const DAY: Option<Duration> = Some(Duration::from_secs(24 * 60 * 60));
    /// A sixteenth of a day.
    const WIDTH: i64 = 5400;

    #[test]
    fn an_empty_store_gets_partitions_before_and_behind_now() {
        let now = 1_000_000 * WIDTH + 7;
        let plan = Plan::new(&[], now, DAY);
        assert_eq!(plan.make.first(), Some(&(now - 7 - WIDTH..now - 7)));
        assert!(plan.make.iter().any(|partition| partition.contains(&now)));
        assert!(
            plan.make
                .last()
                .is_some_and(|last| last.end > now + 3 * WIDTH)
        );
        assert_eq!(plan.drop, []);
    }

    #[test]
    fn partitions_lie_one_behind_another_whatever_their_width_was() {
        let now = 1_000_000 * WIDTH;
        let old = now - 600..now + 600;
        let plan = Plan::new(std::slice::from_ref(&old), now, DAY);
        let all: Vec<_> = std::iter::once(old).chain(plan.make).collect();
        assert!(
            all.windows(2).all(|pair| pair[0].end == pair[1].start),
            "{all:?}"
        );
    }

    #[test]
    fn nothing_is_made_while_enough_lies_ahead() {
        let now = 1_000_000 * WIDTH;
        let plan = Plan::new(&[], now, DAY);
        assert_eq!(Plan::new(&plan.make, now + 100, DAY).make, []);
        assert_eq!(Plan::new(&plan.make, now + WIDTH, DAY).make.len(), 1);
    }

    #[test]
    fn after_a_long_sleep_partitions_begin_before_now() {
        let now = 1_000_000 * WIDTH;
        let old = now - 1000 * HOUR..now - 999 * HOUR;
        let plan = Plan::new(&[old], now, DAY);
        assert_eq!(plan.make.first(), Some(&(now - WIDTH..now)));
    }

    #[test]
    fn a_partition_goes_when_its_youngest_row_has_expired_and_not_before() {
        let now = 1_000_000 * WIDTH;
        let day = 24 * HOUR;
        let (expired, living) = (now - day - 60..now - day, now - day..now - day + 60);
        let plan = Plan::new(&[expired.clone(), living], now, DAY);
        assert_eq!(plan.drop, [expired]);
    }

    #[test]
    fn rows_stay_ten_minutes_whatever_the_ttl_is() {
        let now = 1_000_000 * WIDTH;
        let (young, old) = (now - 700..now - 599, now - 701..now - 600);
        let plan = Plan::new(&[old.clone(), young], now, Some(Duration::ZERO));
        assert_eq!(plan.drop, [old]);
    }

    #[test]
    fn without_a_retention_partitions_are_made_and_none_is_dropped() {
        let now = 1_000_000 * WIDTH;
        let old = now - 1000 * HOUR..now - 999 * HOUR;
        let plan = Plan::new(&[old], now, None);
        assert_eq!(plan.drop, []);
        assert!(plan.make.iter().any(|partition| partition.contains(&now)));
        assert!(plan.make.len() < 10, "{:?}", plan.make);
    }
}
