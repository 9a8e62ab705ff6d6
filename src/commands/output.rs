//! Standard output, which may be a pipe whose reader goes away.

use std::io::{self, Write};

use trunkline_process::Failure;

/// Prints one line at once; that nobody reads any more is no failure.
pub(super) fn print_line(line: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{line}").and_then(|()| out.flush());
    ignore_broken_pipe(written).map_err(|error| Failure::Run(format!("standard output: {error}")))
}

/// A reader that goes away has what it wanted, as `head` has.
pub(super) fn ignore_broken_pipe(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
