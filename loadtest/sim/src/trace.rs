//! What happened in a run, as lines: to compare two runs and to show what led to a failure.

use trunkline_shared::Instant;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Lines of a run; costs nothing while it is off.
#[derive(Debug)]
pub(crate) struct Trace {
    on: bool,
    lines: Vec<(Instant, String)>,
    hash: u64,
}

impl Trace {
    /// Makes an empty trace.
    pub(crate) const fn new(on: bool) -> Self {
        Self {
            on,
            lines: Vec::new(),
            hash: 0,
        }
    }

    /// Notes what happens; `line` is called only while the trace is on.
    pub(crate) fn note(&mut self, at: Instant, line: impl FnOnce() -> String) {
        if self.on {
            let line = line();
            self.hash = xxh3_64_with_seed(line.as_bytes(), self.hash ^ at.as_micros());
            self.lines.push((at, line));
        }
    }

    /// A number that two equal traces share.
    pub(crate) const fn hash(&self) -> u64 {
        self.hash
    }

    /// All lines with their times in milliseconds.
    pub(crate) fn into_lines(self) -> Vec<(Instant, String)> {
        self.lines
    }
}
