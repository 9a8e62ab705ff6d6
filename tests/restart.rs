//! A node that is killed and started again under a living edge.

#[path = "restart/backup.rs"]
mod backup;
#[path = "crash/client.rs"]
mod client;
#[path = "restart/cut.rs"]
mod cut;
#[path = "restart/damage.rs"]
mod damage;
#[path = "restart/database.rs"]
mod database;
#[path = "restart/expired.rs"]
mod expired;
mod harness;
#[path = "restart/keys.rs"]
mod keys;
#[path = "restart/onlooker.rs"]
mod onlooker;
#[path = "restart/removal.rs"]
mod removal;
#[path = "restart/rules.rs"]
mod rules;

use std::path::Path;

use client::Client;
use harness::papers::{link_section, make_certificates};
use harness::process::Process;
use harness::{api, own_ip, wait_until};
use serde_json::{Value, json};

/// With such an idle time-out nothing but a reset tells an edge in time that its node was restarted.
const IDLE: &str = "idle_timeout = \"60s\"\nkeep_alive = \"3s\"";

/// What the namespaces allow: everybody may subscribe and recover.
const OPEN: &str = "allow_subscribe_for_client = true\nallow_subscribe_for_anonymous = true\nforce_recovery = true\n";

fn node(dir: &Path, link: &str) -> Process {
    node_on(dir, link, &format!("path = \"{}/store\"", dir.display()))
}

/// Starts a node; `store` are lines of the section `[store]`.
fn node_on(dir: &Path, link: &str, store: &str) -> Process {
    let config = format!(
        "[backbone]\nlisten = \"{link}\"\n[store]\n{store}\n[admin]\nlisten = \"127.0.0.1:0\"\n{}\
         [[namespace]]\nname = \"chat\"\nclass = \"durable\"\nhistory_size = 100\nhistory_ttl = \"1h\"\n{OPEN}\
         [[namespace]]\nname = \"short\"\nclass = \"durable\"\nhistory_size = 100\nhistory_ttl = \"1s\"\n{OPEN}\
         [[namespace]]\nname = \"board\"\nclass = \"buffered\"\nhistory_size = 100\nhistory_ttl = \"1s\"\n{OPEN}",
        link_section(dir, "backbone-1", IDLE),
    );
    Process::start(dir, "backbone", "backbone-1", &config)
}

fn edge(dir: &Path, link: &str) -> Process {
    let config = format!(
        "[edge]\nlisten = \"{}:0\"\nbackbones = [\"{link}\"]\ndrain_seconds = 1\n[admin]\nlisten = \"127.0.0.1:0\"\n\
         [client]\nallow_anonymous_connect_without_token = true\n[client.token]\nhmac_secret_key = \"secret\"\n[api]\nkey = \"dev\"\n{}",
        own_ip(),
        link_section(dir, "edge-1", IDLE),
    );
    Process::start(dir, "edge", "edge-1", &config)
}

/// Publishes through the server API; returns its result.
fn publish(edge: &Process, channel: &str, number: u64) -> Value {
    let body = json!({ "channel": channel, "data": { "number": number } });
    api(&edge.address("listen"), "publish", &body)["result"].clone()
}

/// Subscribes with a position that was told before; returns the result.
fn recover(client: &mut Client, offset: u64, epoch: &Value) -> Value {
    let how = json!({ "channel": "chat:1", "recover": true, "offset": offset, "epoch": epoch });
    subscribe(client, &how)
}

/// Subscribes as soon as the edge can; returns the result.
fn subscribe(client: &mut Client, how: &Value) -> Value {
    loop {
        client
            .send(&[json!({ "id": 2, "subscribe": how })])
            .expect("its connection lives");
        let reply = wait_until("a reply", || {
            let said = client.receive().expect("its connection lives");
            said.into_iter().find(|one| one["id"] == 2)
        });
        match reply.get("subscribe") {
            Some(result) => return result.clone(),
            // The edge has no link yet.
            None => assert_eq!(reply["error"]["temporary"], true, "{reply}"),
        }
    }
}

#[test]
fn a_publish_is_answered_before_the_idle_time_out_of_a_restarted_nodes_link() {
    let dir = tempfile::tempdir().expect("a directory");
    make_certificates(dir.path(), &["backbone-1"], &["eu-west/edge-1"]);
    let first = node(dir.path(), &format!("{}:0", own_ip()));
    let link = first.address("link");
    let edge = edge(dir.path(), &link);
    assert_eq!(publish(&edge, "chat:1", 1)["offset"], 1);
    first.kill();
    let _second = node(dir.path(), &link);
    // An answer within the command's deadline of 4 s: the link's end was not waited for.
    assert_eq!(publish(&edge, "chat:1", 2)["offset"], 2);
    let history = api(
        &edge.address("listen"),
        "history",
        &json!({ "channel": "chat:1", "limit": 10 }),
    );
    let numbers = history["result"]["publications"]
        .as_array()
        .expect("a list")
        .iter();
    assert_eq!(
        numbers
            .map(|one| one["data"]["number"].as_u64())
            .collect::<Vec<_>>(),
        [Some(1), Some(2)]
    );
}
