//! Flags of `floor-store`.

use std::path::PathBuf;

use clap::Args;

/// Flags of `floor-store`.
#[derive(Clone, Debug, Args)]
pub(crate) struct FloorStoreArgs {
    /// Directory of the database; made anew for each run, removed after it.
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// Who waits for a commit before the next message.
    #[arg(long, default_value_t = 256)]
    pub(crate) submitters: usize,
    /// Bytes of a message.
    #[arg(long, default_value_t = 200)]
    pub(crate) bytes: usize,
    /// Length of a run.
    #[arg(long, default_value_t = 10.0)]
    pub(crate) seconds: f64,
    /// Runs, of which the median and the extremes are told.
    #[arg(long, default_value_t = 1)]
    pub(crate) rounds: usize,
}
