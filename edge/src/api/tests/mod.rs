//! The API over its router, with a scripted way upstream.

mod broadcast;
mod history_remove;
mod pages;
mod publish;
mod reads;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::Value;
use tower_service::Service;
use trunkline_edge_core::exchange::{Answer, RefusedBecause, ToUpstream};
use trunkline_shared::rules::{DataFormat, Namespace, Rules};
use trunkline_shared::{Epoch, Offset, Position};

use super::Api;
use crate::ask::scripted;
use crate::config::ApiSection;
use crate::secret::Secret;

pub(super) const KEY: &str = "key";

pub(super) fn position(offset: u64) -> Position {
    Position {
        epoch: Epoch::new(7),
        offset: Offset(offset),
    }
}

pub(super) fn rules() -> Rules {
    let kept = |name: &str| Namespace {
        name: name.to_owned(),
        history_size: 10,
        history_ttl: Duration::from_secs(60),
        presence: true,
        ..Namespace::default()
    };
    let json = Namespace {
        publication_data_format: DataFormat::JsonObject,
        ..kept("json")
    };
    let plain = Namespace {
        name: "plain".to_owned(),
        ..Namespace::default()
    };
    let long = Namespace {
        history_size: 1000,
        ..kept("long")
    };
    Rules::new(1, vec![kept(""), kept("chat"), json, plain, long]).expect("good rules")
}

/// The API over a way upstream that answers by `script`.
pub(super) fn api(
    rules: Option<Rules>,
    section: ApiSection,
    script: impl Fn(ToUpstream) -> Answer + Send + 'static,
) -> Arc<Api> {
    let asker = scripted(rules, script);
    Arc::new(Api::new(asker, section, Duration::from_secs(10)))
}

pub(super) fn keyed() -> ApiSection {
    ApiSection {
        key: Secret::new(KEY),
        ..ApiSection::default()
    }
}

pub(super) async fn respond(api: &Arc<Api>, request: Request<Body>) -> (StatusCode, Vec<u8>) {
    let response = Arc::clone(api)
        .routes()
        .call(request)
        .await
        .expect("routers don't fail");
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .expect("a body");
    (status, body.to_vec())
}

pub(super) async fn post(
    api: &Arc<Api>,
    method: &str,
    body: impl Into<Body>,
) -> (StatusCode, Vec<u8>) {
    let request = Request::post(format!("/api/{method}"))
        .header("x-api-key", KEY)
        .body(body.into());
    respond(api, request.expect("a request")).await
}

pub(super) async fn call(api: &Arc<Api>, method: &str, body: Value) -> Value {
    let (status, body) = post(api, method, body.to_string()).await;
    assert_eq!(status, StatusCode::OK);
    serde_json::from_slice(&body).expect("JSON")
}

/// Answers every request of `method` with `answer`.
pub(super) async fn answered(method: &str, body: Value, answer: Answer) -> Value {
    call(
        &api(Some(rules()), keyed(), move |_| answer.clone()),
        method,
        body,
    )
    .await
}

#[track_caller]
pub(super) fn is_error(answer: &Value, code: u32) {
    assert_eq!(answer["error"]["code"], code, "{answer}");
    assert!(answer.get("result").is_none());
}

/// Refuses everything that reaches it: for calls that must not.
pub(super) fn unreached() -> Arc<Api> {
    api(Some(rules()), keyed(), |_| {
        Answer::Refused(RefusedBecause::NotAvailable)
    })
}

pub(super) fn published(message: ToUpstream) -> trunkline_shared::Publication {
    let ToUpstream::Publish { publication, .. } = message else {
        panic!("a publish")
    };
    publication
}
