//! Running one seed, and what came of it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use trunkline_shared::Instant;

use crate::check;
use crate::coverage::Coverage;
use crate::mesh::Mesh;
use crate::options::Options;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The check that found it.
    pub check: &'static str,
    /// When it showed.
    pub at: Instant,
    /// What it was.
    pub what: String,
}

/// What came of a seed.
#[derive(Clone, Debug)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Everything that was wrong.
    pub failures: Vec<Failure>,
    /// What happened.
    pub coverage: Coverage,
    /// What happened, in lines, if that was wanted.
    pub trace: Vec<(Instant, String)>,
    /// A number that two equal traces share; 0 without a trace.
    pub trace_hash: u64,
}

/// Runs one seed.
pub fn run(seed: u64, options: Options) -> Report {
    let mut mesh = Mesh::new(seed, options);
    let ended = catch_unwind(AssertUnwindSafe(|| mesh.run()));
    let mut failures = match ended {
        Ok(()) => check::all(&mesh.record),
        Err(panic) => vec![panicked(&mesh, panic.as_ref())],
    };
    failures.sort_by_key(|failure| failure.at);
    let (coverage, trace) = (mesh.coverage, mesh.trace);
    let trace_hash = trace.hash();
    Report {
        seed,
        failures,
        coverage,
        trace: trace.into_lines(),
        trace_hash,
    }
}

fn panicked(mesh: &Mesh, panic: &(dyn std::any::Any + Send)) -> Failure {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    Failure {
        check: "no_panic",
        at: mesh.now(),
        what: text.unwrap_or_else(|| "a machine panicked".to_owned()),
    }
}

/// Lines of a trace that are shown of what led to a failure.
const LINES: usize = 60;

/// Characters of a line that are shown.
const WIDTH: usize = 240;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {} failures", self.seed, self.failures.len())?;
        for failure in &self.failures {
            writeln!(
                f,
                "  {} at {} us: {}",
                failure.check,
                failure.at.as_micros(),
                failure.what
            )?;
        }
        let until = self
            .failures
            .first()
            .map_or(Instant::ZERO, |failure| failure.at);
        let lines: Vec<_> = self
            .trace
            .iter()
            .take_while(|(at, _)| *at <= until)
            .collect();
        for (at, line) in lines.iter().skip(lines.len().saturating_sub(LINES)) {
            writeln!(f, "  {:>12} {line:.WIDTH$}", at.as_micros())?;
        }
        write!(
            f,
            "replay it: TRUNKLINE_SEED={} cargo test -p trunkline-sim --test seeds one_seed",
            self.seed
        )
    }
}
