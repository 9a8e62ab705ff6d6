//! Logging, metric names and field names of every Trunkline process.
//!
//! Names live here so that dashboards, documents and tests find each of them in one place. The crate depends on
//! nothing of ours.

pub mod fields;
mod line_limit;
mod log_output;
mod metric;
pub mod names;
mod subscriber;

pub use line_limit::LineLimit;
pub use log_output::log_lines_lost;
pub use metric::Metric;
pub use subscriber::{LogConfig, LogError, LogFormat, init};
