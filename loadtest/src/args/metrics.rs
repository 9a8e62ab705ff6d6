//! Where edge and node tell what they have counted.

use clap::Args;

use crate::target::Target;

/// Where edge and node tell what they have counted.
#[derive(Clone, Debug, Args)]
pub(crate) struct MetricsArgs {
    /// Metrics of the edge that is measured.
    #[arg(
        long,
        default_value = "http://127.0.0.1:9191/metrics",
        value_name = "URL"
    )]
    pub(crate) edge_metrics: Target,
    /// Metrics of the node that owns the channels.
    #[arg(
        long,
        default_value = "http://127.0.0.1:9190/metrics",
        value_name = "URL"
    )]
    pub(crate) node_metrics: Target,
}
