//! Flags of `cluster`.

use std::num::NonZeroU32;

use clap::{Args, ValueEnum};

use super::LabArgs;

/// What is done to the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClusterFault {
    /// A fourth node starts.
    Join,
    /// A node stops as planned (SIGTERM).
    Leave,
    /// kill -9 of a node, which is started again once the others have its slots.
    Kill,
    /// A node stands still for longer than its lease (SIGSTOP), then goes on.
    Freeze,
    /// A node is cut off from PostgreSQL for longer than its lease.
    CutStore,
    /// A node is cut off from one of the edges, or from all of them.
    CutEdges,
    /// Immediate shutdown of PostgreSQL, which is started again.
    Postgres,
    /// The same twice, so close together that no lease ends between.
    PostgresTwice,
    /// kill -9 of all nodes at once, which are started again.
    AllNodes,
    /// An empty database takes the place of the database, under living nodes and edges.
    StoreReplaced,
    /// All nodes, then all edges, are stopped (SIGTERM) and started again one after another.
    Rolling,
}

/// Flags of `cluster`.
#[derive(Debug, Args)]
pub(crate) struct ClusterArgs {
    /// What is done to the mesh at a random moment under load; several, with commas between, take turns on one mesh.
    #[arg(long, value_enum, value_delimiter = ',', required = true)]
    pub(crate) fault: Vec<ClusterFault>,
    /// Nodes of the mesh when nothing is broken, 1 to 3; one more where one joins.
    #[arg(long, default_value = "3", value_name = "N", value_parser = clap::value_parser!(u8).range(1..=3))]
    pub(crate) nodes: u8,
    /// Runs of each fault.
    #[arg(long, default_value = "10", value_name = "N")]
    pub(crate) runs: NonZeroU32,
    /// Draws the moments of the first run, and each further run has the next number; without it the clock gives one. It is
    /// told, and draws the same moments again, but processes are real and the rest of a run isn't the same.
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) lab: LabArgs,
}
