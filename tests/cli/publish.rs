//! `trunkline pub`.

use std::process::Stdio;

use serde_json::{Value, json};

use super::tool::{Ended, Tool, command, run};
use crate::harness::{Mesh, wait_until};

fn history(mesh: &Mesh, channel: &str) -> Vec<Value> {
    let body = json!({ "channel": channel, "limit": 100 });
    let answer = mesh.api("edge-us-east", "history", &body);
    let publications = answer["result"]["publications"].as_array().expect("a list");
    publications.iter().map(|one| one["data"].clone()).collect()
}

#[test]
fn lines_of_standard_input_are_published_in_order_up_to_the_first_bad_one() {
    let mesh = Mesh::start();
    let url = mesh.websocket("edge-eu-west");
    let mut tool = Tool::start(&["pub", "chat:lines", "-", "--url", &url]);
    for line in ["1", "", "{\"b\": [2]}"] {
        tool.write(line);
    }
    // A line is published before the next one comes.
    wait_until("the second message", || {
        (history(&mesh, "chat:lines").len() == 2).then_some(())
    });
    tool.write("three");
    tool.expect_said("line 4 is not JSON: three");
    assert_eq!(tool.code(), Some(2));
    assert_eq!(
        history(&mesh, "chat:lines"),
        [json!(1), json!({ "b": [2] })]
    );
}

#[test]
fn a_refusal_names_the_line_the_channel_and_the_code() {
    let mesh = Mesh::start();
    let url = mesh.websocket("edge-eu-west");
    let mut tool = Tool::start(&["pub", "nowhere:1", "-", "--url", &url]);
    tool.write("1");
    tool.expect_said("line 1: nowhere:1: 102 unknown channel");
    assert_eq!(tool.code(), Some(1));
    run(&["pub", "nowhere:1", "1", "--url", &url]).expect(1, "nowhere:1: 102 unknown channel");
}

#[test]
fn a_message_goes_to_the_edge_that_the_environment_names_and_nothing_is_printed() {
    let mesh = Mesh::start();
    let output = command(&["pub", "chat:one", "{\n\"a\": 1}"])
        .env(
            "TRUNKLINE_URL",
            format!("ws://{}", mesh.address("edge-ap-south", "listen")),
        )
        .stdin(Stdio::null())
        .output();
    let ended = Ended::from(output.expect("trunkline starts"));
    ended.expect_well();
    assert_eq!(ended.out, "");
    assert_eq!(history(&mesh, "chat:one"), [json!({ "a": 1 })]);
}

#[test]
fn a_long_pause_between_lines_that_loses_the_connection_costs_nothing() {
    let mesh = Mesh::start();
    let url = mesh.websocket("edge-ap-south");
    let mut tool = Tool::start(&["pub", "chat:pause", "-", "--url", &url]);
    tool.write("1");
    wait_until("the first message", || {
        (history(&mesh, "chat:pause").len() == 1).then_some(())
    });
    let _edge = mesh.again("edge-ap-south", |_| {});
    tool.write("2");
    assert_eq!(tool.code(), Some(0));
    assert_eq!(history(&mesh, "chat:pause"), [json!(1), json!(2)]);
}

#[test]
fn what_makes_no_sense_is_told_before_anything_is_tried() {
    for (arguments, said) in [
        (
            &["pub", "chat:1", "hello"][..],
            "DATA is not JSON: hello; a text is written with quotes",
        ),
        (&["pub", "chat:1", ""], "DATA is not JSON: "),
        (
            &["pub", "chat:1", "1", "--url", "127.0.0.1:8000"],
            "--url 127.0.0.1:8000: must begin with ws:// or wss://",
        ),
    ] {
        let ended = run(arguments);
        ended.expect(2, said);
        assert_eq!(ended.said.lines().count(), 1, "{ended:?}");
    }
}
