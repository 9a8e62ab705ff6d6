//! The SDKs that people already have, unmodified, against a mesh of real processes.

mod harness;

use harness::Mesh;
use harness::proxy::Proxy;
use harness::tools::node;
use serde_json::json;

const MESSAGES: usize = 1000;

fn a_thousand_messages_cross_regions_in_order(encoding: &str) {
    let mesh = Mesh::start();
    let (near, far) = (
        mesh.websocket("edge-ap-south"),
        mesh.websocket("edge-eu-west"),
    );
    let channel = format!("chat:across-{encoding}");
    let total = MESSAGES.to_string();
    let Some(mut script) = node("across.mjs", &[encoding, &near, &far, &channel, &total]) else {
        return;
    };
    let done = script.expect("done");
    assert_eq!(done["done"], MESSAGES);
    assert_eq!(done["last"], MESSAGES, "a new channel begins at offset 1");
    assert_eq!(done["recoverable"], true);
}

#[test]
fn a_thousand_messages_cross_regions_in_order_in_json() {
    a_thousand_messages_cross_regions_in_order("json");
}

#[test]
fn a_thousand_messages_cross_regions_in_order_in_protobuf() {
    a_thousand_messages_cross_regions_in_order("protobuf");
}

fn a_client_resumes_after_each_cut_without_loss(encoding: &str) {
    const CUTS: usize = 5;
    const BETWEEN: usize = 40;
    let mesh = Mesh::start();
    let proxy = Proxy::start(&mesh.address("edge-ap-south", "listen"));
    let url = format!("ws://{}/connection/websocket", proxy.address());
    let channel = format!("chat:resume-{encoding}");
    let total = (CUTS + 1) * BETWEEN;
    let Some(mut script) = node(
        "resume.mjs",
        &[encoding, &url, &channel, &total.to_string()],
    ) else {
        return;
    };
    script.expect("subscribed");
    let mut sequence = 0;
    let mut publish = |count: usize| {
        for _ in 0..count {
            sequence += 1;
            let body = json!({ "channel": channel, "data": { "sequence": sequence } });
            let answer = mesh.api("edge-eu-west", "publish", &body);
            assert_eq!(answer["result"]["offset"], sequence, "{answer}");
        }
    };
    publish(BETWEEN);
    for cut in 1..=CUTS {
        assert!(proxy.cut() > 0, "there was a connection to cut");
        publish(BETWEEN);
        assert_eq!(script.expect("resumed")["resumed"], cut);
    }
    assert_eq!(script.expect("done")["done"], total);
}

#[test]
fn a_json_client_resumes_after_each_cut_without_loss() {
    a_client_resumes_after_each_cut_without_loss("json");
}

#[test]
fn a_protobuf_client_resumes_after_each_cut_without_loss() {
    a_client_resumes_after_each_cut_without_loss("protobuf");
}
