//! What is said to the person at the terminal.

use std::fmt::Display;
use std::io::{self, Write};

/// Writes one line to standard error, and goes on where nobody takes it: the terminal is gone, or the disk is full.
pub fn tell(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
