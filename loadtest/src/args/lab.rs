//! Flags of commands that start a mesh of their own.

use std::path::PathBuf;

use clap::Args;

/// What the mesh is started from, and where.
#[derive(Clone, Debug, Args)]
pub(crate) struct LabArgs {
    /// The executable of the mesh; without it `trunkline` beside this one.
    #[arg(long, value_name = "PATH")]
    pub(crate) trunkline: Option<PathBuf>,
    /// A new directory for everything; without it one among temporary files. It is removed at the end, but for what belongs
    /// to runs that found something.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}
