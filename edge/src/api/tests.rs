//! The API over its router, with a scripted way upstream.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tower_service::Service;
use trunkline_edge_core::exchange::{Answer, RefusedBecause, ToUpstream};
use trunkline_process::Clock;
use trunkline_shared::frame::{EdgeReport, EdgeStats, HistoryQuery};
use trunkline_shared::rules::{DataFormat, Namespace, Rules};
use trunkline_shared::{ClientInfo, EdgeId, Epoch, Incarnation, Offset, Position, Region};

use super::Api;
use crate::ask::{Ask, Asker};
use crate::config::{ApiSection, ErrorMode};
use crate::secret::Secret;

const KEY: &str = "key";

fn position(offset: u64) -> Position {
    Position {
        epoch: Epoch::new(7),
        offset: Offset(offset),
    }
}

fn rules() -> Rules {
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
    Rules::new(1, vec![kept(""), kept("chat"), json, plain]).expect("good rules")
}

/// The API over a way upstream that answers by `script`.
fn api(
    rules: Option<Rules>,
    section: ApiSection,
    script: impl Fn(ToUpstream) -> Answer + Send + 'static,
) -> Arc<Api> {
    let (asks, mut inbox) = mpsc::unbounded_channel::<Ask>();
    tokio::spawn(async move {
        while let Some(ask) = inbox.recv().await {
            let _ = ask.reply.send(script(ask.message));
        }
    });
    let rules = watch::Sender::new(rules.map(Arc::new)).subscribe();
    let asker = Asker::new(asks, rules, Clock::start(), Duration::from_secs(4));
    Arc::new(Api::new(asker, section, Duration::from_secs(10)))
}

fn keyed() -> ApiSection {
    ApiSection {
        key: Secret::new(KEY),
        ..ApiSection::default()
    }
}

