//! Group M: publishing, history and presence by clients.

use serde_json::{Value, json};
use trunkline_protocol::Encoding;

use super::api::{Api, publications};
use super::checks::error;
use super::client::Client;
use super::mesh::Edge;
use super::stage::Stage;

/// Subscribes and publishes; both the publication's push, with what it has besides, and the empty reply come.
fn expect_own_publication(client: &mut Client, channel: &str, besides: &Value) {
    client.ask(json!({ "subscribe": { "channel": channel } }));
    let data = json!({ "text": "hello" });
    let reply = client.ask(json!({ "publish": { "channel": channel, "data": data } }));
    assert_eq!(reply, json!({ "publish": {} }));
    let mut publication = besides.clone();
    publication["data"] = data;
    publication["info"] = json!({ "user": "42", "client": client.id });
    assert_eq!(client.push(channel), json!({ "pub": publication }));
    client.expect_silence();
}

#[test]
fn m_01_a_publisher_gets_its_publication_from_a_plain_channel_without_an_offset() {
    for encoding in Encoding::ALL {
        let mut client = Client::user(encoding, "42");
        expect_own_publication(&mut client, &format!("plain:m-01-{encoding:?}"), &json!({}));
    }
}

#[test]
fn m_01_a_publisher_gets_its_publication_from_a_numbered_channel_with_its_offset() {
    for stage in Stage::all() {
        let channel = stage.channel("open", "m-01");
        expect_own_publication(&mut stage.user(), &channel, &json!({ "offset": 1 }));
    }
}

/// A subscriber of a channel with this many publications; the channel, and its epoch.
fn reader(stage: Stage, row: &str, count: u64) -> (Client, String, String) {
    let channel = stage.channel("open", row);
    let epoch = Api::of(Edge::Fast).fill(&channel, count);
    let mut client = stage.user();
    client.ask(json!({ "subscribe": { "channel": channel } }));
    (client, channel, epoch)
}

#[test]
fn m_03_history_without_a_limit_is_the_position_alone() {
    for stage in Stage::all() {
        let (mut client, channel, epoch) = reader(stage, "m-03", 3);
        let reply = client.ask(json!({ "history": { "channel": channel } }));
        let position = json!({ "publications": [], "epoch": epoch, "offset": 3 });
        assert_eq!(reply, json!({ "history": position }));
    }
}

#[test]
fn m_03_the_history_of_a_new_channel_has_every_field() {
    for stage in Stage::all() {
        let channel = stage.channel("open", "m-03-new");
        let mut client = stage.user();
        client.ask(json!({ "subscribe": { "channel": channel } }));
        let mut reply = client.ask(json!({ "history": { "channel": channel } }));
        let epoch = reply["history"]["epoch"].take();
        assert!(epoch.is_string(), "{epoch}");
        let nothing = json!({ "publications": [], "epoch": null, "offset": 0 });
        assert_eq!(reply, json!({ "history": nothing }));
    }
}

#[test]
fn m_05_history_goes_both_ways_from_a_position_and_says_the_top() {
    for stage in Stage::all() {
        let (mut client, channel, epoch) = reader(stage, "m-05", 15);
        let since = json!({ "offset": 5, "epoch": epoch });
        for (asked, numbers) in [
            (json!({ "since": since }), [6, 7, 8]),
            (json!({ "reverse": true }), [15, 14, 13]),
            (json!({ "since": since, "reverse": true }), [4, 3, 2]),
        ] {
            let mut request = asked;
            request["channel"] = channel.as_str().into();
            request["limit"] = 3.into();
            let reply = client.ask(json!({ "history": request }));
            let page =
                json!({ "publications": publications(numbers), "epoch": epoch, "offset": 15 });
            assert_eq!(reply, json!({ "history": page }), "{stage:?} {request}");
        }
    }
}

#[test]
fn m_07_two_clients_of_one_user_are_two_entries_and_one_user() {
    for stage in Stage::all() {
        let channel = stage.channel("open", "m-07");
        let subscribe = json!({ "subscribe": { "channel": channel } });
        let (mut first, mut second) = (stage.user(), stage.user());
        first.ask(subscribe.clone());
        second.ask(subscribe);
        let entry = |client: &Client| json!({ "user": "42", "client": client.id });
        let present =
            json!({ first.id.as_str(): entry(&first), second.id.as_str(): entry(&second) });
        for client in [&mut first, &mut second] {
            let reply = client.ask(json!({ "presence": { "channel": channel } }));
            assert_eq!(reply, json!({ "presence": { "presence": present } }));
            let reply = client.ask(json!({ "presence_stats": { "channel": channel } }));
            let stats = json!({ "num_clients": 2, "num_users": 1 });
            assert_eq!(reply, json!({ "presence_stats": stats }));
        }
    }
}

/// The SDKs' publish has no key; this is for apps that try again after error 100.
#[test]
fn an_rpc_publish_with_a_key_is_taken_once_and_says_where_it_stands() {
    for stage in Stage::all() {
        let channel = stage.channel("open", "rpc");
        let mut client = stage.user();
        client.ask(json!({ "subscribe": { "channel": channel } }));
        let publish = |n: u64| {
            let data = json!({ "channel": channel, "data": { "n": n }, "idempotency_key": "k" });
            json!({ "rpc": { "method": "publish", "data": data } })
        };
        let first = client.ask(publish(1));
        assert_eq!(first["rpc"]["data"]["offset"], 1, "{first}");
        let info = json!({ "user": "42", "client": client.id });
        let publication = json!({ "data": { "n": 1 }, "offset": 1, "info": info });
        assert_eq!(client.push(&channel), json!({ "pub": publication }));
        assert_eq!(client.ask(publish(2)), first);
        let mut other = Client::user_at(Edge::Usual, stage.encoding, "43");
        other.ask(json!({ "subscribe": { "channel": channel } }));
        assert_eq!(other.ask(publish(3)), first);
        client.expect_silence();
        other.expect_silence();
    }
}

#[test]
fn an_rpc_publish_is_permitted_and_refused_as_a_publish_is() {
    for encoding in Encoding::ALL {
        let mut client = Client::user(encoding, "42");
        for (params, expected) in [
            (json!({ "data": 1 }), error(107, "bad request")),
            (
                json!({ "channel": "nosuch:a", "data": 1 }),
                error(102, "unknown channel"),
            ),
            (
                json!({ "channel": "open:rpc-not-subscribed", "data": 1 }),
                error(103, "permission denied"),
            ),
        ] {
            let request = json!({ "rpc": { "method": "publish", "data": params } });
            assert_eq!(client.ask(request), expected, "{params}");
        }
    }
}
