//! History over HTTP: `GET /v1/channels/{channel}/messages`, in pages that caches may keep (`docs/history.md`).
//!
//! Who asks is checked first, by the rules of sockets. Then a page comes from the cache of the edge, or from the channel's
//! owner by one question for all who want it.

mod counters;
mod flights;
mod origins;
mod page;
mod positions;
mod query;
mod range;
mod rendered;
mod reply;
mod source;
#[cfg(test)]
mod tests;
mod trouble;

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use trunkline_edge_core::worker::{ClientConfig, HistoryGate, HistoryRefused, Tokens};
use trunkline_shared::Channel;

use crate::ask::Asker;
use crate::origin::AllowedOrigins;
pub(crate) use counters::HistoryReport;
use query::PageQuery;
use reply::{Keeping, Refused};
use source::Source;

/// Where pages are.
const PATH: &str = "/v1/channels/{channel}/messages";

/// Carries a subscription token, beside the connection token.
const SUBSCRIPTION_TOKEN: &str = "x-subscription-token";

/// The history pages of an edge.
#[derive(Debug)]
pub(crate) struct HistoryPages {
    gate: HistoryGate,
    origins: AllowedOrigins,
    source: Arc<Source>,
}

impl HistoryPages {
    /// Makes them, with so many bytes of cache.
    pub(crate) fn new(asker: Asker, client: &ClientConfig, cache_bytes: u64) -> Self {
        Self {
            gate: HistoryGate::new(client.clone()),
            origins: AllowedOrigins::new(&client.allowed_origins),
            source: Arc::new(Source::new(asker, cache_bytes)),
        }
    }

    /// What was asked and what came of it.
    pub(crate) fn report(&self) -> HistoryReport {
        self.source.report()
    }

    /// Their route.
    pub(crate) fn routes(self: Arc<Self>) -> Router {
        Router::new().route(PATH, any(handle)).with_state(self)
    }

    async fn answer(
        &self,
        path: Result<Path<String>, PathRejection>,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Response, Refused> {
        let Path(name) = path.map_err(|error| Refused::Channel(error.body_text()))?;
        let channel = Channel::parse(&name).map_err(|error| Refused::Channel(error.to_string()))?;
        let asker = self.source.asker();
        let (rules, now) = (asker.rules(), asker.now().unix);
        let tokens = tokens(headers)?;
        let admitted = self.gate.admit(rules.as_deref(), &channel, tokens, now)?;
        let query = PageQuery::parse(&pairs(uri))?;
        let page = self
            .source
            .page(&channel, admitted.namespace, &query)
            .await?;
        let keeping = Keeping {
            is_public: admitted.is_public,
            is_immutable: query.epoch.is_some(),
            now: asker.now().unix,
        };
        Ok(reply::page(&page, headers, keeping))
    }
}

async fn handle(
    State(pages): State<Arc<HistoryPages>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let mut response = if parts.method == Method::OPTIONS {
        origins::preflight()
    } else if matches!(parts.method, Method::GET | Method::HEAD) {
        let answer = pages.answer(path, &parts.uri, &parts.headers).await;
        answer.unwrap_or_else(IntoResponse::into_response)
    } else {
        Refused::Method.into_response()
    };
    pages.source.counters.answered(response.status());
    origins::allow(&pages.origins, &parts.headers, response.headers_mut());
    response
}

/// The pairs of a query, decoded; what can't be decoded stands for itself.
fn pairs(uri: &Uri) -> Vec<(String, String)> {
    Query::try_from_uri(uri).map_or_else(|_| Vec::new(), |Query(pairs)| pairs)
}

fn tokens(headers: &HeaderMap) -> Result<Tokens<'_>, HistoryRefused> {
    let connection = match headers.get(AUTHORIZATION) {
        None => "",
        Some(value) => value
            .to_str()
            .ok()
            .and_then(bearer)
            .ok_or(HistoryRefused::InvalidToken)?,
    };
    let subscription = match headers.get(SUBSCRIPTION_TOKEN) {
        None => "",
        Some(value) => value.to_str().map_err(|_| HistoryRefused::NotPermitted)?,
    };
    Ok(Tokens {
        connection,
        subscription,
    })
}

/// The token of `Bearer TOKEN`.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
