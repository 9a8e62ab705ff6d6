//! The way from flags to a running node, for the binary `backbone` and for `trunkline backbone`.

use trunkline_process::{Failure, ProcessArgs, Shutdown};

use crate::config::BackboneConfig;
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
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("backbone")
        .build()
        .map_err(|error| Failure::Run(format!("runtime: {error}")))?;
    runtime.block_on(async {
        let shutdown = Shutdown::on_signals(args.exit_with_parent);
        let shutdown = shutdown.map_err(|error| Failure::Run(format!("signals: {error}")))?;
        run(config, shutdown)
            .await
            .map_err(|error| Failure::Run(error.to_string()))
    })
}
