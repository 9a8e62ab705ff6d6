//! Distance made by hand: relays that stand between an edge and a node, or between a client and an edge, and delay, lose,
//! slow down or cut what goes through them.
//!
//! They need no rights and no other machine, and what they do is the same for the same seed and the same arrivals. A relay
//! is one link: a [`Path`] up, towards its target, and one down. Everyone who comes by a [`UdpRelay`] shares them, as hosts
//! behind one line do; who wants two links starts two relays.
//!
//! The state machine has no clock and no sockets; the relay around it is a thread of its own, so that what it delays
//! doesn't depend on how busy its caller's runtime is.

mod alarm;
mod bottleneck;
mod config;
mod file;
mod path;
mod profile;
mod schedule;
mod tcp;
mod thread;
mod udp;
pub(crate) mod units;
mod way;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use config::{PathConfig, WanConfig};
pub use file::{WanFile, WanFileError};
pub use path::{IN_FLIGHT_BYTES_MAX, Path, PathCounts};
pub use profile::{LinkProfile, ProfileError};
pub use schedule::Verdict;
pub use tcp::{CONNECTIONS_MAX, TcpCounts, TcpRelay};
pub(crate) use udp::bind as bind_udp;
pub use udp::{CLIENT_IDLE_MAX, CLIENTS_MAX, RelayCounts, UdpRelay};

/// Locks what a panic leaves whole: every change behind these locks is one assignment, one entry, or a call of a machine
/// that doesn't panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
