//! The subcommands; each has a file for its flags, and what several share has one too.

mod chaos;
mod cluster;
mod cut;
mod fanout;
mod floor;
mod floor_pages;
mod floor_store;
mod geo;
mod history;
mod idle;
mod lab;
mod mesh;
mod metrics;
mod pace;
mod ping;
mod publish;
mod rate;
mod regions;
mod resume;
mod seconds;
mod wan;

use clap::{Parser, Subcommand};

pub(crate) use chaos::{ChaosArgs, Fault, StoreKind, word};
pub(crate) use cluster::{ClusterArgs, ClusterFault};
pub(crate) use cut::CutArgs;
pub(crate) use fanout::FanoutArgs;
pub(crate) use floor::FloorArgs;
pub(crate) use floor_pages::FloorPagesArgs;
pub(crate) use floor_store::FloorStoreArgs;
pub(crate) use geo::GeoArgs;
pub(crate) use history::HistoryArgs;
pub(crate) use idle::IdleArgs;
pub(crate) use lab::LabArgs;
pub(crate) use mesh::MeshArgs;
pub(crate) use metrics::MetricsArgs;
pub(crate) use pace::{PaceArgs, Road};
pub(crate) use ping::PingArgs;
pub(crate) use publish::PublishArgs;
pub(crate) use regions::{RegionsArgs, Rtt};
pub(crate) use resume::ResumeArgs;
pub(crate) use wan::{WanArgs, WanSelfTestArgs};

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
    /// Late joiners of one channel, who read its newest history page and walk back, at the edge of --api; each answer is
    /// checked by payload.
    History(HistoryArgs),
    /// A bare server for `history --floor`: answers with pages that it is told on its standard input.
    FloorPages(FloorPagesArgs),
    /// The trip edge, owner, edge, beside one that ends at the edge.
    Ping(PingArgs),
    /// A relay that makes distance between whoever dials it and its target, until it is interrupted; lines on its standard
    /// input change it: `cut`, `heal`, `rtt 200ms`, `loss 2%`, `counts`.
    Wan(WanArgs),
    /// How exactly the relay delays, what it costs, and where it becomes the bottleneck.
    WanSelfTest(WanSelfTestArgs),
    /// Delivery between all pairs of regions, beside what their emulated distances alone take.
    Geo(GeoArgs),
    /// One region cut off under traffic, and the proof by payload of what became of it.
    Cut(CutArgs),
    /// Time of many connections that come back together and recover what they missed, and what that costs upstream.
    Resume(ResumeArgs),
    /// Crashes, a full disk or a cut link at random moments under load, on a mesh of its own, and the proof by payload that
    /// nothing acknowledged was lost, doubled, reordered or missed in silence.
    Chaos(ChaosArgs),
    /// The same on a mesh of several nodes, three edges and PostgreSQL: nodes join, leave, crash, stand still and are cut
    /// off; and for how long channels could not publish.
    Cluster(ClusterArgs),
}
