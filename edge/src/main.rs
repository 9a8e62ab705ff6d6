//! An edge.

use std::process::ExitCode;

use axum::Router;
use clap::Parser;
use trunkline_process::{ProcessArgs, main_with};

/// Runs an edge of a Trunkline mesh.
#[derive(Parser)]
#[command(name = "edge", version, about)]
struct Cli {
    #[command(flatten)]
    process: ProcessArgs,
}

fn main() -> ExitCode {
    main_with(
        "edge",
        trunkline_edge::run_with(&Cli::parse().process, Router::new()),
    )
}
