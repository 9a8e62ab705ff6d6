//! Flags of `idle`.

use clap::Args;

use super::MeshArgs;
use crate::process::Watched;

/// Flags of `idle`.
#[derive(Debug, Args)]
pub(crate) struct IdleArgs {
    #[command(flatten)]
    pub(crate) mesh: MeshArgs,
    /// Connections to open, in steps: memory is read after each, and the slope is taken from the first to the last.
    #[arg(long, value_delimiter = ',', default_values_t = [1000, 5000], value_name = "N,N")]
    pub(crate) connections: Vec<usize>,
    /// Lets each connection subscribe to a channel of its own, in this namespace.
    #[arg(long, value_name = "NAMESPACE")]
    pub(crate) subscribe: Option<String>,
    /// Seconds without traffic before memory is read.
    #[arg(long, default_value_t = 5, value_name = "SECONDS")]
    pub(crate) hold: u64,
    /// The server's process.
    #[arg(long, value_name = "[NAME=]PID")]
    pub(crate) pid: Watched,
}
