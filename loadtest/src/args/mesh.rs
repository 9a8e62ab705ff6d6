//! Where the mesh is.

use clap::Args;

use crate::target::Target;

/// Where the mesh is.
#[derive(Clone, Debug, Args)]
pub(crate) struct MeshArgs {
    /// WebSocket endpoint of an edge.
    #[arg(
        long,
        default_value = "ws://127.0.0.1:8000/connection/websocket",
        value_name = "URL"
    )]
    pub(crate) url: Target,
    /// An edge's address for calls of the server API.
    #[arg(long, default_value = "http://127.0.0.1:8000", value_name = "URL")]
    pub(crate) api: Target,
    /// Key of the server API.
    #[arg(long, default_value = "dev", value_name = "KEY")]
    pub(crate) api_key: String,
}
