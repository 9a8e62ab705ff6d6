//! Names of fields in log lines, so that one idea has one name in all processes.
//!
//! `tracing` macros take field names as they are written; these constants are for those who read the lines.

/// Name of an edge.
pub const EDGE: &str = "edge";
/// Name of a backbone node.
pub const NODE: &str = "node";
/// Name of a region.
pub const REGION: &str = "region";
/// One life of a process.
pub const INCARNATION: &str = "incarnation";
/// Number of a link within a process.
pub const LINK: &str = "link";
/// An address, with its port.
pub const ADDRESS: &str = "address";
/// Number of a slot.
pub const SLOT: &str = "slot";
/// Number of a worker of an edge.
pub const WORKER: &str = "worker";
/// Number of a connection of an edge.
pub const CONN: &str = "conn";
/// What went wrong, as text.
pub const ERROR: &str = "error";
