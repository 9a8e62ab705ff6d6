//! `broadcast`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use trunkline_edge_core::exchange::{Answer, ToUpstream};
use trunkline_process::Clock;

use super::{api, call, is_error, keyed, position, rules, unreached};
use crate::api::Api;
use crate::ask::{Ask, Asker};

fn channels(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("chat:{number}")).collect()
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
    let body = json!({"channels": channels(1500), "data": 1});
    let answer = call(&api, "broadcast", body).await;
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

#[tokio::test]
async fn a_broadcast_to_more_than_10_000_channels_is_refused() {
    let body = json!({"channels": channels(10_001), "data": 1});
    is_error(&call(&unreached(), "broadcast", body).await, 107);
    let done = api(Some(rules()), keyed(), |_| Answer::Published {
        position: None,
    });
    let body = json!({"channels": channels(10_000), "data": 1});
    let answer = call(&done, "broadcast", body).await;
    let responses = answer["result"]["responses"].as_array();
    assert_eq!(responses.map(Vec::len), Some(10_000));
}

/// Broadcasts `data` to 2000 channels and returns how many publishes are under way before the first is answered.
async fn under_way(data: Value) -> usize {
    let (asks, mut inbox) = mpsc::unbounded_channel::<Ask>();
    let rules = watch::Sender::new(Some(Arc::new(rules()))).subscribe();
    let asker = Asker::new(asks, rules, Clock::start(), Duration::from_secs(4));
    let api = Arc::new(Api::new(asker, keyed(), Duration::from_secs(10)));
    let body = json!({"channels": channels(2000), "data": data});
    let caller = tokio::spawn(async move { call(&api, "broadcast", body).await });
    let mut open = vec![inbox.recv().await.expect("a publish")];
    // The caller has asked what it may by the time that others have their turn.
    while let Ok(ask) = inbox.try_recv() {
        open.push(ask);
        tokio::task::yield_now().await;
    }
    let under_way = open.len();
    for ask in open {
        let _ = ask.reply.send(Answer::Published { position: None });
    }
    while let Some(ask) = inbox.recv().await {
        let _ = ask.reply.send(Answer::Published { position: None });
    }
    let answer = caller.await.expect("no panic");
    let responses = answer["result"]["responses"].as_array();
    assert_eq!(responses.map(Vec::len), Some(2000));
    under_way
}

#[tokio::test]
async fn a_broadcast_has_4_mib_under_way_at_most() {
    // With its quotes it has 64 KiB.
    assert_eq!(under_way(json!("x".repeat((64 << 10) - 2))).await, 64);
    assert_eq!(under_way(json!("x".repeat((8 << 10) - 2))).await, 512);
    assert_eq!(under_way(json!(1)).await, 1024);
}
