//! `trunkline top`: what the processes of a mesh do at this moment, each a line.
//!
//! It reads `/metrics` of their admin addresses every second, and `/ring` of nodes; rates are between two readings.

mod columns;
mod links;
mod nodes;
mod page;
mod poll;
mod process;
mod screen;
mod table;
mod target;

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use trunkline_process::Failure;

use super::{block_on, output};
use poll::Poll;
use process::Process;
use table::table;
use target::Targets;

/// Flags of `trunkline top`.
#[derive(Debug, Args)]
pub(crate) struct TopArgs {
    /// Admin address of a process; may be given again. Without it, all processes of `trunkline dev`.
    #[arg(long = "url", value_name = "http://HOST:PORT")]
    urls: Vec<String>,
    /// Directory of `trunkline dev`.
    #[arg(long, default_value = crate::dev::DIR, value_name = "DIR")]
    dir: PathBuf,
    /// Print once and end, as where standard output is no terminal.
    #[arg(long)]
    once: bool,
}

/// Shows the table until `q` or Ctrl-C, or prints it once.
pub(crate) fn run(args: &TopArgs) -> Result<(), Failure> {
    let targets = if args.urls.is_empty() {
        Targets::of_dev(&args.dir)?
    } else {
        Targets::of_urls(&args.urls)?
    };
    if args.once || !std::io::stdout().is_terminal() {
        return once(targets);
    }
    block_on(screen::run(Poll::start(targets)?))
}

/// The processes, the ring's members and the links between both, each a table; without nodes the first alone.
fn tables(processes: &[Process]) -> Vec<String> {
    let all = [
        table(processes),
        nodes::table(processes),
        links::table(processes),
    ];
    let shown: Vec<_> = all.into_iter().filter(|lines| !lines.is_empty()).collect();
    shown.join(&String::new())
}

/// Prints the tables of two readings.
///
/// # Errors
/// When no process answers.
fn once(targets: Targets) -> Result<(), Failure> {
    let processes = poll::twice(targets);
    tables(&processes)
        .iter()
        .try_for_each(|line| output::print_line(line))?;
    if processes.iter().any(|process| process.is_up()) {
        Ok(())
    } else {
        Err(Failure::Run("no process answers".to_owned()))
    }
}
