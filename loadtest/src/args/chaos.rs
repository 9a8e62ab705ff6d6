//! Flags of `chaos`.

use std::num::NonZeroU32;

use clap::{Args, ValueEnum};

use super::LabArgs;

/// What is done to the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// kill -9 of an edge, which is started again.
    Edge,
    /// kill -9 of the node, which is started again.
    Backbone,
    /// Immediate shutdown of PostgreSQL, which is started again.
    Postgres,
    /// All of them at once.
    All,
    /// No room on the disk of the embedded store, until there is some again.
    DiskFull,
    /// One edge's link carries nothing, until it does again.
    Link,
}

/// Where the node keeps messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StoreKind {
    /// In a directory.
    Embedded,
    /// In a PostgreSQL server of the command's own.
    Postgres,
}

/// Flags of `chaos`.
#[derive(Debug, Args)]
pub(crate) struct ChaosArgs {
    /// What is done to the mesh at a random moment under load.
    #[arg(long, value_enum)]
    pub(crate) fault: Fault,
    /// Runs, each with a mesh of its own.
    #[arg(long, default_value = "10", value_name = "N")]
    pub(crate) runs: NonZeroU32,
    /// Draws the moments of the first run, and each further run has the next number; without it the clock gives one. It is
    /// told, and draws the same moments again, but processes are real and the rest of a run isn't the same.
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,
    /// Where the node keeps messages; without it embedded, but for the fault of PostgreSQL.
    #[arg(long, value_enum)]
    pub(crate) store: Option<StoreKind>,
    #[command(flatten)]
    pub(crate) lab: LabArgs,
}

/// What a value is called on the command line.
pub(crate) fn word(value: &impl ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}
