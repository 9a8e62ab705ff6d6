//! Bodies, keys, methods, statuses.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use trunkline_edge_core::exchange::{Answer, RefusedBecause};
use trunkline_process::Clock;

use super::{api, call, is_error, keyed, post, respond, rules, unreached};
use crate::api::Api;
use crate::ask::{Ask, Asker};
use crate::config::{ApiSection, ErrorMode};

#[tokio::test]
async fn bodies_that_are_no_objects_are_bad_requests() {
    let api = unreached();
    for body in [
        "",
        "[]",
        "null",
        "{",
        "{}{}",
        r#"{"channel":1}"#,
        r#"{"channel":"a","tags":[]}"#,
        "\u{feff}{}",
    ] {
        let (status, text) = post(&api, "publish", body).await;
        assert_eq!(
            (status, &text[..]),
            (StatusCode::BAD_REQUEST, &b"Bad Request\n"[..]),
            "{body}"
        );
    }
    assert_eq!(post(&api, "info", "").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_body_beyond_a_mebibyte_is_too_large() {
    let api = unreached();
    let body = |len: usize| format!("{{\"channel\":\"chat:1\",\"x\":\"{}\"}}", "x".repeat(len));
    let longest = (1 << 20) - body(0).len();
    assert_eq!(post(&api, "publish", body(longest)).await.0, StatusCode::OK);
    assert_eq!(
        post(&api, "publish", body(longest + 1)).await.0,
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[tokio::test]
async fn methods_are_checked_before_the_key_and_unknown_ones_have_no_route() {
    let api = unreached();
    let request = |method: &str, path: &str| {
        Request::builder()
            .method(method)
            .uri(path)
            .body(Body::from("{}"))
            .expect("a request")
    };
    assert_eq!(
        respond(&api, request("GET", "/api/publish")).await.0,
        StatusCode::METHOD_NOT_ALLOWED
    );
    assert_eq!(
        respond(&api, request("POST", "/api/publish")).await,
        (StatusCode::UNAUTHORIZED, Vec::new())
    );
    assert_eq!(
        respond(&api, request("POST", "/api/map_publish")).await.0,
        StatusCode::NOT_FOUND
    );
    let keyed = respond(&api, request("POST", "/api/info?api_key=key")).await;
    assert_eq!(keyed.0, StatusCode::OK);
}

#[tokio::test]
async fn transport_mode_maps_errors_to_statuses() {
    let section = ApiSection {
        error_mode: ErrorMode::Transport,
        ..keyed()
    };
    let by_config = api(Some(rules()), section, |_| {
        Answer::Refused(RefusedBecause::Temporary)
    });
    let (status, body) = post(&by_config, "publish", r#"{"channel":"chat:1","data":1}"#).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        &body[..],
        br#"{"code":100,"message":"internal server error"}"#
    );
    let request =
        Request::post("/api/publish?api_key=key").header("X-Centrifugo-Error-Mode", "transport");
    let request = request
        .body(Body::from(r#"{"channel":"nowhere:1","data":1}"#))
        .expect("a request");
    let (status, body) = respond(&unreached(), request).await;
    assert_eq!(
        (status, &body[..]),
        (
            StatusCode::NOT_FOUND,
            &br#"{"code":102,"message":"unknown channel"}"#[..]
        )
    );
}

#[tokio::test]
async fn calls_are_counted_by_method_and_outcome() {
    let api = api(Some(rules()), keyed(), |_| Answer::Published {
        position: None,
    });
    call(&api, "publish", json!({"channel": "chat:1", "data": 1})).await;
    call(&api, "publish", json!({"channel": "nowhere:1", "data": 1})).await;
    post(&api, "publish", "[]").await;
    respond(
        &api,
        Request::post("/api/info")
            .body(Body::empty())
            .expect("a request"),
    )
    .await;
    assert_eq!(
        api.counters().all(),
        [
            ("info", 401, 1),
            ("publish", 0, 1),
            ("publish", 102, 1),
            ("publish", 400, 1)
        ]
    );
}

#[tokio::test]
async fn when_the_way_upstream_is_gone_the_answer_is_temporary() {
    let (asks, _) = mpsc::unbounded_channel::<Ask>();
    let rules = watch::Sender::new(Some(Arc::new(rules()))).subscribe();
    let asker = Asker::new(asks, rules, Clock::start(), Duration::from_secs(4));
    let api = Arc::new(Api::new(asker, keyed(), Duration::from_secs(10)));
    is_error(
        &call(&api, "publish", json!({"channel": "chat:1", "data": 1})).await,
        100,
    );
}
