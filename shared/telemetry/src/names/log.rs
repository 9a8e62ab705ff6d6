//! Metrics of a process's log, the same in all processes.

use crate::Metric;

/// Log lines that couldn't be written to standard error.
pub const LINES_LOST: Metric = Metric::new(
    "trunkline_log_lines_lost",
    "Log lines that couldn't be written to standard error: the disk is full, or nobody reads any more",
);

/// All of them.
pub const ALL: &[Metric] = &[LINES_LOST];
