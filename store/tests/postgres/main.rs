//! The PostgreSQL store over a real server.

#![expect(clippy::unwrap_used, reason = "tests")]

mod failover;
mod fault;
mod heads;
mod members;
mod new_epochs;
mod open;
mod partition;
mod plan;
mod sharded;
mod suite;
mod support;
mod tls;
