//! Lines about calls of the server API.

use axum::http::StatusCode;
use tracing::warn;
use trunkline_shared::limits::API_BODY_BYTES_MAX;

use super::{Reason, Refusals};

/// Why a call isn't let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefusedCall {
    /// The edge has no key.
    NotSet,
    /// The call shows no key.
    NoKey,
    /// The call shows another key.
    WrongKey,
}

impl Refusals {
    /// A call isn't let in.
    pub(crate) fn key(&self, method: &'static str, why: RefusedCall) {
        self.tell(Reason::Key, |left_out| match why {
            RefusedCall::NotSet => warn!(
                method,
                left_out, "call of the server API refused with 401: api.key is not set"
            ),
            RefusedCall::NoKey => warn!(
                method,
                left_out,
                "call of the server API refused with 401: no key in X-API-Key, Authorization: apikey, or api_key"
            ),
            RefusedCall::WrongKey => warn!(
                method,
                left_out, "call of the server API refused with 401: its key is not api.key"
            ),
        });
    }

    /// A call's body isn't taken.
    pub(crate) fn body(&self, method: &'static str, status: StatusCode) {
        self.tell(Reason::Body, |left_out| {
            let status = status.as_u16();
            match status {
                400 => warn!(
                    method,
                    left_out,
                    "call of the server API refused with 400: its body is not JSON of the method's form"
                ),
                413 => warn!(
                    method,
                    bytes_max = API_BODY_BYTES_MAX,
                    left_out,
                    "call of the server API refused with 413: its body has more than bytes_max"
                ),
                _ => warn!(
                    method,
                    status, left_out, "call of the server API refused: its body didn't come"
                ),
            }
        });
    }

    /// A call is answered with an error.
    pub(crate) fn call(&self, method: &'static str, code: u32, error: &'static str) {
        self.tell(Reason::Call, |left_out| {
            warn!(
                method,
                code, error, left_out, "call of the server API answered with an error"
            );
        });
    }
}
