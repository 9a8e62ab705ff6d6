//! `trunkline sub`.

use std::process::Stdio;

use serde_json::{Value, json};

use super::tool::{Tool, command, run};
use crate::harness::{Mesh, wait_until};

fn publish(mesh: &Mesh, channel: &str, data: impl Into<Value>) {
    let body = json!({ "channel": channel, "data": data.into() });
    let answer = mesh.api("edge-eu-west", "publish", &body);
    assert!(answer["result"].is_object(), "{answer}");
}

fn data(values: &[Value]) -> Vec<&Value> {
    values.iter().map(|one| &one["data"]).collect()
}

/// A subscription at ap-south that has printed what was published as 1.
fn following(mesh: &Mesh, channel: &str) -> Tool {
    publish(mesh, channel, 1);
    let url = mesh.websocket("edge-ap-south");
    let tool = Tool::start(&["sub", channel, "--since", "0", "--url", &url]);
    assert_eq!(tool.value()["data"], 1);
    tool
}

#[test]
fn a_line_has_the_channel_the_place_the_data_and_the_time() {
    let mesh = Mesh::start();
    publish(&mesh, "chat:line", "two\nlines");
    let url = mesh.websocket("edge-ap-south");
    let ended = run(&[
        "sub",
        "chat:line",
        "--since",
        "0",
        "--count",
        "1",
        "--url",
        &url,
    ]);
    ended.expect_well();
    let line = &ended.values()[0];
    let epoch = line["epoch"].as_str().expect("an epoch");
    let time = line["time"].as_u64().expect("a time");
    let expected = format!(
        r#"{{"channel":"chat:line","offset":1,"epoch":"{epoch}","data":{},"time":{time}}}"#,
        line["data"]
    );
    assert_eq!(ended.out.trim_end(), expected);
    assert_eq!(line["data"], "two\nlines");
}

#[test]
fn everything_kept_is_printed_however_much_it_is_and_then_what_follows() {
    const KEPT: u64 = 310;
    let mesh = Mesh::start();
    for number in 1..=KEPT {
        publish(&mesh, "chat:much", number);
    }
    let url = mesh.websocket("edge-ap-south");
    let tool = Tool::start(&[
        "sub",
        "chat:much",
        "--since",
        "0",
        "--count",
        "311",
        "--url",
        &url,
    ]);
    for number in 1..=KEPT {
        assert_eq!(tool.value()["data"], number);
    }
    publish(&mesh, "chat:much", KEPT + 1);
    assert_eq!(tool.value()["offset"], KEPT + 1);
}

#[test]
fn a_restarted_edge_costs_no_message_and_doubles_none() {
    let mesh = Mesh::start();
    let mut tool = following(&mesh, "chat:restart");
    let edge = mesh.again("edge-ap-south", |_| {});
    tool.expect_said("connecting again");
    publish(&mesh, "chat:restart", 2);
    assert_eq!(tool.value()["data"], 2);
    tool.expect_said("connected again");
    publish(&mesh, "chat:restart", 3);
    assert_eq!(tool.value()["offset"], 3);
    drop(edge);
    tool.expect_said("the edge closed the connection: 3001 shutdown; connecting again");
    tool.interrupt();
    assert_eq!(tool.code(), Some(0));
}

#[test]
fn what_is_not_kept_any_more_is_told() {
    let mesh = Mesh::start();
    // Ten are kept.
    for number in 1..=15 {
        publish(&mesh, "scores:gap", number);
    }
    let url = mesh.websocket("edge-us-east");
    let since = |since| {
        run(&[
            "sub",
            "scores:gap",
            "--since",
            since,
            "--count",
            "2",
            "--url",
            &url,
        ])
    };
    let ended = since("2");
    ended.expect(0, "scores:gap: offsets 3 to 5 are missing");
    assert_eq!(data(&ended.values()), [6, 7]);
    let ended = since("0");
    ended.expect_well();
    assert_eq!(data(&ended.values()), [6, 7]);
}

