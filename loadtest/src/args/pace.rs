//! How publications go.

use clap::Args;

/// How publications go.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct PaceArgs {
    /// Messages per second, due by the clock; latency counts from then, however late a message goes.
    #[arg(long, default_value_t = 100.0)]
    pub(crate) rate: f64,
    /// Messages sent together; the pauses grow so that the rate stays.
    #[arg(long, default_value_t = 1)]
    pub(crate) burst: usize,
    /// Length of a run.
    #[arg(long, default_value_t = 20.0)]
    pub(crate) seconds: f64,
}

/// The two ways to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Road {
    /// The server API.
    Api,
    /// A client's connection.
    Ws,
}
