//! The recent publications of one channel, contiguous, from which lagging workers are served and resumes are answered.

use std::collections::VecDeque;
use std::sync::Arc;

use trunkline_shared::{Instant, Offset};

use super::owner_clock::OwnerClock;
use crate::shared_publication::SharedPublication;

/// Publications with contiguous offsets up to the top; it may hold none and still know its top.
#[derive(Debug, Default)]
pub(super) struct Ring {
    publications: VecDeque<Arc<SharedPublication>>,
    bytes: usize,
    top: Offset,
    owner_clock: OwnerClock,
}

/// How much one ring may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct RingBounds {
    pub(super) publications: usize,
    pub(super) bytes: usize,
}

impl Ring {
    /// The last offset that the channel has here.
    pub(super) const fn top(&self) -> Offset {
        self.top
    }

    /// Bytes of what it holds.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The offset before the first one held; the top when none is.
    pub(super) fn floor(&self) -> Offset {
        Offset(self.top.0 - self.publications.len() as u64)
    }

    /// The clock by which its publications are dated.
    pub(super) const fn owner_clock(&self) -> &OwnerClock {
        &self.owner_clock
    }

    /// Adds the publication after the top, and lets the oldest go beyond the limits.
    ///
    /// # Panics
    /// When its offset isn't the one after the top.
    pub(super) fn append(
        &mut self,
        now: Instant,
        shared: Arc<SharedPublication>,
        bounds: RingBounds,
    ) {
        let publication = &shared.publication;
        assert_eq!(publication.offset, self.top.next(), "a ring is contiguous");
        self.top = publication.offset;
        self.owner_clock.read(now, publication.time);
        self.bytes += publication.weight();
        self.publications.push_back(shared);
        while self.publications.len() > bounds.publications || self.bytes > bounds.bytes {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.publications.pop_front() {
            self.bytes -= oldest.publication.weight();
        }
    }

    /// Begins anew behind `top`, empty.
    pub(super) fn restart(&mut self, top: Offset) {
        *self = Self {
            top,
            ..Self::default()
        };
    }

    /// Forgets what it holds, its memory included; the top stays.
    pub(super) fn clear(&mut self) {
        self.publications = VecDeque::new();
        self.bytes = 0;
    }

    /// Forgets what lies at or below an offset.
    pub(super) fn forget_to(&mut self, floor: Offset) {
        while self.floor() < floor && !self.publications.is_empty() {
            self.drop_oldest();
        }
    }

    /// The publication of an offset, when it is held.
    pub(super) fn at(&self, offset: Offset) -> Option<&Arc<SharedPublication>> {
        let index = offset.0.checked_sub(self.floor().0 + 1)?;
        self.publications.get(usize::try_from(index).ok()?)
    }

    /// Everything after an offset; `None` when something of it isn't held any more.
    pub(super) fn after(
        &self,
        offset: Offset,
    ) -> Option<impl Iterator<Item = &Arc<SharedPublication>>> {
        let skip = offset.0.checked_sub(self.floor().0)?;
        (offset <= self.top).then(|| {
            self.publications
                .iter()
                .skip(usize::try_from(skip).unwrap_or(usize::MAX))
        })
    }

    /// Checks that offsets and bytes are what they must be.
    ///
    /// # Panics
    /// When they aren't.
    pub(super) fn check_invariants(&self) {
        let offsets = self
            .publications
            .iter()
            .map(|shared| shared.publication.offset.0);
        let expected = self.floor().0 + 1..=self.top.0;
        assert!(offsets.eq(expected), "a ring is contiguous up to its top");
        let bytes: usize = self
            .publications
            .iter()
            .map(|shared| shared.publication.weight())
            .sum();
        assert_eq!(bytes, self.bytes, "a ring counts its bytes");
    }
}
