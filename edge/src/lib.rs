//! The edge process: sockets, HTTP, links.
//!
//! A thin shell: the machines of `trunkline-edge-core` decide, this crate carries values between them, the sockets of
//! clients and the links to nodes. Clients live on threads of their own, one [`Worker`](trunkline_edge_core::worker)
//! each; one task drives the way upstream.

mod accept;
mod admin;
mod api;
mod ask;
mod command;
mod config;
mod conn_task;
mod connection;
mod dev;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod health;
mod history_pages;
mod http;
mod links;
mod metrics;
mod origin;
mod reader;
mod refusals;
mod run;
mod secret;
mod socket;
mod this_machine;
mod timer;
mod tls;
mod upgrade;
mod upstream_task;
#[doc(hidden)]
pub mod websocket;
mod worker_thread;
#[cfg(test)]
mod worker_thread_tests;
mod workers;
mod writer;

pub use command::run_with;
pub use config::{ApiSection, EdgeConfig, EdgeSection, ErrorMode, TlsSection};
pub use dev::DevConfig;
pub use error::EdgeError;
pub use run::run;
pub use secret::Secret;
pub use this_machine::is_this_machine;
pub use tls::ClientTlsError;
