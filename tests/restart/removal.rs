//! A history that was removed, and a node that is killed right after it said so.

use serde_json::{Value, json};

use crate::client::Client;
use crate::harness::papers::make_certificates;
use crate::harness::process::Process;
use crate::harness::{api, own_ip};
use crate::{edge, node, publish, recover};

fn call(edge: &Process, method: &str, body: &Value) -> Value {
    let answer = api(&edge.address("listen"), method, body);
    assert!(answer["error"].is_null(), "{answer}");
    answer["result"].clone()
}

#[test]
fn what_was_removed_stays_removed_over_a_kill_and_the_numbering_goes_on() {
    let dir = tempfile::tempdir().expect("a directory");
    make_certificates(dir.path(), &["backbone-1"], &["eu-west/edge-1"]);
    let first = node(dir.path(), &format!("{}:0", own_ip()));
    let link = first.address("link");
    let edge = edge(dir.path(), &link);
    let mut last = json!(null);
    (1..=3).for_each(|number| last = publish(&edge, "chat:1", number));
    let epoch = last["epoch"].clone();
    let removed = call(&edge, "history_remove", &json!({ "channel": "chat:1" }));
    first.kill();
    assert_eq!(removed, json!({}));
    let _second = node(dir.path(), &link);
    let history = call(
        &edge,
        "history",
        &json!({ "channel": "chat:1", "limit": -1 }),
    );
    assert_eq!(
        history,
        json!({ "publications": [], "epoch": epoch, "offset": 3 })
    );
    let next = publish(&edge, "chat:1", 4);
    assert_eq!(next, json!({ "offset": 4, "epoch": epoch }));
    let from = |offset| {
        recover(
            &mut Client::connect(&edge.address("listen")),
            offset,
            &epoch,
        )
    };
    let below = from(2);
    assert_ne!(below["recovered"], true, "{below}");
    let above = from(3);
    assert_eq!(above["recovered"], true, "{above}");
    assert_eq!(above["publications"][0]["offset"], 4, "{above}");
}
