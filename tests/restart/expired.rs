//! An idle client: every message of its channel has expired while it was away, and it has missed none of them.

use serde_json::{Value, json};

use crate::client::Client;
use crate::harness::papers::make_certificates;
use crate::harness::process::Process;
use crate::harness::{api, own_ip, wait_until};
use crate::{edge, node, publish, subscribe};

/// A client's position in a channel whose messages are kept for a second.
struct Idle {
    channel: &'static str,
    offset: u64,
    epoch: Value,
}

impl Idle {
    /// Subscribes, sees one message, and leaves.
    fn after_one_message(edge: &Process, channel: &'static str) -> Self {
        let mut client = Client::connect(&edge.address("listen"));
        let subscribed = subscribe(&mut client, &json!({ "channel": channel }));
        let epoch = subscribed["epoch"].clone();
        let mut idle = Self {
            channel,
            offset: 0,
            epoch,
        };
        idle.see_one(edge, &mut client);
        idle
    }

    /// Publishes a message, which the client is sent.
    fn see_one(&mut self, edge: &Process, client: &mut Client) {
        self.offset += 1;
        let published = publish(edge, self.channel, self.offset);
        assert_eq!(published["offset"], self.offset, "{published}");
        assert_eq!(published["epoch"], self.epoch, "{published}");
        let push = wait_until("a publication", || {
            let said = client.receive().expect("its connection lives");
            said.into_iter()
                .find(|one| one["push"].get("pub").is_some())
        });
        assert_eq!(push["push"]["pub"]["offset"], self.offset, "{push}");
    }

    /// Comes back once nothing is kept any more: it has missed nothing, is told so, and goes on.
    fn expect_nothing_missed(&mut self, edge: &Process) {
        self.wait_for_expiry(edge);
        let mut client = Client::connect(&edge.address("listen"));
        let subscribed = subscribe(
            &mut client,
            &json!({ "channel": self.channel, "recover": true, "offset": self.offset, "epoch": self.epoch }),
        );
        assert_eq!(subscribed["recovered"], true, "{subscribed}");
        assert_eq!(subscribed["epoch"], self.epoch, "{subscribed}");
        assert!(subscribed["publications"].is_null(), "{subscribed}");
        self.see_one(edge, &mut client);
    }

    /// Comes back with a position before the last message, which has expired: that one it has missed.
    fn expect_one_missed(&self, edge: &Process) {
        self.wait_for_expiry(edge);
        let mut client = Client::connect(&edge.address("listen"));
        let before = self.offset - 1;
        let subscribed = subscribe(
            &mut client,
            &json!({ "channel": self.channel, "recover": true, "offset": before, "epoch": self.epoch }),
        );
        assert_ne!(subscribed["recovered"], true, "{subscribed}");
        assert_eq!(subscribed["offset"], self.offset, "{subscribed}");
    }

    fn wait_for_expiry(&self, edge: &Process) {
        let query = json!({ "channel": self.channel, "limit": 10 });
        wait_until("the end of the history", || {
            let history = api(&edge.address("listen"), "history", &query)["result"].clone();
            let kept = history["publications"].as_array().map(Vec::len);
            // An edge that has just begun has no link yet and answers with an error.
            (history["offset"] == self.offset && kept.unwrap_or_default() == 0).then_some(())
        });
    }
}

/// Through the edge's ring, by the owner's word, and where there is a store also by what it has of the channel.
#[test]
fn an_idle_client_whose_messages_have_all_expired_has_missed_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    make_certificates(dir.path(), &["backbone-1"], &["eu-west/edge-1"]);
    let first = node(dir.path(), &format!("{}:0", own_ip()));
    let link = first.address("link");
    let same = edge(dir.path(), &link);
    let mut idle = ["short:1", "board:1"].map(|name| Idle::after_one_message(&same, name));
    for one in &mut idle {
        one.expect_nothing_missed(&same);
    }
    same.kill();
    let other = edge(dir.path(), &link);
    for one in &mut idle {
        one.expect_nothing_missed(&other);
        one.expect_one_missed(&other);
    }
    first.kill();
    other.kill();
    let _second = node(dir.path(), &link);
    let last = edge(dir.path(), &link);
    let [durable, _] = &mut idle;
    durable.expect_nothing_missed(&last);
    durable.expect_one_missed(&last);
}
