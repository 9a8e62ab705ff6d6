//! Who lives: whose counter moves, seen by one's own clock.

use std::collections::BTreeMap;
use std::time::Duration;

use trunkline_shared::{Instant, Member, NodeId};
use trunkline_store_core::{Beat, MemberRow};

/// What the rows have shown so far, while they could be read steadily.
///
/// A row that hasn't moved for one whole lease is of the dead. A read that failed, or that came after more than three
/// quarters of a lease, begins that time anew for everybody: a store that was away, or a node that was frozen, has seen
/// nothing and judges nobody.
#[derive(Debug)]
pub(super) struct Pulses {
    lease: Duration,
    seen: BTreeMap<NodeId, Pulse>,
    /// When the last read was asked for, and answered.
    last: Option<(Instant, Instant)>,
}

#[derive(Debug)]
struct Pulse {
    beat: Beat,
    since: Instant,
}

impl Pulses {
    pub(super) const fn new(lease: Duration) -> Self {
        Self {
            lease,
            seen: BTreeMap::new(),
            last: None,
        }
    }

    /// Takes all rows, asked for at `sent`; false when they came late.
    pub(super) fn take(&mut self, sent: Instant, now: Instant, rows: &[MemberRow]) -> bool {
        let before = self.last.replace((sent, now));
        let patience = self.lease * 3 / 4;
        let is_steady = before.is_some_and(|(_, last)| now.since(last) <= patience);
        let mut seen = std::mem::take(&mut self.seen);
        for row in rows {
            let name = &row.member.name;
            let known = seen.remove(name).filter(|pulse| pulse.beat == row.beat());
            let since = known.filter(|_| is_steady).map_or(now, |pulse| pulse.since);
            let beat = row.beat();
            self.seen.insert(name.clone(), Pulse { beat, since });
        }
        is_steady || before.is_none()
    }

    /// A read has failed.
    pub(super) const fn lose(&mut self) {
        self.last = None;
    }

    /// Whether a member's row hasn't moved for one whole lease.
    pub(super) fn is_still(&self, member: &Member) -> bool {
        let Some((sent, _)) = self.last else {
            return false;
        };
        let row = self.seen.get(&member.name);
        row.is_some_and(|pulse| {
            pulse.beat.incarnation == member.incarnation && sent >= pulse.since + self.lease
        })
    }

    /// Lives whose rows move, or may yet.
    pub(super) fn alive(&self) -> usize {
        let Some((sent, _)) = self.last else {
            return self.seen.len();
        };
        let moves = |pulse: &&Pulse| sent < pulse.since + self.lease;
        self.seen.values().filter(moves).count()
    }
}
