//! Flags of `ping`.

use clap::Args;

use super::MeshArgs;

/// Flags of `ping`.
#[derive(Debug, Args)]
pub(crate) struct PingArgs {
    #[command(flatten)]
    pub(crate) mesh: MeshArgs,
    /// A durable or buffered channel.
    #[arg(long, default_value = "chat:loadtest-ping")]
    pub(crate) channel: String,
    /// Questions of each kind in a run, one after another.
    #[arg(long, default_value_t = 2000)]
    pub(crate) count: usize,
    /// Runs, of which the median and the extremes are told.
    #[arg(long, default_value_t = 1)]
    pub(crate) rounds: usize,
}
