//! `history_remove`.

use serde_json::{Value, json};
use trunkline_edge_core::exchange::{Answer, RefusedBecause, ToUpstream};
use trunkline_shared::{Epoch, Offset};

use super::{answered, api, call, is_error, keyed, rules, unreached};

#[tokio::test]
async fn a_removal_is_asked_of_the_owner_and_answered_with_nothing() {
    let api = api(Some(rules()), keyed(), |message| {
        let ToUpstream::RemoveHistory { channel, .. } = message else {
            panic!("only a removal is asked: {message:?}")
        };
        assert_eq!(channel.as_str(), "chat:1");
        Answer::HistoryRemoved {
            epoch: Epoch::new(7),
            floor: Offset(9),
        }
    });
    let answer = call(&api, "history_remove", json!({"channel": "chat:1"})).await;
    assert_eq!(answer, json!({"result": {}}));
}

#[tokio::test]
async fn what_has_no_history_is_not_available() {
    let answer = call(
        &unreached(),
        "history_remove",
        json!({"channel": "plain:1"}),
    )
    .await;
    is_error(&answer, 108);
}

#[tokio::test]
async fn what_names_no_channel_is_refused() {
    for (channel, code) in [(json!(""), 107), (Value::Null, 107), (json!("nope:1"), 102)] {
        let answer = call(&unreached(), "history_remove", json!({"channel": channel})).await;
        is_error(&answer, code);
    }
}

#[tokio::test]
async fn a_removal_that_is_not_known_to_be_done_is_error_100() {
    let refused = Answer::Refused(RefusedBecause::Temporary);
    let answer = answered("history_remove", json!({"channel": "chat:1"}), refused).await;
    is_error(&answer, 100);
}
