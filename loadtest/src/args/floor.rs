//! Flags of `floor`.

use std::net::SocketAddr;

use clap::Args;

use super::PaceArgs;

/// Flags of `floor`.
#[derive(Debug, Args)]
pub(crate) struct FloorArgs {
    #[command(flatten)]
    pub(crate) pace: PaceArgs,
    /// Address to listen on; what it became is the first line of standard output.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Connections to wait for before anything is written.
    #[arg(long, default_value_t = 1000)]
    pub(crate) connections: usize,
    /// Bytes of a frame without its header.
    #[arg(long, default_value_t = 256)]
    pub(crate) bytes: usize,
    /// Threads that share the connections; 0: one per processor, as at an edge.
    #[arg(long, default_value_t = 0)]
    pub(crate) threads: usize,
}
