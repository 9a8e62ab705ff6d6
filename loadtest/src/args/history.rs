//! Flags of `history`.

use clap::Args;

use super::{MeshArgs, MetricsArgs};
use crate::process::Watched;

/// Flags of `history`.
#[derive(Clone, Debug, Args)]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    pub(crate) mesh: MeshArgs,
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,
    /// Joiners, each with a connection of its own.
    #[arg(long, default_value_t = 5000)]
    pub(crate) joiners: usize,
    /// Joiners that read at the same time; others wait for one to end.
    #[arg(long, default_value_t = 100)]
    pub(crate) concurrency: usize,
    /// Messages of the channel, at most as many as its namespace keeps.
    #[arg(long, default_value_t = 1000)]
    pub(crate) messages: usize,
    /// Pages that each reads, the newest one included.
    #[arg(long, default_value_t = 4)]
    pub(crate) pages: usize,
    /// Messages of a page at most.
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
    /// Namespace of the channel, which is a new one in each round unless it is named.
    #[arg(long, default_value = "chat")]
    pub(crate) namespace: String,
    /// The channel; without --filled a new one.
    #[arg(long)]
    pub(crate) channel: Option<String>,
    /// Publishes nothing: the channel has its messages from an earlier run, so that a mesh can be started anew between, and
    /// its owner has to read the store.
    #[arg(long, requires = "channel")]
    pub(crate) filled: bool,
    /// Bytes of a payload.
    #[arg(long, default_value_t = 200)]
    pub(crate) bytes: usize,
    /// Asks for compressed pages.
    #[arg(long)]
    pub(crate) gzip: bool,
    /// The database of the node's store, PostgreSQL 15 or later: its own count of reads is told too, which takes 11 s each
    /// time, and is of everybody who reads it.
    #[arg(long, value_name = "DSN")]
    pub(crate) pg: Option<String>,
    /// Measures a bare server with the same pages in each round.
    #[arg(long)]
    pub(crate) floor: bool,
    /// Server processes whose CPU is counted; may be given again.
    #[arg(long, value_name = "[NAME=]PID")]
    pub(crate) pid: Vec<Watched>,
    /// Rounds, of which the median and the extremes are told.
    #[arg(long, default_value_t = 1)]
    pub(crate) rounds: usize,
}
