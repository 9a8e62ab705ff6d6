//! The edge without I/O: sessions, subscriptions, outboxes and the way upstream.

pub mod auth;
mod convert;
pub mod exchange;
pub mod framing;
pub mod shared_publication;
pub mod upstream;
pub mod worker;
