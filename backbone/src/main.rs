//! A backbone node.

use std::process::ExitCode;

use clap::Parser;
use trunkline_process::{ProcessArgs, main_with};

/// Runs a backbone node of a Trunkline mesh.
#[derive(Parser)]
#[command(name = "backbone", version, about)]
struct Cli {
    #[command(flatten)]
    process: ProcessArgs,
}

fn main() -> ExitCode {
    main_with(
        "backbone",
        trunkline_backbone::run_with(&Cli::parse().process),
    )
}
