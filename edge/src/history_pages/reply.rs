//! Answers: a page with what caches need to know, or an error as JSON.

use axum::http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use trunkline_edge_core::worker::HistoryRefused;
use trunkline_shared::UnixMillis;

use super::query::QueryError;
use super::rendered::{Body, Rendered};
use super::trouble::Trouble;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// How a page may be kept by others.
#[derive(Clone, Copy)]
pub(super) struct Keeping {
    /// By caches that serve several users.
    pub(super) is_public: bool,
    /// Without asking again, until it ends.
    pub(super) is_immutable: bool,
    pub(super) now: UnixMillis,
}

/// Why there is an error.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("channel in the path is no name: {0}")]
    Channel(String),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Entry(#[from] HistoryRefused),
    #[error(transparent)]
    Trouble(#[from] Trouble),
    #[error("only GET, HEAD and OPTIONS are answered here")]
    Method,
}

/// Answers with a page: in the form that the client takes, or with 304 if it has it.
pub(super) fn page(page: &Rendered, request: &HeaderMap, keeping: Keeping) -> Response {
    let gzip = page.gzip.as_ref().filter(|_| accepts_gzip(request));
    let body = gzip.unwrap_or(&page.plain);
    let headers = |body: &Body| {
        [
            (ETAG, body.etag.clone()),
            (CACHE_CONTROL, cache_control(page, keeping)),
            (VARY, vary(keeping.is_public)),
        ]
    };
    if let Some(known) = known(request, page, body) {
        return (StatusCode::NOT_MODIFIED, headers(known)).into_response();
    }
    let mut response = (headers(body), [(CONTENT_TYPE, JSON)], body.bytes.clone()).into_response();
    if gzip.is_some() {
        let encoding = HeaderValue::from_static("gzip");
        response.headers_mut().insert(CONTENT_ENCODING, encoding);
    }
    response
}

fn cache_control(page: &Rendered, keeping: Keeping) -> HeaderValue {
    let scope = if keeping.is_public {
        "public"
    } else {
        "private"
    };
    let seconds = page.life.left(keeping.now);
    let text = if keeping.is_immutable && page.is_complete && seconds > 0 {
        format!("{scope}, max-age={seconds}, immutable")
    } else {
        format!("{scope}, no-cache")
    };
    HeaderValue::from_str(&text).expect("words and digits are ASCII")
}

/// What else decides about an answer, besides its address.
fn vary(is_public: bool) -> HeaderValue {
    HeaderValue::from_static(if is_public {
        "Origin, Accept-Encoding"
    } else {
        "Origin, Accept-Encoding, Authorization, X-Subscription-Token"
    })
}

/// The form in which the client says that it has the page: a cache keeps what it has under the tag that it is told.
fn known<'a>(request: &HeaderMap, page: &'a Rendered, wanted: &'a Body) -> Option<&'a Body> {
    let forms = || {
        std::iter::once(wanted)
            .chain([&page.plain])
            .chain(&page.gzip)
    };
    tokens(request, &IF_NONE_MATCH).find_map(|tag| {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        forms().find(|body| tag == "*" || body.etag == tag)
    })
}

fn accepts_gzip(request: &HeaderMap) -> bool {
    tokens(request, &ACCEPT_ENCODING).any(|token| {
        let (coding, parameters) = token.split_once(';').unwrap_or((token, ""));
        let quality = parameters.trim().strip_prefix("q=").unwrap_or("1");
        coding.trim().eq_ignore_ascii_case("gzip") && quality.parse().unwrap_or(0.0) > 0.0
    })
}

/// The values of a header that is a list.
fn tokens<'a>(request: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    request
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

impl Refused {
    fn status(&self) -> StatusCode {
        match self {
            Self::Channel(_) | Self::Query(_) | Self::Entry(HistoryRefused::ChannelName) => {
                StatusCode::BAD_REQUEST
            }
            Self::Entry(
                HistoryRefused::NoToken
                | HistoryRefused::InvalidToken
                | HistoryRefused::ExpiredToken,
            ) => StatusCode::UNAUTHORIZED,
            Self::Entry(HistoryRefused::NotPermitted) => StatusCode::FORBIDDEN,
            Self::Entry(HistoryRefused::UnknownNamespace | HistoryRefused::NoHistory)
            | Self::Trouble(Trouble::UnknownNamespace | Trouble::NoHistory | Trouble::StaleEpoch) => {
                StatusCode::NOT_FOUND
            }
            Self::Entry(HistoryRefused::NoRules) | Self::Trouble(Trouble::Away) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    /// The header that says how to do better.
    fn hint(&self) -> Option<(HeaderName, HeaderValue)> {
        let challenge = match self {
            Self::Entry(HistoryRefused::NoToken) => "Bearer",
            Self::Entry(HistoryRefused::InvalidToken | HistoryRefused::ExpiredToken) => {
                "Bearer error=\"invalid_token\""
            }
            Self::Entry(HistoryRefused::NoRules) | Self::Trouble(Trouble::Away) => {
                return Some((RETRY_AFTER, HeaderValue::from_static("1")));
            }
            Self::Method => {
                return Some((ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS")));
            }
            Self::Channel(_) | Self::Query(_) | Self::Entry(_) | Self::Trouble(_) => return None,
        };
        Some((WWW_AUTHENTICATE, HeaderValue::from_static(challenge)))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let headers = [
            (CONTENT_TYPE, JSON),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (VARY, HeaderValue::from_static("Origin")),
        ];
        let body = json!({ "error": self.to_string() }).to_string();
        let mut response = (self.status(), headers, body).into_response();
        if let Some((name, value)) = self.hint() {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
