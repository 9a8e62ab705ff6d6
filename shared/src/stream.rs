//! The streams of a link.

use crate::limits::LANES;
use crate::slot::Slot;

/// Names one of a link's long-lived streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamId {
    /// What names no slot: hello, views, rules.
    Control,
    /// Everything that names a slot, both ways; the number is below the link's number of lanes.
    Lane(u8),
    /// Ephemeral publications, of the lowest priority, dropped at the sender when it is behind.
    Ephemeral,
}

impl StreamId {
    /// The lane of a slot.
    pub const fn of(slot: Slot) -> Self {
        Self::Lane(slot.lane(LANES))
    }
}

/// Names a link within one life of a process; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);
