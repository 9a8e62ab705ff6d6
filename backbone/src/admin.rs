//! Admin pages of a node: metrics, health, ring.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use tokio::sync::watch;

use crate::metrics;
use crate::observer::Observer;
use crate::ring_page::RingPage;

/// Media type of what [`prometheus_client`] writes.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(crate) fn router(observer: Observer, is_ready: watch::Receiver<bool>) -> Router {
    let (of_ring, of_view) = (observer.clone(), observer.clone());
    let ring_ready = is_ready.clone();
    let metrics = move || {
        let observer = observer.clone();
        async move {
            let text = metrics::text(&observer.observe().await);
            ([(CONTENT_TYPE, OPENMETRICS)], text).into_response()
        }
    };
    Router::new()
        .route("/metrics", get(metrics))
        .route(
            "/ring",
            get(move || ring(of_ring.clone(), *ring_ready.borrow())),
        )
        .route("/ring/view", get(move || view(of_view.clone())))
        .route("/health", get(healthy))
        .route("/health/live", get(healthy))
        .route(
            "/health/ready",
            get(move || std::future::ready(ready(*is_ready.borrow()))),
        )
}

/// The ring in short, this node, and its links.
async fn ring(observer: Observer, is_ready: bool) -> Response {
    let page = RingPage::new(&observer.observe().await, is_ready);
    json_or(page, "the node stops")
}

/// The view by which the node works, whole, as the store keeps it.
async fn view(observer: Observer) -> Response {
    let membership = observer.membership().await;
    let view = membership.and_then(|membership| membership.view);
    json_or(view.as_deref(), "the node has no ring view")
}

/// The value, or 503 with the reason why there is none.
fn json_or(value: Option<impl serde::Serialize>, reason: &str) -> Response {
    match value {
        Some(value) => Json(value).into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, reason.to_owned()).into_response(),
    }
}

/// A node is ready while it is in the view and has claimed what that gave it first, whatever its store does then.
fn ready(is_ready: bool) -> (StatusCode, &'static str) {
    if is_ready {
        (StatusCode::OK, r#"{"ready":true}"#)
    } else {
        let reasons =
            r#"{"ready":false,"reasons":["not in the ring view with its slots claimed"]}"#;
        (StatusCode::SERVICE_UNAVAILABLE, reasons)
    }
}

fn healthy() -> std::future::Ready<&'static str> {
    std::future::ready("{}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_no_page() {
        assert_eq!(json_or(Some(7), "none").status(), StatusCode::OK);
        let missing = json_or(None::<u8>, "none").status();
        assert_eq!(missing, StatusCode::SERVICE_UNAVAILABLE);
    }
}
