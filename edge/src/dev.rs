//! Dev mode: tokens for whoever asks, and what `trunkline dev` adds.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use trunkline_shared::limits::INFO_BYTES_MAX;

/// What an edge serves in dev mode besides tokens.
#[derive(Clone, Debug, Default)]
pub struct DevConfig {
    /// Pages and controls; default none.
    pub routes: Router,
}

#[derive(Serialize)]
struct Claims {
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct TokenQuery {
    user: String,
    info: Option<String>,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
enum TokenRefused {
    #[error("info is no JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    #[error("info has {0} bytes; at most {INFO_BYTES_MAX} are allowed")]
    InfoTooLong(usize),
    #[error("the token can't be signed: {0}")]
    Unsigned(#[from] jsonwebtoken::errors::Error),
}

impl IntoResponse for TokenRefused {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NotJson(_) | Self::InfoTooLong(_) => StatusCode::BAD_REQUEST,
            Self::Unsigned(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, self.to_string()).into_response()
    }
}

/// The routes of dev mode; tokens are signed with the edge's own secret.
pub(crate) fn routes(config: &DevConfig, hmac_secret_key: &str) -> Router {
    Router::new()
        .route("/dev/token", get(token))
        .with_state(Arc::from(hmac_secret_key))
        .merge(config.routes.clone())
}

/// A connection token of the user named, without an end, as plain text; `info` is JSON that others see of the connection.
async fn token(
    State(secret): State<Arc<str>>,
    Query(query): Query<TokenQuery>,
) -> Result<String, TokenRefused> {
    let claims = Claims {
        sub: query.user,
        info: query.info.map(parse_info).transpose()?,
    };
    let key = EncodingKey::from_secret(secret.as_bytes());
    Ok(encode(&Header::default(), &claims, &key)?)
}

fn parse_info(text: String) -> Result<Box<RawValue>, TokenRefused> {
    if text.len() > INFO_BYTES_MAX {
        return Err(TokenRefused::InfoTooLong(text.len()));
    }
    Ok(RawValue::from_string(text)?)
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
    async fn info_is_in_the_token_when_it_is_json_of_bounded_length() {
        let path = |info: &str| format!("/dev/token?user=ann&info={info}");
        let (status, token) = get_text(Router::new(), &path("%7B%22region%22%3A1%7D")).await;
        assert_eq!(status, StatusCode::OK);
        let verified = TokenVerifier::new("dev")
            .connection(&token, UnixMillis(0))
            .expect("valid");
        assert_eq!(verified.info, "{\"region\":1}");
        for (info, expected) in [
            ("%7B".to_owned(), "info is no JSON"),
            (format!("\"{}\"", "a".repeat(4095)), "info has 4097 bytes"),
        ] {
            let (status, text) = get_text(Router::new(), &path(&info.replace('"', "%22"))).await;
            assert_eq!(status, StatusCode::BAD_REQUEST);
            assert!(text.contains(expected), "{text}");
        }
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
