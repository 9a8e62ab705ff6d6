//! Group A: the server API over HTTP.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trunkline_protocol::Encoding;

use super::api::Api;
use super::checks::error;
use super::client::Client;
use super::mesh::Edge;
use super::stage::Stage;
use crate::harness::wait_until;

#[test]
fn a_01_a_call_needs_the_key_in_one_of_three_places() {
    let api = Api::of(Edge::Fast);
    let calls = [
        ("info", None, 401),
        ("info", Some(("X-API-Key", "guess")), 401),
        ("info", Some(("Authorization", "apikey guess")), 401),
        ("info?api_key=guess", None, 401),
        ("info", Some(("X-API-Key", "dev")), 200),
        ("info", Some(("Authorization", "apikey dev")), 200),
        ("info?api_key=dev", None, 200),
    ];
    for (path, header, expected) in calls {
        let (status, body) = api.post(path, header, "{}");
        assert_eq!(status, expected, "{path} {header:?}: {body}");
        assert_eq!(body.is_empty(), expected == 401, "{body}");
    }
}

#[test]
fn a_02_a_get_is_405_and_a_body_that_is_not_json_400() {
    let api = Api::of(Edge::Fast);
    assert_eq!(api.get("publish"), 405);
    for body in [
        "",
        "{",
        "nonsense",
        "[]",
        "{\"channel\":1}",
        "{\"channel\":\"plain:\u{0}\"}",
    ] {
        let (status, text) = api.post("publish", Some(("X-API-Key", "dev")), body);
        assert_eq!((status, text.trim_end()), (400, "Bad Request"), "{body}");
    }
}

#[test]
fn a_03_a_publish_that_makes_no_sense_is_status_200_with_an_error() {
    let api = Api::of(Edge::Fast);
    for (body, expected) in [
        (json!({ "data": {} }), error(107, "bad request")),
        (
            json!({ "channel": "", "data": {} }),
            error(107, "bad request"),
        ),
        (
            json!({ "channel": "nosuch:a-03", "data": {} }),
            error(102, "unknown channel"),
        ),
        (
            json!({ "channel": "nosuch\u{0}:a-03", "data": {} }),
            error(102, "unknown channel"),
        ),
        (
            json!({ "channel": "plain:a-03" }),
            error(107, "bad request"),
        ),
    ] {
        assert_eq!(api.call("publish", &body), expected, "{body}");
    }
}

#[test]
fn a_03_a_nul_in_channel_tag_and_payload_goes_through_unchanged() {
    for stage in Stage::all() {
        let channel = stage.channel("open", "a-03\u{0}");
        let mut client = stage.user();
        client.ask(json!({ "subscribe": { "channel": channel } }));
        let api = Api::of(Edge::Fast);
        let (data, tags) = (json!({ "\u{0}": "a\u{0}b" }), json!({ "k\u{0}": "\u{0}v" }));
        let body = json!({ "channel": channel, "data": data, "tags": tags });
        let answer = api.call("publish", &body);
        let epoch = &answer["result"]["epoch"];
        assert_eq!(answer, json!({ "result": { "offset": 1, "epoch": epoch } }));
        let publication = json!({ "data": data, "tags": tags, "offset": 1 });
        assert_eq!(client.push(&channel), json!({ "pub": publication }));
        let history = api.call("history", &json!({ "channel": channel, "limit": 10 }));
        let kept = json!({ "publications": [publication], "epoch": epoch, "offset": 1 });
        assert_eq!(history, json!({ "result": kept }), "{stage:?}");
    }
}

#[test]
fn a_05_a_publish_is_told_its_position_where_there_is_one() {
    let api = Api::of(Edge::Fast);
    for stage in Stage::all().filter(|stage| stage.encoding == Encoding::Json) {
        // Compares the whole answer.
        let epoch = api.fill(&stage.channel("open", "a-05"), 2);
        assert!(!epoch.is_empty());
    }
    let plain = api.call("publish", &json!({ "channel": "plain:a-05", "data": null }));
    assert_eq!(plain, json!({ "result": {} }));
}

