//! The sessions of a worker, by connection.

use indexmap::IndexMap;

use super::ConnId;
use super::session::Session;

/// The sessions of a worker: looked up for every delivery, in constant time.
pub(super) type Sessions = IndexMap<ConnId, Session>;
