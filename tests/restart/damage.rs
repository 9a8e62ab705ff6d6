//! Rows of a database that somebody has damaged: what needs them fails, and the node says which they are.

use std::path::Path;

use serde_json::{Value, json};

use crate::database::store;
use crate::harness::papers::make_certificates;
use crate::harness::postgres::Postgres;
use crate::harness::process::Process;
use crate::harness::{api, own_ip, wait_until};
use crate::{edge, node_on, publish};

/// Whether the node's log says something.
fn is_logged(dir: &Path, text: &str) -> bool {
    let log = std::fs::read_to_string(dir.join("backbone-1.log"));
    log.expect("its log").contains(text)
}

fn damage_met(node: &Process) -> u64 {
    let url = format!("http://{}/metrics", node.address("admin"));
    let mut page = ureq::get(&url).call().expect("the admin port answers");
    let page = page.body_mut().read_to_string().expect("text");
    let mut lines = page.lines();
    let value = lines.find_map(|line| line.strip_prefix("trunkline_store_damage_met_total "));
    value.expect("it is shown").parse().expect("a number")
}

/// Calls the server API; returns the error's code.
fn refused(edge: &Process, method: &str, body: &Value) -> Value {
    api(&edge.address("listen"), method, body)["error"]["code"].clone()
}

#[test]
fn damaged_rows_of_a_database_are_named_in_the_log_and_counted() {
    let Some(server) = Postgres::start(own_ip(), &[]) else {
        return;
    };
    let database = server.database();
    let dir = tempfile::tempdir().expect("a directory");
    make_certificates(dir.path(), &["backbone-1"], &["eu-west/edge-1"]);
    let store = store(&server, &database);
    let first = node_on(dir.path(), &format!("{}:0", own_ip()), &store);
    let link = first.address("link");
    let edge = edge(dir.path(), &link);
    for channel in ["chat:1", "chat:2", "chat:3"] {
        assert_eq!(publish(&edge, channel, 1)["offset"], 1);
    }
    first.kill();
    let damage = "UPDATE trunkline.message SET record = '\\xdeadbeef' WHERE channel = 'chat:1'; \
        UPDATE trunkline.head SET head_offset = -5 WHERE channel = 'chat:2'";
    server.sql(&database, damage);

    let node = node_on(dir.path(), &link, &store);
    wait_until("a publish beside the damage", || {
        Some(publish(&edge, "chat:3", 2)).filter(|one| one["offset"] == 2)
    });
    assert_eq!(damage_met(&node), 0);
    let calls = [
        (
            "history",
            json!({ "channel": "chat:1", "limit": 10 }),
            "trunkline.message, channel chat:1, slot ",
        ),
        (
            "publish",
            json!({ "channel": "chat:2", "data": {} }),
            "trunkline.head, channel chat:2, slot ",
        ),
    ];
    for (method, body, line) in calls {
        let met = damage_met(&node);
        // Lines come once a second at most.
        wait_until(line, || {
            assert_eq!(refused(&edge, method, &body), 100);
            is_logged(dir.path(), line).then_some(())
        });
        assert!(damage_met(&node) > met);
    }
    assert_eq!(publish(&edge, "chat:3", 3)["offset"], 3);
}
