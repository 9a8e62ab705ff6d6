//! Flags of `resume`.

use clap::Args;

use super::{MeshArgs, MetricsArgs, Rtt};

/// Flags of `resume`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    pub(crate) mesh: MeshArgs,
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,
    /// Connections that are dropped and come back together.
    #[arg(long, default_value_t = 200)]
    pub(crate) connections: usize,
    /// Channels of each connection.
    #[arg(long, default_value_t = 50)]
    pub(crate) channels: usize,
    /// Different channels, among which the connections' are spread; at least CHANNELS.
    #[arg(long, default_value_t = 500)]
    pub(crate) pool: usize,
    /// Messages that come into each channel while nobody is connected.
    #[arg(long, default_value_t = 20)]
    pub(crate) missed: usize,
    /// Namespace of the channels; `chat` is durable and keeps presence, so that each return also sends joins and leaves.
    #[arg(long, default_value = "live")]
    pub(crate) namespace: String,
    /// Bytes of a payload.
    #[arg(long, default_value_t = 200)]
    pub(crate) bytes: usize,
    /// Puts those who come back so far from the edge, such as 10ms: opening a socket takes one round trip then, since the
    /// relay doesn't delay the TCP handshake, and coming back another.
    #[arg(long, value_name = "TIME")]
    pub(crate) client_rtt: Option<Rtt>,
    /// Times that all are dropped; the median and the extremes are told.
    #[arg(long, default_value_t = 1)]
    pub(crate) rounds: usize,
}