#[test]
fn a_06_a_key_is_taken_once_in_each_channel_through_whichever_edge() {
    let (near, other) = (Api::of(Edge::Fast), Api::of(Edge::Usual));
    for stage in Stage::all() {
        let channel = stage.channel("open", "a-06");
        let mut client = stage.user();
        client.ask(json!({ "subscribe": { "channel": channel } }));
        let body = |n| json!({ "channel": channel, "data": { "n": n }, "idempotency_key": "k\0ß" });
        let first = near.call("publish", &body(1));
        assert_eq!(first["result"]["offset"], 1, "{first}");
        assert_eq!(near.call("publish", &body(2)), first);
        assert_eq!(other.call("publish", &body(3)), first);
        let elsewhere = stage.channel("open", "a-06-elsewhere");
        let broadcast =
            json!({ "channels": [channel, elsewhere], "data": 4, "idempotency_key": "k\0ß" });
        let answer = other.call("broadcast", &broadcast);
        let responses = &answer["result"]["responses"];
        assert_eq!(responses[0], first);
        assert_eq!(responses[1]["result"]["offset"], 1, "{answer}");
        let publication = json!({ "data": { "n": 1 }, "offset": 1 });
        assert_eq!(client.push(&channel), json!({ "pub": publication }));
        near.publish(&channel, 2);
        let publication = json!({ "data": { "n": 2 }, "offset": 2 });
        assert_eq!(client.push(&channel), json!({ "pub": publication }));
        client.expect_silence();
    }
}

#[test]
fn a_06_a_key_in_a_channel_without_history_is_taken_once_too() {
    let mut client = Client::user(Encoding::Json, "42");
    client.ask(json!({ "subscribe": { "channel": "plain:a-06" } }));
    let api = Api::of(Edge::Fast);
    for (key, n) in [("k", 1), ("k", 2), ("l", 3)] {
        let body = json!({ "channel": "plain:a-06", "data": n, "idempotency_key": key });
        assert_eq!(api.call("publish", &body), json!({ "result": {} }));
    }
    for n in [1, 3] {
        let publication = json!({ "data": n });
        assert_eq!(client.push("plain:a-06"), json!({ "pub": publication }));
    }
}

#[test]
fn a_06_a_key_beyond_255_bytes_is_107() {
    let api = Api::of(Edge::Fast);
    for (length, is_good) in [(255, true), (256, false)] {
        let key = "k".repeat(length);
        let body = json!({ "channel": "open:a-06-long", "data": 1, "idempotency_key": key });
        let answer = api.call("publish", &body);
        assert_eq!(answer.get("result").is_some(), is_good, "{answer}");
        assert!(is_good || answer == error(107, "bad request"), "{answer}");
    }
}

#[test]
fn a_07_what_skips_history_has_no_offset_and_leaves_history_as_it_was() {
    let api = Api::of(Edge::Fast);
    for stage in Stage::all() {
        let channel = stage.channel("open", "a-07");
        let epoch = api.fill(&channel, 1);
        let mut client = stage.user();
        let positioned = json!({ "channel": channel, "positioned": true, "recoverable": true });
        let subscribed = client.ask(json!({ "subscribe": positioned }));
        assert_eq!(subscribed["subscribe"]["offset"], 1, "{subscribed}");
        let passing =
            |n| json!({ "channel": channel, "data": { "passing": n }, "skip_history": true });
        for n in [1, 2] {
            assert_eq!(api.call("publish", &passing(n)), json!({ "result": {} }));
            let publication = json!({ "data": { "passing": n } });
            assert_eq!(client.push(&channel), json!({ "pub": publication }));
        }
        let broadcast = json!({ "channels": [channel], "data": {}, "skip_history": true });
        let answer = api.call("broadcast", &broadcast);
        assert_eq!(
            answer,
            json!({ "result": { "responses": [{ "result": {} }] } })
        );
        assert_eq!(client.push(&channel), json!({ "pub": { "data": {} } }));
        let history = api.call("history", &json!({ "channel": channel, "limit": -1 }));
        assert_eq!(history["result"]["offset"], 1, "{history}");
        assert_eq!(history["result"]["epoch"], epoch.as_str());
        let kept = history["result"]["publications"].as_array().map(Vec::len);
        assert_eq!(kept, Some(1), "{history}");
        // The positioned subscription stands where it stood: the next offset is no gap.
        api.publish(&channel, 2);
        let publication = json!({ "data": { "n": 2 }, "offset": 2 });
        assert_eq!(client.push(&channel), json!({ "pub": publication }));
        client.expect_silence();
    }
}

