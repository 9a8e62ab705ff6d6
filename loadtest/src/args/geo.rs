//! Flags of `geo`.

use std::path::PathBuf;

use clap::Args;

use super::rate::rate;
use super::regions::RegionsArgs;

/// Flags of `geo`.
#[derive(Debug, Args)]
pub(crate) struct GeoArgs {
    #[command(flatten)]
    pub(crate) regions: RegionsArgs,
    /// Messages per second from each region to each, itself included; the pairs take turns.
    #[arg(long, default_value = "10", value_parser = rate, value_name = "PER_SECOND")]
    pub(crate) rate: f64,
    /// Length of a run; a second before it isn't counted.
    #[arg(long, default_value_t = 20.0)]
    pub(crate) seconds: f64,
    /// Runs, of which the median and the extremes are told.
    #[arg(long, default_value_t = 1)]
    pub(crate) rounds: u32,
    /// Bytes of a payload.
    #[arg(long, default_value_t = 200)]
    pub(crate) bytes: usize,
    /// Namespace of the channels, one for each pair; durable or buffered.
    #[arg(long, default_value = "chat")]
    pub(crate) namespace: String,
    /// Writes a page with the table and a picture: to this file, or as geo.html into this directory.
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) report: Option<PathBuf>,
}
