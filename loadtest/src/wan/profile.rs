//! A link as people describe it: by its round trip.

use std::num::NonZeroU64;
use std::time::Duration;

use super::config::{PathConfig, WanConfig};
use super::units;

/// What a link is like, the same both ways.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkProfile {
    /// Time there and back without jitter and queues; half of it each way.
    pub rtt: Duration,
    /// The most that is added each way. Default 0.
    pub jitter: Duration,
    /// Share of datagrams lost, each way. Default 0.
    pub loss: f64,
    /// Bits per second, each way. Default none: without limit.
    pub rate_bits: Option<NonZeroU64>,
    /// Bytes that may wait for the wire, each way. Default 256 KiB.
    pub queue_bytes_max: u64,
}

/// Why a value of a link isn't taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// There is no such thing.
    #[error("{key} is none of rtt, jitter, loss, rate, queue")]
    UnknownKey {
        /// What it was called.
        key: String,
    },
    /// It can't be that.
    #[error("{key} = {value:?}: {reason}")]
    Value {
        /// What it is called.
        key: String,
        /// What it should have become.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl LinkProfile {
    /// A link that is only long.
    pub fn new(rtt: Duration) -> Self {
        let PathConfig {
            delay: _,
            jitter,
            reorder: _,
            loss,
            rate_bits,
            queue_bytes_max,
            cut: _,
        } = PathConfig::default();
        Self {
            rtt,
            jitter,
            loss,
            rate_bits,
            queue_bytes_max,
        }
    }

    /// Changes one value: `rtt`, `jitter` (`2ms`), `loss` (`0.01`, `1%`), `rate` (`50mbit`, `none`), `queue` (`256KiB`).
    ///
    /// # Errors
    /// When there is no such key or it can't be this value; nothing has changed then.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), ProfileError> {
        let set = match key {
            "rtt" => units::duration(value).map(|rtt| self.rtt = rtt),
            "jitter" => units::duration(value).map(|jitter| self.jitter = jitter),
            "loss" => units::share(value).map(|loss| self.loss = loss),
            "rate" => units::rate(value).map(|rate_bits| self.rate_bits = rate_bits),
            "queue" => units::size(value).map(|bytes| self.queue_bytes_max = bytes),
            _ => {
                let key = key.to_owned();
                return Err(ProfileError::UnknownKey { key });
            }
        };
        set.map_err(|reason| ProfileError::Value {
            key: key.to_owned(),
            value: value.to_owned(),
            reason,
        })
    }

    /// Both directions, not cut.
    pub fn config(&self) -> WanConfig {
        WanConfig::symmetric(PathConfig {
            delay: self.rtt / 2,
            jitter: self.jitter,
            reorder: false,
            loss: self.loss,
            rate_bits: self.rate_bits,
            queue_bytes_max: self.queue_bytes_max,
            cut: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_round_trip_is_each_way() {
        let mut profile = LinkProfile::new(Duration::from_millis(80));
        profile.set("loss", "1%").expect("it is a share");
        let config = profile.config();
        assert_eq!(config.up.delay, Duration::from_millis(40));
        assert_eq!(config.up, config.down);
        assert_eq!((config.up.loss, config.up.cut), (0.01, false));
    }

    #[test]
    fn a_mistake_is_named_and_changes_nothing() {
        let mut profile = LinkProfile::new(Duration::ZERO);
        let error = profile.set("rate", "fast").expect_err("it is none");
        assert!(
            error.to_string().starts_with(r#"rate = "fast": "#),
            "{error}"
        );
        let error = profile.set("delay", "1ms").expect_err("there is none");
        let text = "delay is none of rtt, jitter, loss, rate, queue";
        assert_eq!(error.to_string(), text);
        assert_eq!(profile, LinkProfile::new(Duration::ZERO));
    }
}
