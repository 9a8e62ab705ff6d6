//! Flags of `cut`.

use std::time::Duration;

use clap::Args;

use super::rate::rate;
use super::regions::RegionsArgs;
use super::seconds::seconds;

/// Flags of `cut`.
#[derive(Debug, Args)]
pub(crate) struct CutArgs {
    #[command(flatten)]
    pub(crate) regions: RegionsArgs,
    /// The region that is cut off; clients of the others publish.
    #[arg(long, value_name = "REGION")]
    pub(crate) region: String,
    /// Seconds of traffic before the cut.
    #[arg(long, default_value = "10", value_parser = seconds, value_name = "SECONDS")]
    pub(crate) seconds_before: Duration,
    /// Seconds of the cut.
    #[arg(long, default_value = "30", value_parser = seconds, value_name = "SECONDS")]
    pub(crate) seconds_cut: Duration,
    /// Seconds of traffic after it.
    #[arg(long, default_value = "15", value_parser = seconds, value_name = "SECONDS")]
    pub(crate) seconds_after: Duration,
    /// Messages per second, of all publishers together.
    #[arg(long, default_value = "200", value_parser = rate, value_name = "PER_SECOND")]
    pub(crate) rate: f64,
    /// Channels that share the messages.
    #[arg(long, default_value_t = 20)]
    pub(crate) channels: usize,
    /// Puts all messages into one channel and expects that the cut region misses more than its history, and is told.
    #[arg(long, conflicts_with = "channels")]
    pub(crate) one_channel: bool,
    /// Connections in each region, each subscribed to all channels.
    #[arg(long, default_value_t = 2)]
    pub(crate) subscribers: usize,
    /// Bytes of a payload.
    #[arg(long, default_value_t = 200)]
    pub(crate) bytes: usize,
    /// Namespace of the channels; durable or buffered.
    #[arg(long, default_value = "chat")]
    pub(crate) namespace: String,
    /// Runs with a cut, of which the median and the extremes are told.
    #[arg(long, default_value_t = 1)]
    pub(crate) runs: u32,
    /// Leaves out the run without a cut that follows each run with one.
    #[arg(long)]
    pub(crate) no_control: bool,
}
