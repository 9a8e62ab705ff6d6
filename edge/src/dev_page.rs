//! What `trunkline dev` adds to an edge: a page, and tokens for whoever asks.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde::{Deserialize, Serialize};

/// What an edge serves in dev mode.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DevConfig {
    /// HTML of the page at `/`; empty (default) for none.
    pub page: String,
}

/// What the routes share.
struct Dev {
    page: String,
    secret: String,
}

#[derive(Serialize)]
struct Claims {
    sub: String,
}

#[derive(Deserialize)]
struct TokenQuery {
    user: String,
}

/// The routes of dev mode; tokens are signed with the edge's own secret.
pub(crate) fn routes(config: &DevConfig, hmac_secret_key: &str) -> Router {
    let dev = Arc::new(Dev {
        page: config.page.clone(),
        secret: hmac_secret_key.to_owned(),
    });
    let routes = Router::new().route("/dev/token", get(token));
    let routes = if dev.page.is_empty() {
        routes
    } else {
        routes.route("/", get(page))
    };
    routes.with_state(dev)
}

async fn page(State(dev): State<Arc<Dev>>) -> Html<String> {
    Html(dev.page.clone())
}

/// A connection token of the user named, without an end, as plain text.
async fn token(
    State(dev): State<Arc<Dev>>,
    Query(query): Query<TokenQuery>,
) -> Result<String, StatusCode> {
    let key = EncodingKey::from_secret(dev.secret.as_bytes());
    encode(&Header::default(), &Claims { sub: query.user }, &key)
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}
