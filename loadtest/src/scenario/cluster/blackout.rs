//! How long a channel could not publish, by what its publishers saw.

use std::ops::Range;
use std::time::Duration;

use tokio::time::Instant;

use super::moves::Claim;
use crate::scenario::proof::{Fate, Sent};

/// The longest time from the sending of a publish in `window` to the next acknowledgement, of it or of a later one into the
/// same channel. All of `sent` are of one channel, in the order of their sending.
///
/// So a publish that is held up counts until its answer, and one that is refused until the channel takes another one: its
/// publishers' pace is in it then. Nothing where nothing was sent in the window, or nothing acknowledged afterwards.
pub(super) fn longest(sent: &[Sent], window: &Range<Instant>) -> Option<Duration> {
    let (mut next_ack, mut longest) = (None, None);
    for one in sent.iter().rev() {
        if let (Fate::Acked, Some(over)) = (one.fate, one.over) {
            next_ack = Some(next_ack.map_or(over, |next: Instant| next.min(over)));
        }
        let waited = next_ack.filter(|_| window.contains(&one.at));
        longest = longest.max(waited.map(|ack| ack - one.at));
    }
    longest
}

/// Whether a publish was under way when the slot of its channel was claimed: sent before, answered after.
pub(super) fn was_open_at(sent: &Sent, claim: &Claim) -> bool {
    sent.at <= claim.after && sent.over.is_none_or(|over| over >= claim.by)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(start: Instant, at: u64, over: u64, fate: Fate) -> Sent {
        Sent {
            number: at,
            channel: 0,
            at: start + Duration::from_millis(at),
            over: Some(start + Duration::from_millis(over)),
            fate,
        }
    }

    /// The longest time within 100 to 1000 ms.
    fn found(entries: &[(u64, u64, Fate)]) -> Option<u128> {
        let start = Instant::now();
        let entries = entries.iter();
        let sent: Vec<_> = entries
            .map(|(at, over, fate)| sent(start, *at, *over, *fate))
            .collect();
        let at = |millis| start + Duration::from_millis(millis);
        longest(&sent, &(at(100)..at(1000))).map(|longest| longest.as_millis())
    }

    #[test]
    fn a_publish_that_is_held_up_counts_until_its_answer() {
        let entries = [
            (100, 102, Fate::Acked),
            (300, 450, Fate::Acked),
            (500, 503, Fate::Acked),
        ];
        assert_eq!(found(&entries), Some(150));
    }

    #[test]
    fn a_publish_that_is_refused_counts_until_the_channel_takes_one() {
        let entries = [
            (100, 102, Fate::Acked),
            (300, 301, Fate::Refused),
            (500, 700, Fate::CutOff),
            (600, 604, Fate::Acked),
        ];
        assert_eq!(found(&entries), Some(304));
    }

    #[test]
    fn another_publisher_that_is_served_ends_it() {
        let entries = [(100, 900, Fate::Acked), (300, 310, Fate::Acked)];
        assert_eq!(found(&entries), Some(210));
    }

    #[test]
    fn what_is_sent_outside_of_the_window_does_not_count() {
        let entries = [(50, 90, Fate::Acked), (2000, 2500, Fate::Acked)];
        assert_eq!(found(&entries), None);
    }

    #[test]
    fn what_is_never_taken_again_has_no_length() {
        assert_eq!(found(&[(300, 301, Fate::Refused)]), None);
    }

    #[test]
    fn only_what_is_sent_before_a_claim_and_answered_after_it_is_open() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let claim = Claim {
            slot: 1,
            after: at(100),
            by: at(120),
        };
        let open = |from, over| was_open_at(&sent(start, from, over, Fate::Acked), &claim);
        assert!(open(90, 130));
        assert!(!open(110, 130), "perhaps sent after it");
        assert!(!open(90, 110), "perhaps answered before it");
    }
}