#[test]
fn another_epoch_is_told_and_all_of_it_printed() {
    let mesh = Mesh::start();
    publish(&mesh, "chat:epoch", 1);
    let url = mesh.websocket("edge-us-east");
    let since = [
        "sub",
        "chat:epoch",
        "--since",
        "7:old",
        "--count",
        "1",
        "--url",
        &url,
    ];
    let ended = run(&since);
    ended.expect(
        0,
        "begins anew with another epoch; what came after offset 7 of epoch old is lost",
    );
    assert_eq!(data(&ended.values()), [1]);
}

#[test]
fn a_restarted_node_begins_a_buffered_channel_anew_and_that_is_told() {
    let mesh = Mesh::start();
    let tool = following(&mesh, "live:anew");
    let _node = mesh.again("backbone-1", |_| {});
    publish(&mesh, "live:anew", 2);
    tool.expect_said("live:anew: begins anew with another epoch");
    let line = tool.value();
    assert_eq!((&line["offset"], &line["data"]), (&json!(1), &json!(2)));
}

#[test]
fn several_channels_share_a_connection() {
    let mesh = Mesh::start();
    publish(&mesh, "chat:a", "a");
    publish(&mesh, "live:b", "b");
    let url = mesh.websocket("edge-us-east");
    let ended = run(&[
        "sub", "chat:a", "live:b", "--since", "0", "--count", "2", "--url", &url,
    ]);
    ended.expect_well();
    assert_eq!(data(&ended.values()), ["a", "b"]);
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let mesh = Mesh::start();
    let url = mesh.websocket("edge-us-east");
    let mut child = command(&["sub", "chat:pipe", "--url", &url])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("trunkline starts");
    drop(child.stdout.take());
    wait_until("its end", || child.try_wait().expect("it can be asked"));
    let output = child.wait_with_output().expect("it has ended");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn refusals_have_their_code_and_words() {
    let mesh = Mesh::start();
    let url = mesh.websocket("edge-us-east");
    let gone = "ws://127.0.0.1:1";
    for (arguments, code, said) in [
        (&["nowhere:1"][..], 1, "nowhere:1: 102 unknown channel"),
        (&["#somebody"], 1, "#somebody: 103 permission denied"),
        (&["chat:1", "--token", "forged"], 1, "3500 invalid token"),
        (&["chat:1", "--since", "x"], 2, "is not an offset"),
        (
            &["chat:1", "chat:2", "--since", "1:e"],
            2,
            "--since 1:e: each channel has an epoch of its own",
        ),
        (&["chat:1", "--count", "0"], 2, "0 is not in"),
        (
            &["chat:1", "--url", gone],
            1,
            "127.0.0.1:1 can't be reached",
        ),
        (&[], 2, "<CHANNEL>"),
    ] {
        let at = if arguments.contains(&"--url") {
            &[][..]
        } else {
            &["--url", &url]
        };
        run(&[&["sub"], arguments, at].concat()).expect(code, said);
    }
}

#[test]
fn a_reader_that_does_not_read_keeps_it_from_ending_by_itself_but_not_by_a_signal() {
    const FILLS_A_PIPE: usize = 60_000;
    let mesh = Mesh::start();
    for _ in 0..3 {
        publish(&mesh, "chat:stuck", "x".repeat(FILLS_A_PIPE));
    }
    let url = mesh.websocket("edge-ap-south");
    let mut child = command(&[
        "sub",
        "chat:stuck",
        "--since",
        "0",
        "--count",
        "3",
        "--url",
        &url,
    ])
    .stdout(Stdio::piped())
    .spawn()
    .expect("trunkline starts");
    let out = child.stdout.take().expect("a pipe");
    wait_until("a full pipe", || {
        let waiting = rustix::io::ioctl_fionread(&out).expect("a pipe tells");
        (waiting >= FILLS_A_PIPE as u64).then_some(())
    });
    crate::harness::terminate(&mut child);
    assert_eq!(child.wait().expect("it has ended").code(), Some(0));
}
