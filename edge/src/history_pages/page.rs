//! A page: what an owner's answer makes of a range, which pages are next to it, and how long it stays true.

use std::time::Duration;

use trunkline_shared::limits::ANSWER_BYTES_MAX;
use trunkline_shared::rules::Namespace;
use trunkline_shared::{Epoch, Offset, Publication, UnixMillis};

use super::range::{Range, Side};
use crate::api::may_be_cut;

/// A page of a channel's history.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Page {
    pub(super) epoch: Epoch,
    pub(super) limit: u32,
    /// Newest first.
    pub(super) publications: Vec<Publication>,
    /// Below which message older ones may be.
    pub(super) older: Option<Offset>,
    /// Above which message newer ones may be.
    pub(super) newer: Option<Offset>,
    /// Whether nothing can be added to it, and nothing of it was missing.
    pub(super) is_complete: bool,
    /// Whether it depends on nothing but its range, as long as [`Life`] says.
    pub(super) may_be_kept: bool,
}

/// How long a page stays true: until the first of its messages leaves the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    lowest: Option<Offset>,
    ends_at: Option<UnixMillis>,
}

impl Page {
    /// Makes a page of an answer to the range's question; `head` is where the channel stood when the range was made.
    pub(super) fn new(
        range: &Range,
        epoch: Epoch,
        head: Offset,
        mut publications: Vec<Publication>,
    ) -> Self {
        let was_cut = may_be_cut(&publications, ANSWER_BYTES_MAX);
        if range.place == Side::After {
            publications.reverse();
        }
        let highest = publications.first().map(|publication| publication.offset);
        let lowest = publications.last().map(|publication| publication.offset);
        let joined = is_joined(&publications);
        let from_low = joined && lowest == Some(range.low.next());
        let to_top = joined && highest == Some(range.top);
        let is_empty = range.low >= range.top;
        let (is_whole, older_are_kept, newer) = match range.place {
            Side::After => {
                // An empty answer says that nothing is kept up to the head: one step leads there.
                let newer = highest.unwrap_or(head);
                let more = range.is_settled || newer < head;
                let whole = from_low && (to_top || was_cut);
                (whole, whole || is_empty, more.then_some(newer))
            }
            Side::Newest | Side::Before => {
                let whole = to_top && (from_low || was_cut);
                let more = range.place == Side::Before && range.is_settled;
                (whole, whole, more.then_some(range.top))
            }
        };
        let older = lowest.unwrap_or(range.top.next());
        Self {
            epoch,
            limit: range.limit,
            publications,
            older: Some(older).filter(|older| older_are_kept && older.0 > 1),
            newer,
            is_complete: is_whole && range.is_settled,
            may_be_kept: is_whole || range.place != Side::After,
        }
    }

    /// How long it stays true under the rules of its namespace.
    pub(super) fn life(&self, namespace: &Namespace) -> Life {
        let oldest = self
            .publications
            .iter()
            .map(|publication| publication.time)
            .min();
        Life {
            lowest: self
                .publications
                .last()
                .map(|publication| publication.offset),
            ends_at: oldest.map(|oldest| oldest.plus(namespace.history_ttl)),
        }
    }

    /// The address of the page of older messages, relative to this one's.
    pub(super) fn next(&self) -> Option<String> {
        let Self { limit, epoch, .. } = self;
        let older = self.older?.0;
        Some(format!("?before={older}&limit={limit}&epoch={epoch}"))
    }

    /// The address of the page of newer messages, relative to this one's.
    pub(super) fn prev(&self) -> Option<String> {
        let Self { limit, epoch, .. } = self;
        let newer = self.newer?.0;
        Some(format!("?after={newer}&limit={limit}&epoch={epoch}"))
    }
}

impl Life {
    /// Whether all of the page is still kept while its channel stands at `head`, with nothing left up to `floor`.
    pub(super) fn goes_on(
        self,
        now: UnixMillis,
        head: Offset,
        floor: Offset,
        namespace: &Namespace,
    ) -> bool {
        let size = u64::from(namespace.history_size);
        let is_kept = |lowest: Offset| lowest.0.saturating_add(size) > head.0;
        self.is_above(floor)
            && self.lowest.is_none_or(is_kept)
            && self.ends_at.is_none_or(|end| now < end)
    }

    /// Whether nothing of the page is removed with nothing left up to `floor`.
    pub(super) fn is_above(self, floor: Offset) -> bool {
        self.lowest.is_none_or(|lowest| lowest > floor)
    }

