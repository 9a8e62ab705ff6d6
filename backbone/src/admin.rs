//! Admin pages of a node: metrics, health.

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::sync::watch;

use crate::metrics::Observer;

/// Media type of what [`prometheus_client`] writes.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(crate) fn router(observer: Observer, is_ready: watch::Receiver<bool>) -> Router {
    let metrics = move || {
        let observer = observer.clone();
        async move { ([(CONTENT_TYPE, OPENMETRICS)], observer.text().await).into_response() }
    };
    Router::new()
        .route("/metrics", get(metrics))
        .route("/health", get(healthy))
        .route("/health/live", get(healthy))
        .route(
            "/health/ready",
            get(move || std::future::ready(ready(*is_ready.borrow()))),
        )
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
