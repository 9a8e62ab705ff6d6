//! The way from flags to a running edge, for the binary `edge` and for `trunkline edge`.

use axum::Router;
use trunkline_process::{Failure, ProcessArgs, Shutdown, abort_on_panic};

use crate::config::EdgeConfig;
use crate::error::EdgeError;
use crate::run::run;

/// Reads the configuration and runs an edge until it is asked to stop.
///
/// `dev_routes` are served to clients where `edge.dev` is set; [`Router::new`] for none.
///
/// # Errors
/// When the configuration is wrong or the edge can't start or go on.
pub fn run_with(args: &ProcessArgs, dev_routes: Router) -> Result<(), Failure> {
    let mut config = EdgeConfig::load(args.source()?)?;
    config.ready_file.clone_from(&args.ready_file);
    if let Some(dev) = &mut config.dev {
        dev.routes = dev_routes;
    }
    trunkline_telemetry::init(&config.log)
        .map_err(|error| Failure::Configuration(error.to_string()))?;
    abort_on_panic();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("edge")
        .build()
        .map_err(|error| Failure::Run(format!("runtime: {error}")))?;
    runtime.block_on(async {
        let shutdown = Shutdown::on_signals(args.exit_with_parent);
        let shutdown = shutdown.map_err(|error| Failure::Run(format!("signals: {error}")))?;
        run(config, shutdown).await.map_err(failure)
    })
}

/// Certificates that don't fit are a mistake of the configuration.
fn failure(error: EdgeError) -> Failure {
    let text = error.to_string();
    match error {
        EdgeError::Tls(_)
        | EdgeError::ClientTls(_)
        | EdgeError::NotAnEdge(_)
        | EdgeError::OtherName { .. } => Failure::Configuration(text),
        EdgeError::Io { .. }
        | EdgeError::Random(_)
        | EdgeError::WorkerEnded
        | EdgeError::UpstreamEnded => Failure::Run(text),
    }
}
