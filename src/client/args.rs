//! Flags that say which edge to ask, and as whom.

use std::path::PathBuf;

use clap::Args;

/// Which edge to connect to, and as whom.
#[derive(Clone, Debug, Args)]
pub(crate) struct ClientArgs {
    /// An edge's WebSocket; without a path, `/connection/websocket` is meant.
    #[arg(
        long,
        env = "TRUNKLINE_URL",
        default_value = "ws://127.0.0.1:8000/connection/websocket",
        value_name = "URL"
    )]
    pub(crate) url: String,
    /// Connection token; other users of this machine see flags, but not variables.
    #[arg(
        long,
        env = "TRUNKLINE_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub(crate) token: Option<String>,
    /// PEM file of an authority to trust besides the system's, for wss://.
    #[arg(long = "ca", value_name = "FILE")]
    pub(crate) authority: Option<PathBuf>,
}
