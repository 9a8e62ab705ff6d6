//! The way from flags to a running node, for the binary `backbone` and for `trunkline backbone`.

use trunkline_process::{Failure, ProcessArgs, Shutdown, abort_on_panic};

use crate::config::BackboneConfig;
use crate::error::RunError;
use crate::run::run;

/// Reads the configuration and runs a node until it is asked to stop.
///
/// # Errors
/// When the configuration is wrong or the node can't start or go on.
pub fn run_with(args: &ProcessArgs) -> Result<(), Failure> {
    let mut config = BackboneConfig::load(args.source()?)?;
    config.ready_file.clone_from(&args.ready_file);
    trunkline_telemetry::init(&config.log)
        .map_err(|error| Failure::Configuration(error.to_string()))?;
    abort_on_panic();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("backbone")
        .build()
        .map_err(|error| Failure::Run(format!("runtime: {error}")))?;
    let result = runtime.block_on(async {
        let shutdown = Shutdown::on_signals(args.exit_with_parent);
        let shutdown = shutdown.map_err(|error| Failure::Run(format!("signals: {error}")))?;
        run(config, shutdown).await.map_err(|error| failure(&error))
    });
    // A store's thread that hangs on its disk must not keep a process that was told to stop at once.
    runtime.shutdown_background();
    result
}

/// Certificates that don't fit are configuration, and so are namespaces.
fn failure(error: &RunError) -> Failure {
    match error {
        RunError::Tls(_) | RunError::NotANode(_) | RunError::RulesRefused(_) => {
            Failure::Configuration(error.to_string())
        }
        RunError::Store(_)
        | RunError::Postgres(_)
        | RunError::NameTaken(_)
        | RunError::Io { .. }
        | RunError::Random(_)
        | RunError::EndpointLost => Failure::Run(error.to_string()),
    }
}
