//! Logging of every Trunkline process.
//!
//! The crate depends on nothing of ours.

mod subscriber;

pub use subscriber::{LogConfig, LogError, LogFormat, init};
