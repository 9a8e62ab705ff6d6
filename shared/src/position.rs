//! Where a message stands: offset, epoch, and both together.

use std::fmt;

use rkyv::{Archive, Deserialize, Serialize};

/// A message's place in its channel: contiguous, the first one is 1; 0 is "before the first".
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Archive,
    Serialize,
    Deserialize,
)]
pub struct Offset(pub u64);

impl Offset {
    /// The offset before the first message.
    pub const ZERO: Self = Self(0);

    /// The offset after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The identity of a channel's numbering; shown to clients as text that is never empty or `_`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Archive, Serialize, Deserialize)]
pub struct Epoch {
    /// The database server's timeline under asynchronous replication, else 0.
    pub timeline: u32,
    /// Drawn at random when the numbering began.
    pub id: u64,
}

impl Epoch {
    /// An epoch outside asynchronous replication.
    pub const fn new(id: u64) -> Self {
        Self { timeline: 0, id }
    }

    /// Parses what [`Display`](fmt::Display) writes; `None` for anything else, which then is no epoch of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let (timeline, id) = match text.split_once('.') {
            Some((timeline, id)) => (timeline.parse().ok()?, id),
            None => (0, text),
        };
        let epoch = Self {
            timeline,
            id: u64::from_str_radix(id, 16).ok()?,
        };
        (epoch.to_string() == text).then_some(epoch)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.timeline != 0 {
            write!(f, "{}.", self.timeline)?;
        }
        write!(f, "{:016x}", self.id)
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Epoch({self})")
    }
}

/// A place in one numbering of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Archive, Serialize, Deserialize)]
pub struct Position {
    /// Which numbering.
    pub epoch: Epoch,
    /// The last message known.
    pub offset: Offset,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_reads_back_what_it_writes() {
        for epoch in [
            Epoch::new(0),
            Epoch::new(u64::MAX),
            Epoch {
                timeline: 3,
                id: 255,
            },
        ] {
            assert_eq!(Epoch::parse(&epoch.to_string()), Some(epoch));
        }
    }

    #[test]
    fn a_foreign_epoch_is_none_of_ours() {
        for text in [
            "",
            "_",
            "XyZq",
            "0.0000000000000001",
            "00000000000000001",
            "+000000000000001",
        ] {
            assert_eq!(Epoch::parse(text), None, "{text}");
        }
    }
}
