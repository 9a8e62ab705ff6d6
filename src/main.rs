//! Trunkline's command line: the parts of the mesh, and the tools around them.

mod certs;
mod cli;
mod client;
mod commands;
mod dev;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    trunkline_process::main_with("trunkline", cli::Cli::parse().command.run())
}
