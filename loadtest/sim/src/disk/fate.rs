//! What becomes of an append call.

use trunkline_shared::Instant;

use crate::scenario::Tuning;

use super::Disk;

/// What becomes of an append call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Its outcome is told.
    Known,
    /// It was taken, and nobody is told.
    UnknownTaken,
    /// It wasn't taken, and nobody is told.
    UnknownLost,
    /// It is still under way, and nobody is told; it ends at the next claim at the latest.
    UnknownYet,
}

impl Disk {
    /// Draws the fate of the call that ends now.
    pub(super) fn fate(&mut self, now: Instant, tuning: &Tuning, writer: usize) -> Fate {
        let forced = self.unknown_calls > 0 || self.is_away_for(now, writer);
        self.unknown_calls = self.unknown_calls.saturating_sub(1);
        if forced || self.dice.permille(tuning.unknown) {
            self.dice
                .pick(&[Fate::UnknownTaken, Fate::UnknownLost, Fate::UnknownYet])
        } else {
            Fate::Known
        }
    }
}
