//! Which messages a page holds, so that pages of different visitors are the same pages.
//!
//! Pages end at multiples of half their limit. Whoever walks back from whatever newest page comes to such an end with the
//! first step and then meets one of two rows of pages, which everybody shares.

use trunkline_shared::Offset;
use trunkline_shared::frame::HistoryQuery;

use super::query::Place;

/// The messages of a page: those above `low`, up to `top`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Range {
    pub(super) place: Side,
    pub(super) limit: u32,
    pub(super) low: Offset,
    pub(super) top: Offset,
    /// Whether its ends stay where they are when more is published.
    pub(super) is_settled: bool,
}

/// From where a page was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Side {
    Newest,
    Before,
    After,
}

impl Range {
    /// The range that `place` means while the channel stands at `head`.
    pub(super) fn of(place: Place, limit: u32, head: Offset) -> Self {
        let (side, low, top, is_settled) = match place {
            Place::Newest => (Side::Newest, low_end(head, limit), head, false),
            Place::Before(before) => {
                let wanted = Offset(before.0.saturating_sub(1));
                let top = wanted.min(head);
                (Side::Before, low_end(top, limit), top, wanted <= head)
            }
            Place::After(after) => {
                let low = after.min(head);
                let wanted = top_end(low, limit);
                let settled = after <= head && wanted <= head;
                (Side::After, low, wanted.min(head), settled)
            }
        };
        Self {
            place: side,
            limit,
            low,
            top,
            is_settled,
        }
    }

    /// What to ask of the owner; `None` when the range is empty.
    pub(super) fn question(&self) -> Option<HistoryQuery> {
        let count = self.top.0.saturating_sub(self.low.0);
        let limit = u32::try_from(count).ok().filter(|count| *count > 0)?;
        Some(match self.place {
            Side::Newest | Side::Before => HistoryQuery::Backward {
                before: Some(self.top.next()),
                limit,
            },
            Side::After => HistoryQuery::Forward {
                after: self.low,
                limit,
            },
        })
    }
}

fn stride(limit: u32) -> u64 {
    u64::from(limit.div_ceil(2))
}

/// Where a page that begins at `top` and goes down ends: at the lowest multiple that the limit allows.
fn low_end(top: Offset, limit: u32) -> Offset {
    let lowest = top.0.saturating_sub(u64::from(limit));
    Offset(lowest.div_ceil(stride(limit)) * stride(limit))
}

/// Where a page that begins above `low` and goes up ends: at the highest multiple that the limit allows.
fn top_end(low: Offset, limit: u32) -> Offset {
    let highest = low.0.saturating_add(u64::from(limit));
    Offset(highest / stride(limit) * stride(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(place: Place, limit: u32, head: u64) -> (u64, u64, bool) {
        let range = Range::of(place, limit, Offset(head));
        (range.low.0, range.top.0, range.is_settled)
    }

    #[test]
    fn the_newest_page_ends_at_a_multiple_of_half_the_limit() {
        assert_eq!(ends(Place::Newest, 50, 0), (0, 0, false));
        assert_eq!(ends(Place::Newest, 50, 7), (0, 7, false));
        assert_eq!(ends(Place::Newest, 50, 100), (50, 100, false));
        assert_eq!(ends(Place::Newest, 50, 101), (75, 101, false));
        assert_eq!(ends(Place::Newest, 1, 9), (8, 9, false));
    }

    #[test]
    fn pages_below_the_newest_are_full_and_the_same_for_all() {
        assert_eq!(ends(Place::Before(Offset(76)), 50, 101), (25, 75, true));
        assert_eq!(ends(Place::Before(Offset(76)), 50, 900), (25, 75, true));
        assert_eq!(ends(Place::Before(Offset(26)), 50, 900), (0, 25, true));
        assert_eq!(ends(Place::Before(Offset(1)), 50, 900), (0, 0, true));
    }

    #[test]
    fn a_page_above_a_message_is_settled_once_it_is_full() {
        assert_eq!(ends(Place::After(Offset(3)), 50, 20), (3, 20, false));
        assert_eq!(ends(Place::After(Offset(3)), 50, 50), (3, 50, true));
        assert_eq!(ends(Place::After(Offset(50)), 50, 100), (50, 100, true));
        assert_eq!(ends(Place::After(Offset(99)), 50, 7), (7, 7, false));
    }

    #[test]
    fn no_place_is_too_far() {
        let far = Offset(u64::MAX);
        assert_eq!(ends(Place::Before(far), 300, 7), (0, 7, false));
        assert_eq!(ends(Place::After(far), 300, 7), (7, 7, false));
    }

    #[test]
    fn every_page_has_something_of_its_limit_at_most() {
        for limit in 1..=300 {
            for at in (0..2000).step_by(7) {
                let (low, top, _) = ends(Place::Newest, limit, at);
                assert!(top - low <= u64::from(limit) && (top > low || at == 0));
                let (low, top, _) = ends(Place::After(Offset(at)), limit, 10_000);
                assert!(top - low <= u64::from(limit) && top > low);
            }
        }
    }
}
