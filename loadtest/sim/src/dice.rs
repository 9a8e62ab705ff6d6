//! All chance of a run: one stream of numbers per part, each from the run's seed.

use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use trunkline_shared::Incarnation;

/// A part's source of chance.
#[derive(Clone, Debug)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// Makes the dice of one part; parts of different `salt` don't disturb each other.
    pub(crate) fn new(seed: u64, salt: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(salt);
        Self(rng)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0.random_range(low..=high)
    }

    /// True this many times out of a thousand.
    pub(crate) fn permille(&mut self, chance: u64) -> bool {
        self.between(0, 999) < chance
    }

    /// A time from `low` to `high`, in microseconds.
    pub(crate) fn micros(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_micros(self.between(low, high))
    }

    /// A time from `low` to `high`, in milliseconds.
    pub(crate) fn millis(&mut self, low: u64, high: u64) -> Duration {
        self.micros(low * 1000, high * 1000)
    }

    /// A place in a list of `length`, which isn't 0.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        self.0.random_range(0..length)
    }

    /// One of a list that isn't empty.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.index(from.len())]
    }

    /// The seed of a machine.
    pub(crate) fn seed(&mut self) -> u64 {
        self.0.random()
    }

    /// The seed of a machine that takes 32 bytes.
    pub(crate) fn seed_bytes(&mut self) -> [u8; 32] {
        self.0.random()
    }

    /// A new life of a process.
    pub(crate) fn incarnation(&mut self) -> Incarnation {
        Incarnation(self.0.random())
    }
}
