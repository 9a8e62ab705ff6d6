//! Answers of the server API: `result` or `error`, and the parts that several methods share.

use std::collections::BTreeMap;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::value::RawValue;
use trunkline_shared::{ClientInfo, Publication};

use super::error::{ApiError, Failure};
use crate::config::ErrorMode;

/// What came of a call: a whole body, or why there is none.
pub(super) type Answered = Result<Vec<u8>, Failure>;

#[derive(Serialize)]
struct ResultBody<'a, T> {
    result: &'a T,
}

#[derive(Serialize)]
struct ErrorBody {
    error: ApiError,
}

/// The body of a call that went well.
pub(super) fn result(value: &impl Serialize) -> Answered {
    serde_json::to_vec(&ResultBody { result: value }).map_err(|_| ApiError::Internal.into())
}

/// The response of a call.
pub(super) fn response(answered: Answered, mode: ErrorMode) -> Response {
    let error = match answered {
        Ok(body) => return json(StatusCode::OK, body),
        Err(Failure::Undecodable) => {
            return (StatusCode::BAD_REQUEST, "Bad Request\n").into_response();
        }
        Err(Failure::Error(error)) => error,
    };
    let (status, body) = match mode {
        ErrorMode::Body => (StatusCode::OK, serde_json::to_vec(&ErrorBody { error })),
        ErrorMode::Transport => (error.status(), serde_json::to_vec(&error)),
    };
    json(status, body.expect("numbers and text are JSON"))
}

fn json(status: StatusCode, body: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// A connection, as answers show it.
#[derive(Serialize)]
pub(crate) struct ClientBody<'a> {
    user: &'a str,
    client: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    conn_info: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chan_info: Option<&'a RawValue>,
}

impl<'a> ClientBody<'a> {
    /// Shows a connection; what of its infos isn't JSON is left out.
    pub(crate) fn new(info: &'a ClientInfo) -> Self {
        Self {
            user: &info.user,
            client: &info.client,
            conn_info: raw(info.conn_info.bytes()),
            chan_info: raw(info.chan_info.bytes()),
        }
    }
}

/// A publication, as answers show it.
#[derive(Serialize)]
pub(super) struct PublicationBody<'a> {
    /// `null` where it isn't JSON: clients of the API want the field.
    data: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b64data: Option<String>,
    offset: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<ClientBody<'a>>,
}

impl<'a> PublicationBody<'a> {
    /// Shows a publication.
    pub(super) fn new(publication: &'a Publication) -> Self {
        let bytes = publication.data.bytes();
        let data = if publication.is_json {
            raw(bytes)
        } else {
            None
        };
        Self {
            b64data: data.is_none().then(|| STANDARD.encode(bytes)),
            data,
            offset: publication.offset.0,
            tags: publication
                .tags
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect(),
            info: publication.info.as_ref().map(ClientBody::new),
        }
    }
}

/// JSON as it is; `None` for what isn't.
pub(crate) fn raw(bytes: &[u8]) -> Option<&RawValue> {
    serde_json::from_slice(bytes).ok()
}
