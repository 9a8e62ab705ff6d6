//! What the control listener says and is told.

use axum::Json;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The mesh as it is: `GET /wan`, and `GET /dev/mesh` of each edge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MeshView {
    /// The region of the edge that was asked.
    #[serde(rename = "self", skip_serializing_if = "Option::is_none")]
    pub(crate) here: Option<String>,
    /// Whether distances are emulated, so that regions can be cut off.
    pub(crate) wan: bool,
    /// All edges, in the order of their regions.
    pub(crate) edges: Vec<EdgeView>,
}

/// One edge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EdgeView {
    pub(crate) name: String,
    pub(crate) region: String,
    /// Where its page is, without a slash at the end.
    pub(crate) url: String,
    /// The emulated round trip to the backbone; 0 when there is none.
    pub(crate) rtt_ms: f64,
    /// Whether it is cut off from the backbone.
    pub(crate) cut: bool,
}

/// Cuts a region off, or lets it back: the body of `POST /wan` and of its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    pub(crate) region: String,
    pub(crate) cut: bool,
}

/// Starts a process that has ended: the body of `POST /start` and of its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    pub(crate) name: String,
}

/// A request that isn't done: its status, and `{"error": …}`.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    error: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, error: impl ToString) -> Self {
        Self {
            status,
            error: error.to_string(),
        }
    }
}

impl From<BytesRejection> for Refusal {
    fn from(rejection: BytesRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.error }))).into_response()
    }
}
