//! Admin pages of a node: metrics, health.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::metrics::Observer;

/// Media type of what [`prometheus_client`] writes.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(crate) fn router(observer: Observer) -> Router {
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
            get(|| std::future::ready(r#"{"ready":true}"#)),
        )
}

/// The listener opens after the node has joined, so whoever can ask gets this answer.
fn healthy() -> std::future::Ready<&'static str> {
    std::future::ready("{}")
}