    /// Whole seconds that are left of it.
    pub(super) fn left(self, now: UnixMillis) -> u64 {
        let millis = self.ends_at.map_or(0, |end| end.0.saturating_sub(now.0));
        Duration::from_millis(millis).as_secs()
    }
}

/// Whether nothing is missing between the publications, newest first.
fn is_joined(publications: &[Publication]) -> bool {
    publications
        .windows(2)
        .all(|pair| pair[1].offset.next() == pair[0].offset)
}

#[cfg(test)]
mod tests {
    use super::super::query::Place;
    use super::super::tests::publication;
    use super::*;

    fn page(place: Place, limit: u32, head: u64, offsets: impl Iterator<Item = u64>) -> Page {
        let range = Range::of(place, limit, Offset(head));
        let publications = offsets.map(publication).collect();
        Page::new(&range, Epoch::new(7), Offset(head), publications)
    }

    fn links(page: &Page) -> (Option<u64>, Option<u64>, bool) {
        let number = |offset: Offset| offset.0;
        (
            page.older.map(number),
            page.newer.map(number),
            page.is_complete,
        )
    }

    #[test]
    fn the_newest_page_has_older_ones_and_is_never_complete() {
        let page = page(Place::Newest, 50, 101, (76..=101).rev());
        assert_eq!(links(&page), (Some(76), None, false));
        let next = Some("?before=76&limit=50&epoch=0000000000000007");
        assert_eq!(page.next().as_deref(), next);
        assert_eq!(page.prev(), None);
    }

    #[test]
    fn a_full_page_below_a_message_is_complete() {
        let middle = page(Place::Before(Offset(76)), 50, 101, (26..=75).rev());
        assert_eq!(links(&middle), (Some(26), Some(75), true));
        let first = page(Place::Before(Offset(26)), 50, 101, (1..=25).rev());
        assert_eq!(links(&first), (None, Some(25), true));
    }

    #[test]
    fn a_page_that_reaches_what_has_left_is_not_complete_and_has_no_older_ones() {
        let trimmed = page(Place::Before(Offset(76)), 50, 101, (40..=75).rev());
        assert_eq!(links(&trimmed), (None, Some(75), false));
        let gone = page(Place::Before(Offset(26)), 50, 101, 0..0);
        assert_eq!(links(&gone), (None, Some(25), false));
        let behind = page(Place::After(Offset(3)), 50, 101, 60..=99);
        assert_eq!(links(&behind), (None, Some(99), false));
        assert!(!behind.may_be_kept);
    }

    #[test]
    fn one_step_leads_over_a_numbering_of_which_nothing_is_kept() {
        let removed = page(Place::After(Offset(0)), 50, 10_000, 0..0);
        assert_eq!(links(&removed), (None, Some(10_000), false));
        assert!(!removed.may_be_kept);
        let end = page(Place::After(Offset(10_000)), 50, 10_000, 0..0);
        assert_eq!(end.newer, None);
    }

    #[test]
    fn a_page_above_a_message_leads_to_newer_ones_until_it_reaches_the_top() {
        let full = page(Place::After(Offset(50)), 50, 101, 51..=100);
        assert_eq!(links(&full), (Some(51), Some(100), true));
        let last = page(Place::After(Offset(100)), 50, 101, 101..=101);
        assert_eq!(links(&last), (Some(101), None, false));
        let none = page(Place::After(Offset(101)), 50, 101, 0..0);
        assert_eq!(links(&none), (Some(102), None, false));
    }

    #[test]
    fn a_page_lives_until_its_oldest_message_leaves() {
        let namespace = Namespace {
            history_size: 100,
            history_ttl: Duration::from_secs(60),
            ..Namespace::default()
        };
        let page = page(Place::Before(Offset(26)), 50, 101, (11..=25).rev());
        let life = page.life(&namespace);
        let born = publication(11).time;
        let goes_on = |now, head, floor| life.goes_on(now, Offset(head), Offset(floor), &namespace);
        assert!(goes_on(born, 110, 10));
        assert!(!goes_on(born, 111, 10), "too many came after it");
        assert!(!goes_on(born, 110, 11), "it was removed");
        assert!(!goes_on(born.plus(Duration::from_secs(60)), 110, 10));
        assert_eq!(life.left(born.plus(Duration::from_millis(500))), 59);
    }
}
