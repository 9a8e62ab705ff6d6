//! Health and readiness, for load balancers and for people.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::watch;

/// Why an edge isn't ready, and what else its state is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Readiness {
    /// No reason to send clients elsewhere.
    pub(crate) ready: bool,
    /// Why not; empty when ready.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) reasons: Vec<String>,
    /// The store can't be reached: durable publishes fail, everything else goes on, and the edge stays ready.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) store_away: bool,
}

impl Readiness {
    /// Ready when there is no reason against it.
    pub(crate) fn new(reasons: Vec<String>, store_away: bool) -> Self {
        Self {
            ready: reasons.is_empty(),
            reasons,
            store_away,
        }
    }
}

/// `GET /health` and `/health/live`: the process answers, whatever it depends on.
pub(crate) async fn live() -> Json<serde_json::Value> {
    Json(serde_json::json!({}))
}

/// `GET /health/ready`: 200, or 503 with the reasons.
pub(crate) fn ready(readiness: &watch::Receiver<Readiness>) -> Response {
    let readiness = readiness.borrow().clone();
    let status = if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(readiness: &Readiness, expected: &str) {
        assert_eq!(serde_json::to_string(readiness).expect("JSON"), expected);
    }

    #[test]
    fn the_body_says_why() {
        check(&Readiness::new(Vec::new(), false), r#"{"ready":true}"#);
        check(
            &Readiness::new(Vec::new(), true),
            r#"{"ready":true,"store_away":true}"#,
        );
        check(
            &Readiness::new(vec!["no rules".into()], false),
            r#"{"ready":false,"reasons":["no rules"]}"#,
        );
    }
}
