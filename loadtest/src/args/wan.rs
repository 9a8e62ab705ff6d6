//! Flags of `wan` and `wan-self-test`.

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::time::Duration;

use clap::{Args, value_parser};

use crate::wan::{LinkProfile, units};

/// Flags of `wan`.
#[derive(Debug, Args)]
pub(crate) struct WanArgs {
    /// Address to listen on; what it became is the first line of standard output.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// Where everything goes on to.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) target: SocketAddr,
    /// Relays TCP instead of UDP; each connection is a link of its own, and nothing is lost.
    #[arg(long)]
    pub(crate) tcp: bool,
    #[command(flatten)]
    link: LinkArgs,
    /// Decides about losses and jitter: the same seed and the same arrivals, the same fate.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Ends when standard input does, so that a child doesn't outlive its parent.
    #[arg(long)]
    pub(crate) exit_with_parent: bool,
}

/// What the link is like, the same both ways.
#[derive(Clone, Copy, Debug, Args)]
struct LinkArgs {
    /// Time there and back, half of it each way.
    #[arg(long, default_value = "0ms", value_parser = units::duration, value_name = "DURATION")]
    rtt: Duration,
    /// The most that is added each way, drawn evenly; datagrams keep their order.
    #[arg(long, default_value = "0ms", value_parser = units::duration, value_name = "DURATION")]
    jitter: Duration,
    /// Share of datagrams lost each way: 0.01 or 1%.
    #[arg(long, default_value = "0%", value_parser = units::share, value_name = "SHARE")]
    loss: f64,
    /// Bits per second each way, in bit, kbit, mbit or gbit; or none.
    #[arg(long, default_value = "none", value_parser = rate, value_name = "RATE")]
    rate: Rate,
    /// Bytes that may wait for the wire each way; what doesn't fit is dropped.
    #[arg(long, default_value = "256KiB", value_parser = units::size, value_name = "SIZE")]
    queue: u64,
}

/// A rate that may be none, which an optional flag couldn't tell.
#[derive(Clone, Copy, Debug)]
struct Rate(Option<NonZeroU64>);

fn rate(text: &str) -> Result<Rate, String> {
    units::rate(text).map(Rate)
}

impl WanArgs {
    /// The link at its start.
    pub(crate) const fn profile(&self) -> LinkProfile {
        LinkProfile {
            rtt: self.link.rtt,
            jitter: self.link.jitter,
            loss: self.link.loss,
            rate_bits: self.link.rate.0,
            queue_bytes_max: self.link.queue,
        }
    }
}

/// Flags of `wan-self-test`.
#[derive(Debug, Args)]
pub(crate) struct WanSelfTestArgs {
    /// Datagrams per second, each rate measured in each round.
    #[arg(long, value_delimiter = ',', default_values_t = [1000, 5000, 20_000], value_parser = value_parser!(u32).range(1..), value_name = "N,N")]
    pub(crate) rates: Vec<u32>,
    /// The round trip that the relay is told to make.
    #[arg(long, default_value = "20ms", value_parser = units::duration, value_name = "DURATION")]
    pub(crate) rtt: Duration,
    /// Bytes of a datagram.
    #[arg(long, default_value_t = 1200)]
    pub(crate) bytes: usize,
    /// Length of a run at one rate.
    #[arg(long, default_value_t = 3.0)]
    pub(crate) seconds: f64,
    /// Length of each run of those that look for the highest rate without loss.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) search_seconds: f64,
    /// Runs, of which the median and the extremes are told.
    #[arg(long, default_value_t = 1)]
    pub(crate) rounds: usize,
}