async fn respond(api: &Arc<Api>, request: Request<Body>) -> (StatusCode, Vec<u8>) {
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

async fn post(api: &Arc<Api>, method: &str, body: impl Into<Body>) -> (StatusCode, Vec<u8>) {
    let request = Request::post(format!("/api/{method}"))
        .header("x-api-key", KEY)
        .body(body.into());
    respond(api, request.expect("a request")).await
}

async fn call(api: &Arc<Api>, method: &str, body: Value) -> Value {
    let (status, body) = post(api, method, body.to_string()).await;
    assert_eq!(status, StatusCode::OK);
    serde_json::from_slice(&body).expect("JSON")
}

/// Answers every request of `method` with `answer`.
async fn answered(method: &str, body: Value, answer: Answer) -> Value {
    call(
        &api(Some(rules()), keyed(), move |_| answer.clone()),
        method,
        body,
    )
    .await
}

#[track_caller]
fn is_error(answer: &Value, code: u32) {
    assert_eq!(answer["error"]["code"], code, "{answer}");
    assert!(answer.get("result").is_none());
}

/// Refuses everything that reaches it: for calls that must not.
fn unreached() -> Arc<Api> {
    api(Some(rules()), keyed(), |_| {
        Answer::Refused(RefusedBecause::NotAvailable)
    })
}

fn published(message: ToUpstream) -> trunkline_shared::Publication {
    let ToUpstream::Publish { publication, .. } = message else {
        panic!("a publish")
    };
    publication
}

#[tokio::test]
async fn a_publish_answers_where_it_stands() {
    let body = json!({"channel": "chat:1", "data": {"a": 1}});
    let kept = answered(
        "publish",
        body.clone(),
        Answer::Published {
            position: Some(position(3)),
        },
    )
    .await;
    assert_eq!(
        kept,
        json!({"result": {"offset": 3, "epoch": "0000000000000007"}})
    );
    let ephemeral = answered("publish", body, Answer::Published { position: None }).await;
    assert_eq!(ephemeral, json!({"result": {}}));
}

#[tokio::test]
async fn data_is_carried_as_it_is_and_on_one_line() {
    let api = api(Some(rules()), keyed(), |message| {
        let publication = published(message);
        assert_eq!(&publication.data.bytes()[..], br#"{"x": null, "y":[null]}"#);
        assert!(
            publication.is_json
                && publication.info.is_none()
                && publication.trace.entered_micros > 0
        );
        assert_eq!(publication.tags, [("k".into(), "v".into())]);
        Answer::Published { position: None }
    });
    let body = "{\"channel\":\"chat:1\",\"unknown\":1,\"tags\":{\"k\":\"v\"},\"data\":{\"x\": null,\n \"y\":[null]}}";
    let (status, answer) = post(&api, "publish", body).await;
    assert_eq!(
        (status, &answer[..]),
        (StatusCode::OK, &br#"{"result":{}}"#[..])
    );
}

#[tokio::test]
async fn base64_wins_over_data_and_may_be_no_json() {
    let api = api(Some(rules()), keyed(), |message| {
        let publication = published(message);
        assert_eq!(
            (&publication.data.bytes()[..], publication.is_json),
            (&b"\xff\x00"[..], false)
        );
        Answer::Published { position: None }
    });
    let answer = call(
        &api,
        "publish",
        json!({"channel": "chat:1", "data": 1, "b64data": "/wA="}),
    )
    .await;
    assert_eq!(answer, json!({"result": {}}));
}

#[tokio::test]
async fn null_is_data_and_absence_is_not() {
    let done = Answer::Published { position: None };
    let null = answered(
        "publish",
        json!({"channel": "chat:1", "data": null}),
        done.clone(),
    )
    .await;
    assert_eq!(null, json!({"result": {}}));
    is_error(
        &answered("publish", json!({"channel": "chat:1"}), done).await,
        107,
    );
}

#[tokio::test]
async fn what_can_not_be_honoured_yet_is_refused_with_108() {
    for (key, value) in [
        ("idempotency_key", json!("k")),
        ("skip_history", json!(true)),
        ("delta", json!(true)),
        ("version", json!(3)),
    ] {
        let api = api(Some(rules()), keyed(), |_| Answer::Published {
            position: None,
        });
        let body = json!({"channel": "chat:1", "data": 1, key: value});
        is_error(&call(&api, "publish", body).await, 108);
        let body = json!({"channels": ["chat:1"], "data": 1, key: value});
        is_error(&call(&api, "broadcast", body).await, 108);
    }
    let off = json!({
        "channel": "chat:1", "data": 1, "idempotency_key": "", "skip_history": false, "delta": null, "version": 0,
        "version_epoch": "e",
    });
    let answer = answered("publish", off, Answer::Published { position: None }).await;
    assert_eq!(answer, json!({"result": {}}));
}

#[tokio::test]
async fn a_publish_is_checked_before_it_is_sent() {
    let api = unreached();
    let tags: Value = (0..17)
        .map(|number| (number.to_string(), json!("v")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    for (body, code) in [
        (json!({"data": 1}), 107),
        (json!({"channel": "", "data": 1}), 107),
        (json!({"channel": "x".repeat(256), "data": 1}), 107),
        (json!({"channel": "nowhere:1", "data": 1}), 102),
        (json!({"channel": "chat:1", "b64data": "?"}), 107),
        (
            json!({"channel": "chat:1", "data": "x".repeat(64 << 10)}),
            107,
        ),
        (json!({"channel": "chat:1", "data": 1, "tags": tags}), 107),
        (
            json!({"channel": "chat:1", "data": 1, "tags": {"k": "v".repeat(256)}}),
            107,
        ),
        (json!({"channel": "json:1", "data": [1]}), 107),
    ] {
        is_error(&call(&api, "publish", body).await, code);
    }
}

#[tokio::test]
async fn without_rules_everything_is_temporary() {
    let api = api(None, keyed(), |_| Answer::Published { position: None });
    for method in ["publish", "history", "presence", "presence_stats"] {
        is_error(
            &call(&api, method, json!({"channel": "chat:1", "data": 1})).await,
            100,
        );
    }
}

#[tokio::test]
async fn refusals_have_their_codes() {
    for (because, code) in [
        (RefusedBecause::Temporary, 100),
        (RefusedBecause::UnknownChannel, 102),
        (RefusedBecause::NotAvailable, 108),
    ] {
        let body = json!({"channel": "chat:1", "data": 1});
        is_error(
            &answered("publish", body, Answer::Refused(because)).await,
            code,
        );
    }
}

#[tokio::test]
async fn a_broadcast_answers_in_the_order_asked_and_one_failure_is_not_all() {
    let api = api(Some(rules()), keyed(), |message| {
        let ToUpstream::Publish { channel, .. } = message else {
            panic!("a publish")
        };
        let offset = channel.rest().parse().expect("a number");
        Answer::Published {
            position: Some(position(offset)),
        }
    });
    let channels: Vec<String> = (1..=1500).map(|number| format!("chat:{number}")).collect();
    let answer = call(&api, "broadcast", json!({"channels": channels, "data": 1})).await;
    let responses = answer["result"]["responses"].as_array().expect("an array");
    assert!(
        (1..=1500)
            .zip(responses)
            .all(|(offset, response)| response["result"]["offset"] == offset)
    );
    let body = json!({"channels": ["chat:1", "nowhere:2", ""], "data": 1});
    let answer = call(&api, "broadcast", body).await;
    let responses = &answer["result"]["responses"];
    assert_eq!(responses[0]["result"]["offset"], 1);
    assert_eq!(
        (
            &responses[1]["error"]["code"],
            &responses[2]["error"]["code"]
        ),
        (&json!(102), &json!(107))
    );
    is_error(
        &call(&api, "broadcast", json!({"channels": [], "data": 1})).await,
        107,
    );
}

fn publication(offset: u64, data: &'static [u8], is_json: bool) -> trunkline_shared::Publication {
    trunkline_shared::Publication {
        offset: Offset(offset),
        data: axum::body::Bytes::from_static(data).into(),
        is_json,
        info: (offset == 1).then(|| client("u1", "c1")),
        tags: if offset == 1 {
            vec![("k".into(), "v".into())]
        } else {
            Vec::new()
        },
        time: trunkline_shared::UnixMillis(5),
        origin: "".into(),
        trace: trunkline_shared::Trace::default(),
    }
}

fn client(user: &str, client: &str) -> ClientInfo {
    let empty = axum::body::Bytes::new;
    let info = axum::body::Bytes::from_static(b"{\"n\":1}");
    ClientInfo {
        user: user.into(),
        client: client.into(),
        conn_info: info.into(),
        chan_info: empty().into(),
    }
}

#[tokio::test]
async fn history_always_has_its_fields() {
    let empty = Answer::History {
        head: position(0),
        publications: Vec::new(),
    };
    let answer = answered("history", json!({"channel": "chat:1"}), empty).await;
    assert_eq!(
        answer,
        json!({"result": {"publications": [], "epoch": "0000000000000007", "offset": 0}})
    );
}

#[tokio::test]
async fn history_shows_publications() {
    let publications = vec![
        publication(1, b"{\"a\":1}", true),
        publication(2, b"\xff", false),
    ];
    let full = Answer::History {
        head: position(2),
        publications,
    };
    let answer = answered("history", json!({"channel": "chat:1", "limit": -1}), full).await;
    let info = json!({"user": "u1", "client": "c1", "conn_info": {"n": 1}});
    let expected = json!([
        {"data": {"a": 1}, "offset": 1, "tags": {"k": "v"}, "info": info},
        {"data": null, "b64data": "/w==", "offset": 2},
    ]);
    assert_eq!(answer["result"]["publications"], expected);
}

#[tokio::test]
async fn history_asks_for_what_is_wanted() {
    let since = |offset: u64| json!({"offset": offset, "epoch": ""});
    for (limit, since, reverse, expected) in [
        (0, Value::Null, false, HistoryQuery::Position),
        (
            5,
            Value::Null,
            false,
            HistoryQuery::Forward {
                after: Offset(0),
                limit: 5,
            },
        ),
        (
            -1,
            since(3),
            false,
            HistoryQuery::Forward {
                after: Offset(3),
                limit: u32::MAX,
            },
        ),
        (
            5,
            Value::Null,
            true,
            HistoryQuery::Backward {
                before: None,
                limit: 5,
            },
        ),
        (
            5,
            since(3),
            true,
            HistoryQuery::Backward {
                before: Some(Offset(3)),
                limit: 5,
            },
        ),
    ] {
        let api = api(Some(rules()), keyed(), move |message| {
            let ToUpstream::History { query, .. } = message else {
                panic!("a history")
            };
            assert_eq!(query, expected);
            Answer::History {
                head: position(9),
                publications: Vec::new(),
            }
        });
        let body = json!({"channel": "chat:1", "limit": limit, "since": since, "reverse": reverse});
        assert_eq!(call(&api, "history", body).await["result"]["offset"], 9);
    }
}

#[tokio::test]
async fn history_of_another_epoch_is_112_and_before_the_first_is_100() {
    let head = || Answer::History {
        head: position(9),
        publications: Vec::new(),
    };
    let body = |epoch: &str, offset: u64, reverse: bool| json!({"channel": "chat:1", "limit": 1, "since": {"offset": offset, "epoch": epoch}, "reverse": reverse});
    is_error(&answered("history", body("_", 1, false), head()).await, 112);
    is_error(&answered("history", body("", 0, true), head()).await, 100);
    let same = answered("history", body("0000000000000007", 1, false), head()).await;
    assert_eq!(same["result"]["offset"], 9);
}

#[tokio::test]
async fn a_namespace_without_the_feature_is_108() {
    let api = api(Some(rules()), keyed(), |_| Answer::Presence(Vec::new()));
    for method in ["history", "presence", "presence_stats"] {
        is_error(
            &call(&api, method, json!({"channel": "plain:1"})).await,
            108,
        );
    }
}

#[tokio::test]
async fn presence_is_by_connection_and_always_an_object() {
    let clients = Answer::Presence(vec![client("u1", "c1"), client("", "c2")]);
    let answer = answered("presence", json!({"channel": "chat:1"}), clients).await;
    let expected = json!({
        "c1": {"user": "u1", "client": "c1", "conn_info": {"n": 1}},
        "c2": {"user": "", "client": "c2", "conn_info": {"n": 1}},
    });
    assert_eq!(answer["result"]["presence"], expected);
    let empty = answered(
        "presence",
        json!({"channel": "chat:1"}),
        Answer::Presence(Vec::new()),
    )
    .await;
    assert_eq!(empty, json!({"result": {"presence": {}}}));
    let none = Answer::PresenceStats {
        clients: 0,
        users: 0,
    };
    let stats = answered("presence_stats", json!({"channel": "chat:1"}), none).await;
    assert_eq!(stats, json!({"result": {"num_clients": 0, "num_users": 0}}));
}

#[tokio::test]
async fn info_names_the_edges() {
    let stats = EdgeStats {
        clients: 1,
        users: 2,
        channels: 3,
        subscriptions: 4,
        uptime_secs: 5,
    };
    let report = EdgeReport {
        incarnation: Incarnation([0xab; 16]),
        edge: EdgeId::parse("edge-1").expect("a name"),
        region: Region::parse("eu").expect("a name"),
        stats,
    };
    let answer = answered("info", json!({}), Answer::Info(vec![report])).await;
    let expected = json!({
        "uid": "ab".repeat(16), "name": "edge-1", "version": "", "region": "eu",
        "num_clients": 1, "num_users": 2, "num_channels": 3, "num_subs": 4, "uptime": 5,
    });
    assert_eq!(answer["result"]["nodes"], json!([expected]));
}

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