#[test]
fn a_09_a_broadcast_answers_for_each_channel_by_itself() {
    for stage in Stage::all() {
        let channel = stage.channel("open", "a-09");
        let mut client = stage.user();
        client.ask(json!({ "subscribe": { "channel": channel } }));
        let body =
            json!({ "channels": [channel, "nosuch:a-09", "plain:a-09"], "data": { "n": 1 } });
        let answer = Api::of(Edge::Fast).call("broadcast", &body);
        let epoch = &answer["result"]["responses"][0]["result"]["epoch"];
        assert!(epoch.is_string(), "{answer}");
        let responses = [
            json!({ "result": { "offset": 1, "epoch": epoch } }),
            error(102, "unknown channel"),
            json!({ "result": {} }),
        ];
        assert_eq!(answer, json!({ "result": { "responses": responses } }));
        let publication = json!({ "data": { "n": 1 }, "offset": 1 });
        assert_eq!(client.push(&channel), json!({ "pub": publication }));
    }
}

#[test]
fn a_14_what_a_channel_has_not_is_not_available() {
    let api = Api::of(Edge::Fast);
    let body = json!({ "channel": "plain:a-14" });
    for method in ["presence", "presence_stats", "history", "history_remove"] {
        assert_eq!(
            api.call(method, &body),
            error(108, "not available"),
            "{method}"
        );
    }
}

#[test]
fn a_15_a_removal_drops_publications_and_keeps_top_and_epoch() {
    let api = Api::of(Edge::Fast);
    for stage in Stage::all().filter(|stage| stage.encoding == Encoding::Json) {
        let channel = stage.channel("open", "a-15");
        let epoch = api.fill(&channel, 3);
        let all = json!({ "channel": channel, "limit": -1 });
        let removed = api.call("history_remove", &json!({ "channel": channel }));
        assert_eq!(removed, json!({ "result": {} }));
        let history = json!({ "publications": [], "epoch": epoch, "offset": 3 });
        assert_eq!(api.call("history", &all), json!({ "result": history }));
    }
}

#[test]
fn a_16_info_names_the_edges_with_numbers() {
    let _client = Client::user(Encoding::Json, "42");
    let api = Api::of(Edge::Usual);
    // The reports of the edges come every few seconds.
    let nodes = wait_until("a report with a client", || {
        let answer = api.call("info", &json!({}));
        let nodes = answer["result"]["nodes"].as_array().cloned();
        let nodes = nodes.unwrap_or_else(|| panic!("{answer}"));
        let fast = nodes.iter().find(|node| node["name"] == "edge-fast")?;
        (nodes.len() == 2 && fast["num_clients"] != 0).then_some(nodes)
    });
    let names: BTreeSet<_> = nodes.iter().map(|node| node["name"].as_str()).collect();
    assert_eq!(
        names,
        BTreeSet::from([Some("edge-fast"), Some("edge-usual")])
    );
    nodes.iter().for_each(expect_strings_and_numbers);
}

fn expect_strings_and_numbers(node: &Value) {
    for text in ["uid", "name", "version"] {
        assert!(
            node[text].as_str().is_some_and(|text| !text.is_empty()),
            "{node}"
        );
    }
    for number in [
        "num_clients",
        "num_users",
        "num_channels",
        "num_subs",
        "uptime",
    ] {
        assert!(node[number].is_u64(), "{number} in {node}");
    }
}
