//! When each datagram of a path arrives, if it does.

use std::time::Instant;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::bottleneck::Bottleneck;
use super::config::PathConfig;

/// What becomes of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It arrives at this moment, unless the path is cut before.
    Due(Instant),
    /// It is lost on the wire.
    Lost,
    /// The queue, or the memory of the path, has no room for it.
    QueueFull,
    /// The path is cut.
    Cut,
}

/// The times of one path, without the datagrams themselves.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    config: PathConfig,
    rng: ChaCha8Rng,
    bottleneck: Bottleneck,
    /// The latest arrival so far; nothing before the first.
    last_due: Option<Instant>,
}

impl Schedule {
    pub(super) fn new(config: PathConfig, seed: u64) -> Self {
        Self {
            config,
            rng: ChaCha8Rng::seed_from_u64(seed),
            bottleneck: Bottleneck::default(),
            last_due: None,
        }
    }

    /// Judges the next datagram.
    pub(super) fn admit(&mut self, now: Instant, bytes: usize) -> Verdict {
        let config = self.config;
        // Both are drawn for every datagram, so that a seed loses the same ones whatever else is configured.
        let (fate, lateness) = (self.rng.random::<f64>(), self.rng.random::<f64>());
        if config.cut {
            return Verdict::Cut;
        }
        let sent =
            self.bottleneck
                .admit(now, bytes as u64, config.rate_bits, config.queue_bytes_max);
        match sent {
            None => Verdict::QueueFull,
            Some(_) if fate < config.loss => Verdict::Lost,
            Some(sent) => {
                let due = sent + config.delay + config.jitter.mul_f64(lateness);
                Verdict::Due(self.in_order(due))
            }
        }
    }

    /// When bytes arrive that can't get lost: a full queue lets them wait, whoever sends them is to stop before.
    ///
    /// # Panics
    /// With a configuration that loses or is cut.
    pub(super) fn due(&mut self, now: Instant, bytes: usize) -> Instant {
        self.config.queue_bytes_max = u64::MAX;
        match self.admit(now, bytes) {
            Verdict::Due(due) => due,
            verdict @ (Verdict::Lost | Verdict::QueueFull | Verdict::Cut) => {
                unreachable!("bytes of a stream: {verdict:?}")
            }
        }
    }

    /// Takes a new configuration for what comes from now on; a cut forgets what was under way.
    pub(super) fn configure(&mut self, config: PathConfig) {
        self.config = config;
        if config.cut {
            self.bottleneck = Bottleneck::default();
            self.last_due = None;
        }
    }

    pub(super) const fn config(&self) -> PathConfig {
        self.config
    }

    fn in_order(&mut self, due: Instant) -> Instant {
        let due = match self.last_due {
            Some(last) if !self.config.reorder => due.max(last),
            Some(_) | None => due,
        };
        self.last_due = self.last_due.max(Some(due));
        due
    }
}
