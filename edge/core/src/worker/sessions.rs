//! The sessions of a worker, by connection.

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use super::ConnId;
use super::session::Session;

/// A table by connection. Its hash needn't withstand anybody: the ids are ours, counted up.
pub(super) type ByConn<T> = IndexMap<ConnId, T, FxBuildHasher>;

/// The sessions of a worker: looked up for every delivery, in constant time.
pub(super) type Sessions = ByConn<Session>;
