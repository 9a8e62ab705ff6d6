//! Slots: the unit of ownership, fencing and hand-over.

use rkyv::{Archive, Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::limits::SLOTS;

/// One of the 4096 shares of the channel space.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Archive, Serialize, Deserialize,
)]
#[rkyv(derive(PartialEq, Eq, PartialOrd, Ord))]
pub struct Slot(u16);

impl Slot {
    /// The slot of a routing key: XXH3-64 with seed 0, mod 4096 (fixed: every edge and node must agree).
    pub fn of(routing_key: &str) -> Self {
        let slot = xxh3_64(routing_key.as_bytes()) % u64::from(SLOTS);
        Self(u16::try_from(slot).expect("a remainder of 4096 fits"))
    }

    /// Makes a slot from its number; `None` from 4096 on.
    pub const fn new(number: u16) -> Option<Self> {
        if number < SLOTS {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The slot's number, below 4096.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The lane that everything of this slot travels on, given a link's number of lanes.
    ///
    /// # Panics
    /// When `lanes` is 0.
    pub const fn lane(self, lanes: u8) -> u8 {
        (self.0 % lanes as u16) as u8
    }

    /// All slots, ascending.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..SLOTS).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_of_known_keys_never_change() {
        let slots = ["chat:42", "lobby", "scores:nba"].map(|key| Slot::of(key).number());
        assert_eq!(slots, [3027, 2466, 1935]);
    }
}
