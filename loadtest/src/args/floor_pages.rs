//! Flags of `floor-pages`.

use std::net::SocketAddr;

use clap::Args;

/// Flags of `floor-pages`.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct FloorPagesArgs {
    /// Address to listen on; what it became is the first line of standard output.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Pages that come on standard input, each a line of JSON about it and its body.
    #[arg(long)]
    pub(crate) pages: usize,
}
