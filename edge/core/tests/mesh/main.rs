//! Worker, upstream and owner together, without a network: clients of two edges talk in plain JSON.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use trunkline_edge_core::worker::{self, ConnId};
use trunkline_protocol::Encoding;

use support::Mesh;

#[test]
fn a_publication_reaches_the_subscribers_of_another_edge_in_order() {
    for channel in ["chat:1", "live:1"] {
        let mut mesh = Mesh::new();
        let (near, far) = (mesh.connect(0, 1), mesh.connect(1, 1));
        mesh.subscribe(1, far, 2, channel);
        for number in 11..=15 {
            mesh.publish(0, near, number, channel);
        }
        let expected: Vec<_> = (1..=5).map(|offset| (offset, offset + 10)).collect();
        assert_eq!(mesh.pushed(1, far), expected, "{channel}");
    }
}

#[test]
fn an_ephemeral_publication_has_no_offset() {
    let mut mesh = Mesh::new();
    let (near, far) = (mesh.connect(0, 1), mesh.connect(1, 1));
    let subscribed = mesh.subscribe(1, far, 2, "cursors:1");
    assert_eq!(subscribed, json!({}));
    mesh.publish(0, near, 3, "cursors:1");
    assert_eq!(mesh.pushed(1, far), [(0, 3)]);
}

#[test]
fn a_resume_brings_exactly_what_was_missed() {
    let mut mesh = Mesh::new();
    let (near, far) = (mesh.connect(0, 1), mesh.connect(1, 1));
    let epoch = mesh.subscribe(1, far, 2, "chat:1")["epoch"].clone();
    for number in 11..=14 {
        mesh.publish(0, near, number, "chat:1");
    }
    mesh.edges[1]
        .worker
        .handle_input(mesh.now, worker::Input::Closed { conn: far });
    let again = mesh.connect(1, 2);
    let recover = json!({ "channel": "chat:1", "recover": true, "offset": 2, "epoch": epoch });
    let reply = mesh.command(1, again, &json!({ "id": 3, "subscribe": recover }));
    let result = &reply["subscribe"];
    assert_eq!(
        (&result["recovered"], &result["offset"]),
        (&json!(true), &json!(2)),
        "{reply}"
    );
    let numbers: Vec<_> = result["publications"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["data"]["number"])
        .collect();
    assert_eq!(numbers, [&json!(13), &json!(14)]);
    mesh.publish(0, near, 15, "chat:1");
    assert_eq!(mesh.pushed(1, again), [(5, 15)]);
}

#[test]
fn a_position_of_another_epoch_is_not_recovered() {
    let mut mesh = Mesh::new();
    let conn = mesh.connect(0, 1);
    mesh.publish(0, conn, 2, "chat:1");
    let recover = json!({ "channel": "chat:1", "recover": true, "offset": 0, "epoch": "_" });
    let reply = mesh.command(0, conn, &json!({ "id": 3, "subscribe": recover }));
    let result = &reply["subscribe"];
    assert_eq!(
        (result.get("recovered"), &result["was_recovering"]),
        (None, &json!(true)),
        "{reply}"
    );
    assert_eq!(result["offset"], 1);
}

#[test]
fn what_was_missed_while_the_link_was_away_comes_in_order_by_itself() {
    for channel in ["chat:1", "live:1"] {
        let mut mesh = Mesh::new();
        let (near, far) = (mesh.connect(0, 1), mesh.connect(1, 1));
        mesh.subscribe(1, far, 2, channel);
        mesh.publish(0, near, 11, channel);
        mesh.link_down(1);
        mesh.settle();
        mesh.publish(0, near, 12, channel);
        mesh.publish(0, near, 13, channel);
        assert_eq!(mesh.pushed(1, far), [(1, 11)]);
        mesh.link_up(1);
        mesh.settle();
        mesh.publish(0, near, 14, channel);
        assert_eq!(
            mesh.pushed(1, far),
            [(1, 11), (2, 12), (3, 13), (4, 14)],
            "{channel}"
        );
    }
}

#[test]
fn a_publish_that_was_under_way_when_the_link_broke_is_stored_once() {
    let mut mesh = Mesh::new();
    let (near, far) = (mesh.connect(0, 1), mesh.connect(1, 1));
    mesh.subscribe(1, far, 2, "chat:1");
    let publish = json!({ "id": 3, "publish": { "channel": "chat:1", "data": { "number": 3 } } });
    mesh.send(0, near, &publish);
    // The frame reaches the node and is committed, its answer is lost with the link.
    mesh.carry_from_edges();
    mesh.link_down(0);
    mesh.settle();
    assert_eq!(mesh.reply(0, near, &json!(3)), None);
    mesh.link_up(0);
    mesh.settle();
    assert!(
        mesh.reply(0, near, &json!(3))
            .unwrap()
            .get("publish")
            .is_some()
    );
    assert_eq!(mesh.pushed(1, far), [(1, 3)]);
    assert_eq!(mesh.shard.counters().repeats_found, 1);
}

