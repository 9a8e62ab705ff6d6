//! Every point in time that something here waits for, in one ordered set.

use std::collections::BTreeSet;

use trunkline_shared::{Channel, Instant, LinkId, RequestId, Slot};

use crate::exchange::{Ticket, WorkerId};

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The deadline of a request that waits for rules.
    Parked(u64),
    /// The deadline of a publish.
    Publish(RequestId),
    /// The deadline of a request to an owner.
    Request(RequestId),
    /// The deadline of a worker's subscribe.
    Waiter(Channel, WorkerId, Ticket),
    /// A channel is asked for again.
    Retry(Channel),
    /// A channel without subscribers ends.
    Linger(Channel),
    /// A slot's owner is asked again.
    Hold(Slot),
    /// A lane's positions are checked.
    Positions(LinkId, u8),
    /// The edge has been alone for too long.
    Isolation,
}

impl Timer {
    const fn reason(&self) -> &'static str {
        match self {
            Self::Parked(_) => "deadline of a request that waits for rules",
            Self::Publish(_) => "deadline of a publish",
            Self::Request(_) => "deadline of a request",
            Self::Waiter(..) => "deadline of a subscribe",
            Self::Retry(_) => "retry of a channel",
            Self::Linger(_) => "end of a lingering channel",
            Self::Hold(_) => "retry of a slot",
            Self::Positions(..) => "position check",
            Self::Isolation => "isolation",
        }
    }
}

/// The timers that are armed.
#[derive(Debug, Default)]
pub(super) struct Timers {
    due: BTreeSet<(Instant, Timer)>,
}

impl Timers {
    pub(super) fn arm(&mut self, at: Instant, timer: Timer) {
        self.due.insert((at, timer));
    }

    pub(super) fn disarm(&mut self, at: Instant, timer: Timer) {
        self.due.remove(&(at, timer));
    }

    /// Takes the earliest timer that is due.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        let due = self.due.first().is_some_and(|(at, _)| *at <= now);
        if due {
            self.due.pop_first().map(|(_, timer)| timer)
        } else {
            None
        }
    }

    pub(super) fn next(&self) -> Option<(Instant, &'static str)> {
        self.due.first().map(|(at, timer)| (*at, timer.reason()))
    }

    pub(super) fn is_armed(&self, at: Instant, timer: &Timer) -> bool {
        self.due.contains(&(at, timer.clone()))
    }
}
