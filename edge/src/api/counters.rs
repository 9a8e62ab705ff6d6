//! What the server API counts.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;

use super::Method;
use super::answer::Answered;
use super::error::Failure;

/// Calls by method and by what came of them: 0 for a result, else the number of the error or status.
///
/// Both are of small fixed sets.
#[derive(Debug, Default)]
pub(crate) struct ApiCounters(Mutex<BTreeMap<(&'static str, u32), u64>>);

impl ApiCounters {
    /// A call was answered.
    pub(super) fn answered(&self, method: Method, answered: &Answered) {
        let outcome = match answered {
            Ok(_) => 0,
            Err(Failure::Undecodable) => u32::from(StatusCode::BAD_REQUEST.as_u16()),
            Err(Failure::Error(error)) => error.code(),
        };
        *self.lock().entry((method.name(), outcome)).or_default() += 1;
    }

    /// A call was refused before it was looked at.
    pub(super) fn refused(&self, method: Method, status: StatusCode) {
        *self
            .lock()
            .entry((method.name(), u32::from(status.as_u16())))
            .or_default() += 1;
    }

    /// All counts: method, outcome, calls.
    pub(crate) fn all(&self) -> Vec<(&'static str, u32, u64)> {
        self.lock()
            .iter()
            .map(|((method, outcome), calls)| (*method, *outcome, *calls))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(&'static str, u32), u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
