//! The recent publications of a channel: what pulls and histories are answered from.
//!
//! For a buffered channel this is the log; for a durable one it is a cache of the store's. Size, age and floor are
//! applied when reading. Head and epoch outlive what they count.

use std::collections::VecDeque;
use std::time::Duration;

use trunkline_shared::{Epoch, Now, Offset, Position, Publication, UnixMillis};

/// How much of a channel is kept, by its namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Retention {
    pub(super) size: u32,
    pub(super) ttl: Duration,
}

impl Retention {
    /// The time before which publications are expired.
    pub(super) fn not_before(self, now: Now) -> UnixMillis {
        now.unix.minus(self.ttl)
    }
}

/// Where a numbered channel stands, and its newest publications without a hole.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) epoch: Epoch,
    pub(super) head: Offset,
    pub(super) floor: Offset,
    /// The time of the newest message: the next one isn't older.
    pub(super) last_time: UnixMillis,
    /// There is no other log: what isn't here is gone.
    complete: bool,
    ring: VecDeque<Publication>,
    bytes: usize,
}

impl Log {
    /// The log of a buffered channel, which begins.
    pub(super) const fn buffered(epoch: Epoch) -> Self {
        Self::new(epoch, true)
    }

    /// The cache of a durable channel; its head is still to be read.
    pub(super) const fn durable(epoch: Epoch) -> Self {
        Self::new(epoch, false)
    }

    const fn new(epoch: Epoch, complete: bool) -> Self {
        let (head, floor) = (Offset::ZERO, Offset::ZERO);
        Self {
            epoch,
            head,
            floor,
            last_time: UnixMillis(0),
            complete,
            ring: VecDeque::new(),
            bytes: 0,
        }
    }

    pub(super) const fn position(&self) -> Position {
        Position {
            epoch: self.epoch,
            offset: self.head,
        }
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The time of a message numbered now.
    pub(super) fn time(&self, now: Now) -> UnixMillis {
        now.unix.max(self.last_time)
    }

    /// Takes the next message, and lets go of what is beyond size, age or `bytes_max`; the newest one always stays.
    ///
    /// # Panics
    /// When it isn't the next one.
    pub(super) fn push(
        &mut self,
        now: Now,
        publication: Publication,
        retention: Retention,
        bytes_max: usize,
    ) {
        assert!(
            publication.offset == self.head.next(),
            "a channel's messages are contiguous"
        );
        self.head = publication.offset;
        self.last_time = publication.time;
        self.bytes += publication.weight();
        self.ring.push_back(publication);
        let not_before = retention.not_before(now);
        while self.ring.len() > 1
            && (self.ring.len() > retention.size as usize
                || self.bytes > bytes_max
                || self.ring[0].time < not_before)
        {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(oldest) = self.ring.pop_front() {
            self.bytes -= oldest.weight();
        }
    }

    /// Raises the floor, never lowers it, and forgets what lies at or below it.
    pub(super) fn raise_floor(&mut self, floor: Offset) {
        self.floor = self.floor.max(floor.min(self.head));
        while self
            .ring
            .front()
            .is_some_and(|oldest| oldest.offset <= self.floor)
        {
            self.pop();
        }
    }

    /// Forgets the cached publications, not where the channel stands.
    pub(super) fn clear(&mut self) {
        self.ring.clear();
        self.bytes = 0;
    }

    /// The lowest offset above `after` that size and floor leave; above the head when there is none.
    pub(super) fn first_kept(&self, after: Offset, retention: Retention) -> Offset {
        let by_size = self.head.0.saturating_sub(u64::from(retention.size));
        Offset(after.0.max(self.floor.0).max(by_size).saturating_add(1))
    }

    /// Whether everything kept from `from` up to the head is here.
    pub(super) fn covers(&self, now: Now, from: Offset, retention: Retention) -> bool {
        if self.complete || from > self.head {
            return true;
        }
        // What lies before an expired message is expired too: times never fall.
        self.ring
            .front()
            .is_some_and(|first| first.offset <= from || first.time < retention.not_before(now))
    }

    /// What is here from `from` up, without what is expired, ascending.
    pub(super) fn from(
        &self,
        now: Now,
        from: Offset,
        retention: Retention,
    ) -> impl DoubleEndedIterator<Item = &Publication> {
        let not_before = retention.not_before(now);
        let skip = self
            .ring
            .partition_point(|publication| publication.offset < from);
        self.ring
            .range(skip..)
            .filter(move |publication| publication.time >= not_before)
    }

    /// The ring has no hole and ends at the head.
    ///
    /// # Panics
    /// When that isn't so.
    pub(super) fn check(&self) {
        let offsets: Vec<u64> = self
            .ring
            .iter()
            .map(|publication| publication.offset.0)
            .collect();
        assert!(
            offsets.windows(2).all(|pair| pair[1] == pair[0] + 1),
            "the ring has a hole: {offsets:?}"
        );
        assert!(
            offsets.last().is_none_or(|last| *last == self.head.0),
            "the ring ends elsewhere than at the head"
        );
        assert_eq!(
            self.bytes,
            self.ring.iter().map(Publication::weight).sum::<usize>(),
            "ring bytes"
        );
    }
}
