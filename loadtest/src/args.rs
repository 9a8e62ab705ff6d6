//! The subcommands and their flags.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::process::Watched;
use crate::target::Target;

/// Drives a Trunkline mesh and measures it.
#[derive(Debug, Parser)]
#[command(name = "loadtest", version, about)]
pub struct Cli {
    /// Prints one line of JSON instead of a table.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What can be measured.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Resident memory of a server per idle connection.
    Idle(IdleArgs),
    /// CPU and latency of deliveries to many subscribers of one channel.
    Fanout(FanoutArgs),
    /// A bare server for `fanout --floor`: writes one prebuilt frame to each socket; a line on its standard input starts a run.
    Floor(FloorArgs),
    /// Durable publishes per second and time to their answers.
    Publish(PublishArgs),
    /// A bare database: commits messages as a store would, nothing else.
    FloorStore(FloorStoreArgs),
    /// The trip edge, owner, edge, beside one that ends at the edge.
    Ping(PingArgs),
}

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

/// Flags of `idle`.
#[derive(Debug, Args)]
pub(crate) struct IdleArgs {
    #[command(flatten)]
    pub(crate) mesh: MeshArgs,
    /// Connections to open, in steps: memory is read after each, and the slope is taken from the first to the last.
    #[arg(long, value_delimiter = ',', default_values_t = [1000, 5000], value_name = "N,N")]
    pub(crate) connections: Vec<usize>,
    /// Lets each connection subscribe to a channel of its own, in this namespace.
    #[arg(long, value_name = "NAMESPACE")]
    pub(crate) subscribe: Option<String>,
    /// Seconds without traffic before memory is read.
    #[arg(long, default_value_t = 5, value_name = "SECONDS")]
    pub(crate) hold: u64,
    /// The server's process.
    #[arg(long, value_name = "[NAME=]PID")]
    pub(crate) pid: Watched,
}

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

/// Flags of `fanout`.
#[derive(Debug, Args)]
pub(crate) struct FanoutArgs {
    #[command(flatten)]
    pub(crate) mesh: MeshArgs,
    #[command(flatten)]
    pub(crate) pace: PaceArgs,
    /// Connections that subscribe to the channel.
    #[arg(long, default_value_t = 1000)]
    pub(crate) subscribers: usize,
    /// The channel.
    #[arg(long, default_value = "live:loadtest")]
    pub(crate) channel: String,
    /// Bytes of a payload.
    #[arg(long, default_value_t = 200)]
    pub(crate) bytes: usize,
    /// How to publish: `api`, one request for each message of a burst, on connections of their own; or `ws`, one frame.
    #[arg(long, value_enum, default_value_t = Road::Api)]
    pub(crate) road: Road,
    /// Server processes whose CPU is counted; may be given again.
    #[arg(long, value_name = "[NAME=]PID")]
    pub(crate) pid: Vec<Watched>,
    /// Runs, of which the median and the extremes are told.
    #[arg(long, default_value_t = 1)]
    pub(crate) rounds: usize,
    /// Measures a bare server after each run, with frames of the same length.
    #[arg(long)]
    pub(crate) floor: bool,
}

/// The two ways to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Road {
    /// The server API.
    Api,
    /// A client's connection.
    Ws,
}

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
    #[arg(long, value_name = "DIR")]
    pub(crate) floor_dir: Option<PathBuf>,
    /// Server processes whose CPU is counted; may be given again.
    #[arg(long, value_name = "[NAME=]PID")]
    pub(crate) pid: Vec<Watched>,
}

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

/// Flags of `ping`.
#[derive(Debug, Args)]
pub(crate) struct PingArgs {
    #[command(flatten)]
    pub(crate) mesh: MeshArgs,
    /// A durable or buffered channel.
    #[arg(long, default_value = "chat:loadtest-ping")]
    pub(crate) channel: String,
    /// Questions of each kind in a run, one after another.
    #[arg(long, default_value_t = 2000)]
    pub(crate) count: usize,
    /// Runs, of which the median and the extremes are told.
    #[arg(long, default_value_t = 1)]
    pub(crate) rounds: usize,
}