#[test]
fn durable_channels_go_on_over_a_restart_of_the_node_and_buffered_ones_say_that_they_do_not() {
    let mut mesh = Mesh::new();
    let (near, far) = (mesh.connect(0, 1), mesh.connect(1, 1));
    mesh.subscribe(1, far, 2, "chat:1");
    mesh.subscribe(1, far, 3, "live:1");
    mesh.publish(0, near, 11, "chat:1");
    mesh.publish(0, near, 12, "live:1");
    mesh.link_down(0);
    mesh.link_down(1);
    mesh.start_node();
    mesh.publish(0, near, 13, "chat:1");
    assert_eq!(mesh.pushed(1, far), [(1, 11), (1, 12), (2, 13)]);
    mesh.now.instant = mesh.now.instant + Duration::from_secs(6);
    let now = mesh.now;
    mesh.edges[1].worker.handle_timeout(now);
    mesh.settle();
    let told = mesh.edges[1]
        .received
        .iter()
        .filter(|(_, message)| message["push"].get("unsubscribe").is_some());
    let told: Vec<_> = told
        .map(|(_, message)| &message["push"]["channel"])
        .collect();
    assert_eq!(
        told,
        [&json!("live:1")],
        "an epoch change is told with 2500"
    );
}

#[test]
fn without_a_link_a_command_is_answered_with_error_100_at_its_deadline() {
    let mut mesh = Mesh::new();
    let near = mesh.connect(0, 1);
    mesh.link_down(0);
    let publish = json!({ "id": 3, "publish": { "channel": "chat:1", "data": {} } });
    assert_eq!(mesh.command(0, near, &publish), Value::Null);
    mesh.now.instant = mesh.now.instant + Duration::from_secs(4);
    let now = mesh.now;
    mesh.edges[0].upstream.handle_timeout(now);
    mesh.edges[0].worker.handle_timeout(now);
    mesh.settle();
    let reply = mesh.reply(0, near, &json!(3)).unwrap();
    assert_eq!(
        (&reply["error"]["code"], &reply["error"]["temporary"]),
        (&json!(100), &json!(true))
    );
}

#[test]
fn presence_names_clients_of_all_edges() {
    let mut mesh = Mesh::new();
    let (near, far) = (mesh.connect(0, 1), mesh.connect(1, 1));
    mesh.subscribe(0, near, 2, "chat:1");
    mesh.subscribe(1, far, 2, "chat:1");
    let reply = mesh.command(
        0,
        near,
        &json!({ "id": 4, "presence": { "channel": "chat:1" } }),
    );
    assert_eq!(
        reply["presence"]["presence"].as_object().unwrap().len(),
        2,
        "{reply}"
    );
    mesh.edges[1]
        .worker
        .handle_input(mesh.now, worker::Input::Closed { conn: far });
    mesh.settle();
    let reply = mesh.command(
        0,
        near,
        &json!({ "id": 5, "presence_stats": { "channel": "chat:1" } }),
    );
    assert_eq!(
        reply["presence_stats"],
        json!({ "num_clients": 1, "num_users": 1 }),
        "{reply}"
    );
}

#[test]
fn unknown_channels_and_features_get_their_codes() {
    let mut mesh = Mesh::new();
    let conn = mesh.connect(0, 1);
    let code =
        |mesh: &mut Mesh, command: &Value| mesh.command(0, conn, command)["error"]["code"].clone();
    assert_eq!(
        code(
            &mut mesh,
            &json!({ "id": 2, "subscribe": { "channel": "nosuch:x" } })
        ),
        102
    );
    assert_eq!(
        code(&mut mesh, &json!({ "id": 3, "rpc": { "method": "x" } })),
        108
    );
    assert_eq!(
        code(
            &mut mesh,
            &json!({ "id": 4, "history": { "channel": "cursors:1" } })
        ),
        108
    );
    mesh.subscribe(0, conn, 5, "chat:1");
    assert_eq!(
        code(
            &mut mesh,
            &json!({ "id": 6, "subscribe": { "channel": "chat:1" } })
        ),
        105
    );
}

#[test]
fn a_first_command_other_than_connect_closes_with_3501() {
    let mut mesh = Mesh::new();
    let conn = ConnId(1);
    let open = worker::Input::Open {
        conn,
        encoding: Encoding::Json,
        sends_pings: true,
    };
    mesh.edges[0].worker.handle_input(mesh.now, open);
    mesh.command(
        0,
        conn,
        &json!({ "id": 1, "subscribe": { "channel": "chat:1" } }),
    );
    assert_eq!(mesh.edges[0].closed, [(conn, 3501)]);
}
