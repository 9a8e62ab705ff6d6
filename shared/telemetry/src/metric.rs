//! A metric's name with what it says.

/// The name of a metric and one sentence on what it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    /// Its name, with the prefix `trunkline_`. Counters are shown with `_total` behind it.
    pub name: &'static str,
    /// What it says, without a full stop at its end: the text format adds one.
    pub help: &'static str,
}

impl Metric {
    /// Makes one.
    pub const fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, help }
    }
}
