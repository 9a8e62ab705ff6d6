//! The link over real QUIC on loopback.
#![expect(clippy::unwrap_used, reason = "tests")]

mod flow;
mod forged;
mod hello;
mod life;
mod mesh;
mod raw;
mod restart;
