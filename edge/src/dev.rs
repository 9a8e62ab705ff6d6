//! Dev mode: tokens for whoever asks, and what `trunkline dev` adds.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde::{Deserialize, Serialize};

/// What an edge serves in dev mode besides tokens.
#[derive(Clone, Debug, Default)]
pub struct DevConfig {
    /// Pages and controls; default none.
    pub routes: Router,
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
    Router::new()
        .route("/dev/token", get(token))
        .with_state(Arc::from(hmac_secret_key))
        .merge(config.routes.clone())
}

/// A connection token of the user named, without an end, as plain text.
async fn token(
    State(secret): State<Arc<str>>,
    Query(query): Query<TokenQuery>,
) -> Result<String, StatusCode> {
    let key = EncodingKey::from_secret(secret.as_bytes());
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

    async fn get_text(added: Router, path: &str) -> (StatusCode, String) {
        let config = DevConfig { routes: added };
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
        let (status, token) = get_text(Router::new(), "/dev/token?user=ann").await;
        assert_eq!(status, StatusCode::OK);
        let verified = TokenVerifier::new("dev")
            .connection(&token, UnixMillis(0))
            .expect("valid");
        assert_eq!(verified.user, "ann");
    }

    #[tokio::test]
    async fn routes_that_are_added_are_served() {
        let added = || Router::new().route("/", get(|| std::future::ready("<p>")));
        assert_eq!(
            get_text(added(), "/").await,
            (StatusCode::OK, "<p>".to_owned())
        );
        assert_eq!(get_text(Router::new(), "/").await.0, StatusCode::NOT_FOUND);
    }
}
