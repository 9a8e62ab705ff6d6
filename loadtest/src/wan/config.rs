//! What a link is like.

use std::num::NonZeroU64;
use std::time::Duration;

/// What one direction of a link does to what it carries. The default does nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathConfig {
    /// From the end of a datagram's transmission to its arrival, one way. Default 0.
    pub delay: Duration,
    /// The most that is added to `delay`, drawn evenly from 0 for each datagram. Default 0.
    pub jitter: Duration,
    /// Lets a datagram overtake another when jitter has it so. Default false: a datagram arrives with the one before it or
    /// later, as on one line.
    pub reorder: bool,
    /// Share of datagrams that are lost on the wire, 0 to 1. They have used the rate before. Default 0.
    pub loss: f64,
    /// Bits per second, counted over payloads; headers are free. Default none: no limit and no queue.
    pub rate_bits: Option<NonZeroU64>,
    /// Bytes that may wait until the wire is free; a datagram that doesn't fit is dropped. The one on the wire isn't
    /// counted. Default 256 KiB; nothing without a rate.
    pub queue_bytes_max: u64,
    /// Drops everything. Default false.
    pub cut: bool,
}

impl Default for PathConfig {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            reorder: false,
            loss: 0.0,
            rate_bits: None,
            queue_bytes_max: 256 << 10,
            cut: false,
        }
    }
}

/// What both directions of a link are like.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WanConfig {
    /// From those who dial towards the target.
    pub up: PathConfig,
    /// Back from the target.
    pub down: PathConfig,
}

impl WanConfig {
    /// The same both ways, where a round trip takes `rtt` and nothing else happens.
    pub fn round_trip(rtt: Duration) -> Self {
        let path = PathConfig {
            delay: rtt / 2,
            ..PathConfig::default()
        };
        Self::symmetric(path)
    }

    /// The same both ways.
    pub const fn symmetric(path: PathConfig) -> Self {
        Self {
            up: path,
            down: path,
        }
    }
}
