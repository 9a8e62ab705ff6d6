//! The tools of the command line.

mod admin;
pub(crate) mod check;
mod output;
pub(crate) mod publish;
pub(crate) mod ring;
pub(crate) mod store;
pub(crate) mod subscribe;
pub(crate) mod token;
pub(crate) mod top;

use std::future::Future;

use trunkline_process::Failure;

/// Runs a tool that waits for a network; one thread is enough for it.
fn block_on<T>(tool: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Run(format!("runtime: {error}")))?;
    let result = runtime.block_on(tool);
    // A look-up of a name that hangs must not keep the process.
    runtime.shutdown_background();
    result
}
