//! What an idempotency key is worth when everybody who knew of its message has been killed.

use serde_json::json;

use super::harness::papers::make_certificates;
use super::harness::{api, own_ip};
use super::{edge, node};

#[test]
fn a_publish_repeated_under_its_key_after_node_and_edge_were_killed_is_stored_once() {
    let dir = tempfile::tempdir().expect("a directory");
    make_certificates(dir.path(), &["backbone-1"], &["eu-west/edge-1"]);
    let before = node(dir.path(), &format!("{}:0", own_ip()));
    let link = before.address("link");
    let body = json!({ "channel": "chat:1", "data": "once", "idempotency_key": "order 17" });
    let first_edge = edge(dir.path(), &link);
    let first = api(&first_edge.address("listen"), "publish", &body);
    assert_eq!(first["result"]["offset"], 1, "{first}");
    first_edge.kill();
    before.kill();

    let _after = node(dir.path(), &link);
    let edge = edge(dir.path(), &link);
    let address = edge.address("listen");
    assert_eq!(api(&address, "publish", &body), first);
    let other = json!({ "channel": "chat:1", "data": "twice", "idempotency_key": "order 18" });
    assert_eq!(api(&address, "publish", &other)["result"]["offset"], 2);
    let kept = api(
        &address,
        "history",
        &json!({ "channel": "chat:1", "limit": 10 }),
    );
    let kept = kept["result"]["publications"].as_array().expect("a list");
    let data: Vec<_> = kept.iter().map(|one| &one["data"]).collect();
    assert_eq!(data, ["once", "twice"]);
}
