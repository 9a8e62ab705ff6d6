//! The backbone node without I/O: channels, numbering, fan-out, presence.
//!
//! A node runs one [`Control`] and some [`Shard`]s; each shard owns the channels of some slots. Both are machines: input
//! and time go in, outputs come out, and nothing here reads a clock, a socket or a disk.

mod config;
mod control;
mod control_io;
mod counters;
pub mod io;
pub mod membership;
mod ownership;
mod shard;

pub use config::ShardConfig;
pub use control::Control;
pub use control_io::{ControlConfig, ControlCounters, ControlInput, ControlOutput};
pub use counters::{Counters, Gauges};
pub use membership::Membership;
pub use ownership::propose;
pub use shard::Shard;
