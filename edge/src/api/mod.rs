//! The server API: what applications call over HTTP (`server-api.md`).
//!
//! Handlers keep no state: they parse, ask upstream as a worker without sessions, and write the answer.

mod answer;
mod auth;
mod broadcast;
mod counters;
mod error;
mod history;
mod history_remove;
mod info;
mod message;
mod pages;
mod parse;
mod presence;
mod publish;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{Method as HttpMethod, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http_body_util::LengthLimitError;
use trunkline_shared::limits::API_BODY_BYTES_MAX;

use crate::ask::Asker;
use crate::config::{ApiSection, ErrorMode};
use crate::refusals::Refusals;
use answer::Answered;
pub(crate) use answer::{ClientBody, raw};
pub(crate) use counters::ApiCounters;
use error::Failure;
pub(crate) use pages::may_be_cut;
use parse::parse;

/// The server API of an edge.
#[derive(Debug)]
pub(crate) struct Api {
    asker: Asker,
    section: ApiSection,
    body_timeout: Duration,
    counters: ApiCounters,
    refusals: Refusals,
}

/// What can be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Method {
    Publish,
    Broadcast,
    History,
    HistoryRemove,
    Presence,
    PresenceStats,
    Info,
}

impl Method {
    const ALL: [Self; 7] = [
        Self::Publish,
        Self::Broadcast,
        Self::History,
        Self::HistoryRemove,
        Self::Presence,
        Self::PresenceStats,
        Self::Info,
    ];

    /// Its name in the path, and in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Broadcast => "broadcast",
            Self::History => "history",
            Self::HistoryRemove => "history_remove",
            Self::Presence => "presence",
            Self::PresenceStats => "presence_stats",
            Self::Info => "info",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

impl Api {
    /// Makes the API; a request's body must come within `body_timeout`.
    pub(crate) fn new(asker: Asker, section: ApiSection, body_timeout: Duration) -> Self {
        Self {
            asker,
            section,
            body_timeout,
            counters: ApiCounters::default(),
            refusals: Refusals::default(),
        }
    }

    /// What was called and what came of it.
    pub(crate) const fn counters(&self) -> &ApiCounters {
        &self.counters
    }

    /// The routes of the API.
    pub(crate) fn routes(self: Arc<Self>) -> Router {
        Router::new()
            .route("/api/{method}", any(handle))
            .with_state(self)
    }

    async fn call(&self, method: Method, body: &[u8]) -> Answered {
        let asker = &self.asker;
        match method {
            Method::Publish => {
                answer::result(&publish::publish(asker, parse(body)?, parse(body)?).await?)
            }
            Method::Broadcast => {
                answer::result(&broadcast::broadcast(asker, parse(body)?, parse(body)?).await?)
            }
            Method::History => answer::result(&history::history(asker, parse(body)?).await?),
            Method::HistoryRemove => {
                answer::result(&history_remove::history_remove(asker, parse(body)?).await?)
            }
            Method::Presence => answer::result(&presence::presence(asker, parse(body)?).await?),
            Method::PresenceStats => answer::result(&presence::stats(asker, parse(body)?).await?),
            Method::Info => {
                parse::object(body)?;
                answer::result(&info::info(asker).await?)
            }
        }
    }

    async fn body(&self, request: Request) -> Result<Bytes, StatusCode> {
        let read = axum::body::to_bytes(request.into_body(), API_BODY_BYTES_MAX);
        match tokio::time::timeout(self.body_timeout, read).await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(error)) if is_too_long(&error) => Err(StatusCode::PAYLOAD_TOO_LARGE),
            Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
            Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
        }
    }

    fn tell(&self, method: Method, failure: Failure) {
        match failure {
            Failure::Undecodable => self.refusals.body(method.name(), StatusCode::BAD_REQUEST),
            Failure::Error(error) => {
                let (code, message) = (error.code(), error.message());
                self.refusals.call(method.name(), code, message);
            }
        }
    }

    fn error_mode(&self, request: &Request) -> ErrorMode {
        let asked = request.headers().get("x-centrifugo-error-mode");
        if asked.is_some_and(|mode| mode == "transport") {
            ErrorMode::Transport
        } else {
            self.section.error_mode
        }
    }
}

/// One call: its method, then who calls, then what is asked.
async fn handle(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let Some(method) = Method::named(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if request.method() != HttpMethod::POST {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST")]).into_response();
    }
    if let Err(why) = auth::authorize(&api.section, request.headers(), request.uri().query()) {
        api.counters.refused(method, StatusCode::UNAUTHORIZED);
        api.refusals.key(method.name(), why);
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mode = api.error_mode(&request);
    let body = match api.body(request).await {
        Ok(body) => body,
        Err(status) => {
            api.counters.refused(method, status);
            api.refusals.body(method.name(), status);
            return status.into_response();
        }
    };
    let answered = api.call(method, &body).await;
    api.counters.answered(method, &answered);
    if let Err(failure) = &answered {
        api.tell(method, *failure);
    }
    answer::response(answered, mode)
}

fn is_too_long(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<LengthLimitError>())
}
