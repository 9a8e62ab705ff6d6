//! The page that each edge shows at `/` in dev mode.

use axum::Router;
use axum::response::Html;
use axum::routing::get;

/// The page; it names the endpoints of the edge that serves it and shows how an SDK connects.
const PAGE: &str = include_str!("page.html");

/// What each edge of dev mode serves besides its own.
pub(crate) fn routes() -> Router {
    Router::new().route("/", get(|| std::future::ready(Html(PAGE))))
}
