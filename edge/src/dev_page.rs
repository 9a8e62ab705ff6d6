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

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use tower_service::Service;
    use trunkline_edge_core::auth::TokenVerifier;
    use trunkline_shared::UnixMillis;

    use super::*;

    async fn get_text(page: &str, path: &str) -> (StatusCode, String) {
        let config = DevConfig {
            page: page.to_owned(),
        };
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let response = routes(&config, "dev")
            .call(request)
            .await
            .expect("routers don't fail");
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .expect("a body");
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }

    #[tokio::test]
    async fn a_token_is_one_that_the_edge_takes() {
        let (status, token) = get_text("", "/dev/token?user=ann").await;
        assert_eq!(status, StatusCode::OK);
        let verified = TokenVerifier::new("dev")
            .connection(&token, UnixMillis(0))
            .expect("valid");
        assert_eq!(verified.user, "ann");
    }

    #[tokio::test]
    async fn the_page_is_shown_where_there_is_one() {
        assert_eq!(
            get_text("<p>", "/").await,
            (StatusCode::OK, "<p>".to_owned())
        );
        assert_eq!(get_text("", "/").await.0, StatusCode::NOT_FOUND);
    }
}
