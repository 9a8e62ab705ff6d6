//! `history`, `presence`, `presence_stats` and `info`.

use serde_json::{Value, json};
use trunkline_edge_core::exchange::{Answer, ToUpstream};
use trunkline_shared::frame::{EdgeReport, EdgeStats, HistoryQuery};
use trunkline_shared::{ClientInfo, EdgeId, Incarnation, Offset, Region};

use super::{answered, api, call, is_error, keyed, position, rules};

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
        floor: Offset::ZERO,
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
        floor: Offset::ZERO,
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
                limit: 10,
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
                floor: Offset::ZERO,
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
        floor: Offset::ZERO,
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
        "uid": "ab".repeat(16), "name": "edge-1", "version": concat!("trunkline/", env!("CARGO_PKG_VERSION")), "region": "eu",
        "num_clients": 1, "num_users": 2, "num_channels": 3, "num_subs": 4, "uptime": 5,
    });
    assert_eq!(answer["result"]["nodes"], json!([expected]));
}
