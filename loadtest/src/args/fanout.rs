//! Flags of `fanout`.

use clap::Args;

use super::{MeshArgs, PaceArgs, Road};
use crate::process::Watched;

/// Flags of `fanout`.
#[derive(Debug, Args)]
pub(crate) struct FanoutArgs {
    #[command(flatten)]
    pub(crate) mesh: MeshArgs,
    #[command(flatten)]
    pub(crate) pace: PaceArgs,
    /// Connections that subscribe to the channel.
    #[arg(long, default_value_t = 1000)]
    pub(crate) subscribers: usize,
    /// The channel.
    #[arg(long, default_value = "live:loadtest")]
    pub(crate) channel: String,
    /// Bytes of a payload.
    #[arg(long, default_value_t = 200)]
    pub(crate) bytes: usize,
    /// How to publish: `api`, one request for each message of a burst, on connections of their own; or `ws`, one frame.
    #[arg(long, value_enum, default_value_t = Road::Api)]
    pub(crate) road: Road,
    /// Server processes whose CPU is counted; may be given again.
    #[arg(long, value_name = "[NAME=]PID")]
    pub(crate) pid: Vec<Watched>,
    /// Runs, of which the median and the extremes are told.
    #[arg(long, default_value_t = 1)]
    pub(crate) rounds: usize,
    /// Measures a bare server after each run, with frames of the same length.
    #[arg(long)]
    pub(crate) floor: bool,
}
