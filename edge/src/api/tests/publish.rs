//! `publish`.

use axum::http::StatusCode;
use serde_json::{Value, json};
use trunkline_edge_core::exchange::{Answer, RefusedBecause, ToUpstream};
use trunkline_shared::IdempotencyKey;

use super::{answered, api, call, is_error, keyed, position, post, published, rules, unreached};

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
    for (key, value) in [("delta", json!(true)), ("version", json!(3))] {
        let api = api(Some(rules()), keyed(), |_| Answer::Published {
            position: None,
        });
        let body = json!({"channel": "chat:1", "data": 1, key: value});
        is_error(&call(&api, "publish", body).await, 108);
        let body = json!({"channels": ["chat:1"], "data": 1, key: value});
        is_error(&call(&api, "broadcast", body).await, 108);
    }
    let off = json!({
        "channel": "chat:1", "data": 1, "idempotency_key": "", "skip_history": null, "delta": null, "version": 0,
        "version_epoch": "e",
    });
    let answer = answered("publish", off, Answer::Published { position: None }).await;
    assert_eq!(answer, json!({"result": {}}));
}

#[tokio::test]
async fn what_skips_history_says_so_upstream_and_has_no_position() {
    for skip in [true, false] {
        let api = api(Some(rules()), keyed(), move |message| {
            let ToUpstream::Publish { skip_history, .. } = message else {
                panic!("a publish")
            };
            assert_eq!(skip_history, skip);
            Answer::Published { position: None }
        });
        let body = json!({"channel": "chat:1", "data": 1, "skip_history": skip});
        let answer = call(&api, "publish", body).await;
        assert_eq!(answer, json!({"result": {}}));
        let body = json!({"channels": ["chat:1"], "data": 1, "skip_history": skip});
        let answer = call(&api, "broadcast", body).await;
        assert_eq!(answer["result"]["responses"], json!([{"result": {}}]));
    }
}

#[tokio::test]
async fn an_idempotency_key_goes_to_every_channel_with_its_message() {
    let api = api(Some(rules()), keyed(), |message| {
        let ToUpstream::Publish { key, .. } = message else {
            panic!("a publish")
        };
        let expected = IdempotencyKey::new("k\0ß".as_bytes()).expect("a good key");
        assert_eq!(key, Some(expected));
        Answer::Published {
            position: Some(position(3)),
        }
    });
    let body = json!({"channel": "chat:1", "data": 1, "idempotency_key": "k\0ß"});
    let answer = call(&api, "publish", body).await;
    assert_eq!(answer["result"]["offset"], 3);
    let body = json!({"channels": ["chat:1", "chat:2"], "data": 1, "idempotency_key": "k\0ß"});
    let answer = call(&api, "broadcast", body).await;
    assert_eq!(answer["result"]["responses"][1]["result"]["offset"], 3);
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
            json!({"channel": "chat:1", "data": 1, "idempotency_key": "k".repeat(256)}),
            107,
        ),
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
