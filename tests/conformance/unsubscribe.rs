//! Group U: how a subscription ends by the client's will.

use serde_json::json;

use super::api::Api;
use super::mesh::Edge;
use super::stage::Stage;

#[test]
fn u_01_an_unsubscribe_always_succeeds() {
    for stage in Stage::all() {
        let channel = stage.channel("open", "u-01");
        let mut client = stage.user();
        client.ask(json!({ "subscribe": { "channel": channel } }));
        let never = stage.channel("open", "u-01-never");
        for channel in [&channel, &channel, &never, "nosuch:u-01"] {
            let reply = client.ask(json!({ "unsubscribe": { "channel": channel } }));
            assert_eq!(reply, json!({ "unsubscribe": {} }), "{channel}");
        }
    }
}

#[test]
fn u_02_an_unsubscribe_right_behind_its_subscribe_ends_it() {
    for stage in Stage::all() {
        let channel = stage.channel("rec", "u-02");
        let epoch = Api::of(Edge::Fast).fill(&channel, 2);
        let mut client = stage.user();
        client.send(&[
            json!({ "id": 11, "subscribe": { "channel": channel } }),
            json!({ "id": 12, "unsubscribe": { "channel": channel } }),
        ]);
        let told = json!({ "recoverable": true, "positioned": true, "epoch": epoch, "offset": 2 });
        assert_eq!(client.reply(11), json!({ "subscribe": told }));
        assert_eq!(client.reply(12), json!({ "unsubscribe": {} }));
        Api::of(Edge::Fast).publish(&channel, 3);
        client.expect_silence();
    }
}
