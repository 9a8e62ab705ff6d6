//! The load driver: drives a mesh as clients do, and measures it beside a floor.
//!
//! A floor is the least that the same machine needs for the same bytes: a bare server that writes one prebuilt frame to
//! each socket, a bare database that commits batches. A figure without its floor tells more about the machine than about
//! the mesh. `docs/benchmarks.md` has the method and the figures.
//! [`wan`] puts distance between the parts of a mesh on one machine.
//!
//! The driver is one thread, so that on a small machine it leaves room for what it measures; what must keep time beside it
//! has a thread of its own.

mod api;
mod args;
mod client;
mod frame;
mod http;
mod latency;
mod metrics;
mod pace;
mod payload;
mod postgres;
pub mod postgres_server;
mod process;
mod regions;
mod report;
mod scenario;
mod signals;
mod socket;
mod target;
mod thread;
pub mod wan;

use anyhow::{Context, Result};

pub use args::Cli;
pub use report::{Figure, Report};

/// Measures what the command line asks for and prints it.
///
/// # Errors
/// When the mesh can't be reached, refuses something, or loses something on the way.
pub fn run(cli: &Cli) -> Result<()> {
    match measure(cli)? {
        Some(report) if cli.json => report.print_json(),
        Some(report) => report.print_table(),
        None => Ok(()),
    }
}

/// Measures what the command line asks for; nothing for a bare server, which others measure.
///
/// # Errors
/// As [`run`].
pub fn measure(cli: &Cli) -> Result<Option<Report>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("runtime")?;
    let scenario = scenario::run(&cli.command);
    tokio::task::LocalSet::new().block_on(&runtime, scenario)
}
