//! What publishers were told of each message.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use tokio::sync::Notify;
use tokio::time::Instant;

/// Numbers of one publisher: its messages are those from its own number times this on.
pub(crate) const NUMBERS: u64 = 1_000_000;

/// A message that was sent; never again, whatever became of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    /// No two of a run have the same; says who published it.
    pub(crate) number: u64,
    /// Place of its channel.
    pub(crate) channel: usize,
    pub(crate) at: Instant,
    /// When it was answered, or its connection ended.
    pub(crate) over: Option<Instant>,
    pub(crate) fate: Fate,
}

/// What its publisher knows of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is kept.
    Acked,
    /// A temporary error: it may be kept or not.
    Refused,
    /// An error that isn't temporary.
    RefusedForGood,
    /// The connection ended first: it may be kept or not.
    CutOff,
    /// Nothing yet.
    Open,
}

impl Sent {
    pub(crate) const fn publisher(&self) -> u64 {
        self.number / NUMBERS
    }

    /// Whether it was under way at a fault: sent before, and not acknowledged before the repair began.
    pub(crate) fn was_in_flight(&self, fault: Instant, repair: Instant) -> bool {
        let acked = self.fate == Fate::Acked && self.over.is_some_and(|over| over <= repair);
        self.at < fault && !acked && self.over.is_none_or(|over| over >= fault)
    }
}

/// The publishers' common book, and the word that lets them end.
#[derive(Debug, Default)]
pub(crate) struct Book {
    sent: RefCell<Vec<Sent>>,
    stopping: Cell<bool>,
    stop: Notify,
}

impl Book {
    /// Notes that a message is about to be sent; returns its place.
    pub(crate) fn note(&self, number: u64, channel: usize) -> usize {
        let mut sent = self.sent.borrow_mut();
        sent.push(Sent {
            number,
            channel,
            at: Instant::now(),
            over: None,
            fate: Fate::Open,
        });
        sent.len() - 1
    }

    /// Notes what became of it.
    pub(crate) fn settle(&self, place: usize, fate: Fate) {
        let sent = &mut self.sent.borrow_mut()[place];
        (sent.fate, sent.over) = (fate, Some(Instant::now()));
    }

    /// How many messages have been acknowledged from `since` on, by publisher and channel.
    pub(crate) fn acked(&self, since: Instant) -> BTreeMap<(u64, usize), usize> {
        let mut counts = BTreeMap::new();
        for one in self.settled(Fate::Acked, since) {
            *counts.entry((one.publisher(), one.channel)).or_default() += 1;
        }
        counts
    }

    /// When a message was first refused, from `since` on.
    pub(crate) fn refused(&self, since: Instant) -> Option<Instant> {
        let refused = self.settled(Fate::Refused, since);
        refused.iter().filter_map(|one| one.over).min()
    }

    fn settled(&self, fate: Fate, since: Instant) -> Vec<Sent> {
        let sent = self.sent.borrow();
        let fits = |one: &&Sent| one.fate == fate && one.over.is_some_and(|over| over >= since);
        sent.iter().filter(fits).copied().collect()
    }

    /// How many messages are without an answer.
    pub(crate) fn open(&self) -> usize {
        let sent = self.sent.borrow();
        sent.iter().filter(|one| one.fate == Fate::Open).count()
    }

    /// Everything that was sent, in that order.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.borrow().clone()
    }

    /// Lets publishers end once what they have sent is answered.
    pub(crate) fn stop(&self) {
        self.stopping.set(true);
        self.stop.notify_waiters();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.get()
    }

    /// Waits for [`stop`](Self::stop); comes after it too.
    pub(crate) async fn stopped(&self) {
        let stopped = self.stop.notified();
        if !self.is_stopping() {
            stopped.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn in_flight_is_what_the_fault_kept_from_its_answer() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let sent = |sent, over: Option<u64>, fate| Sent {
            number: 1,
            channel: 0,
            at: at(sent),
            over: over.map(at),
            fate,
        };
        let in_flight = |one: Sent| one.was_in_flight(at(10), at(20));
        assert!(in_flight(sent(9, None, Fate::Open)));
        assert!(in_flight(sent(9, Some(10), Fate::CutOff)));
        assert!(in_flight(sent(9, Some(12), Fate::Refused)));
        assert!(in_flight(sent(9, Some(21), Fate::Acked)));
        assert!(
            !in_flight(sent(9, Some(12), Fate::Acked)),
            "not kept from it"
        );
        assert!(!in_flight(sent(8, Some(9), Fate::Refused)), "over before");
        assert!(!in_flight(sent(11, None, Fate::Open)), "sent later");
    }
}
