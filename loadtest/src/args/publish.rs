//! Flags of `publish`.

use std::path::PathBuf;

use clap::Args;

use super::{MeshArgs, Road};
use crate::process::Watched;

/// Flags of `publish`.
#[derive(Debug, Args)]
pub(crate) struct PublishArgs {
    #[command(flatten)]
    pub(crate) mesh: MeshArgs,
    /// Publishers, each on its own connection.
    #[arg(long, default_value_t = 16)]
    pub(crate) publishers: usize,
    /// Publishes of each that wait for their answers at the same time; over the API each has its own connection.
    #[arg(long, default_value_t = 16)]
    pub(crate) in_flight: usize,
    /// The channel.
    #[arg(long, default_value = "chat:loadtest")]
    pub(crate) channel: String,
    /// Channels, CHANNEL-0 and so on, among which the publishers are shared; 0: all publish into CHANNEL.
    #[arg(long, default_value_t = 0)]
    pub(crate) channels: usize,
    /// Bytes of a payload.
    #[arg(long, default_value_t = 200)]
    pub(crate) bytes: usize,
    /// Length of a run.
    #[arg(long, default_value_t = 10.0)]
    pub(crate) seconds: f64,
    /// Runs, of which the median and the extremes are told.
    #[arg(long, default_value_t = 1)]
    pub(crate) rounds: usize,
    /// Ways to publish, each measured in each round.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Road::Ws, Road::Api])]
    pub(crate) roads: Vec<Road>,
    /// Measures a bare database in this directory in each round, with as many submitters as there are publishes in flight.
    #[arg(long, value_name = "DIR", conflicts_with = "floor_pg")]
    pub(crate) floor_dir: Option<PathBuf>,
    /// Measures a bare PostgreSQL in each round instead, the server of a node's store: the same submitters, channels and
    /// connections, in tables of its own that are dropped afterwards. The DSN is as `store.postgres.dsn`, without TLS.
    #[arg(long, value_name = "DSN")]
    pub(crate) floor_pg: Option<String>,
    /// Server processes whose CPU is counted; may be given again.
    #[arg(long, value_name = "[NAME=]PID")]
    pub(crate) pid: Vec<Watched>,
}
