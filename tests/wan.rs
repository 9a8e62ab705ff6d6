//! Distances between the edges of dev mode and the backbone: felt, cut, healed.

mod harness;

use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use harness::raw_socket::RawSocket;
use harness::{Mesh, trunkline};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

const EDGES: [&str; 3] = ["edge-eu-west", "edge-us-east", "edge-ap-south"];

/// A mesh with the distances that it has unless another is asked for.
fn far() -> Mesh {
    Mesh::start_with(&[])
}

/// Asks an edge for the mesh as it is.
fn view(mesh: &Mesh, edge: &str) -> Value {
    let url = format!("http://{}/dev/mesh", mesh.address(edge, "listen"));
    let mut response = ureq::get(&url).call().expect("the edge answers");
    response.body_mut().read_json().expect("JSON")
}

/// Asks an edge to cut or heal; its status and answer.
fn change(mesh: &Mesh, edge: &str, header: bool, body: &str) -> (u16, Value) {
    let url = format!("http://{}/dev/wan", mesh.address(edge, "listen"));
    let request = ureq::post(&url)
        .config()
        .http_status_as_error(false)
        .build();
    let request = match header {
        true => request.header("X-Trunkline-Dev", "1"),
        false => request,
    };
    let mut response = request.send(body).expect("the edge answers");
    let answer = response.body_mut().read_json().expect("JSON");
    (response.status().as_u16(), answer)
}

/// Cuts a region off, or heals it, by another region's edge.
fn set(mesh: &Mesh, region: &str, cut: bool) {
    let wanted = json!({ "region": region, "cut": cut });
    let answer = change(mesh, "edge-eu-west", true, &wanted.to_string());
    assert_eq!(answer, (200, wanted));
}

fn cut_of(mesh: &Mesh, region: &str) -> Value {
    let view = view(mesh, "edge-us-east");
    let edges = view["edges"].as_array().expect("edges");
    let edge = edges.iter().find(|edge| edge["region"] == region);
    edge.expect("the region is there")["cut"].clone()
}

/// A client that hears a channel at an edge.
fn subscriber(mesh: &Mesh, edge: &str, channel: &str) -> RawSocket {
    let mut socket = RawSocket::open(&mesh.address(edge, "listen"), "");
    socket.say(r#"{"id":1,"connect":{}}"#);
    socket.text();
    let command = json!({ "id": 2, "subscribe": { "channel": channel } });
    socket.say(&command.to_string());
    let reply = socket.text();
    assert!(reply.starts_with(r#"{"id":2,"subscribe":"#), "{reply}");
    socket
}

fn publish(mesh: &Mesh, edge: &str, channel: &str, number: u64) -> Value {
    let body = json!({ "channel": channel, "data": { "number": number } });
    mesh.api(edge, "publish", &body)
}

/// The next publication that a subscriber hears: its offset and its number.
fn heard(socket: &mut RawSocket) -> (u64, u64) {
    loop {
        let push: Value = serde_json::from_str(&socket.text()).expect("JSON");
        let publication = &push["push"]["pub"];
        let number = |value: &Value| value.as_u64();
        if let Some(both) =
            number(&publication["offset"]).zip(number(&publication["data"]["number"]))
        {
            return both;
        }
    }
}

fn dev(arguments: &[&str]) -> Output {
    trunkline()
        .arg("dev")
        .args(arguments)
        .stderr(Stdio::piped())
        .output()
        .expect("trunkline starts")
}

#[track_caller]
fn check_dev(arguments: &[&str], code: i32, expected: &str) {
    let output = dev(arguments);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    assert!(text.contains(expected), "{arguments:?}: {text}");
}

#[test]
fn a_message_takes_half_of_both_round_trips_at_least() {
    let mesh = far();
    let mut far_away = subscriber(&mesh, "edge-ap-south", "chat:far");
    let before = Instant::now();
    assert_eq!(
        publish(&mesh, "edge-eu-west", "chat:far", 1)["result"]["offset"],
        1
    );
    assert!(
        before.elapsed() >= Duration::from_millis(10),
        "there and back"
    );
    assert_eq!(heard(&mut far_away), (1, 1));
    assert!(before.elapsed() >= Duration::from_millis((10 + 150) / 2));
    let before = Instant::now();
    publish(&mesh, "edge-ap-south", "chat:far", 2);
    assert!(
        before.elapsed() >= Duration::from_millis(150),
        "there and back"
    );
}

#[test]
fn a_region_that_is_cut_off_keeps_its_clients_and_gets_what_it_missed_in_order() {
    const MISSED: u64 = 5;
    let mesh = far();
    let mut cut_off = subscriber(&mesh, "edge-ap-south", "chat:cut");
    set(&mesh, "ap-south", true);
    assert_eq!(cut_of(&mesh, "ap-south"), true);
    for number in 1..=MISSED {
        let answer = publish(&mesh, "edge-eu-west", "chat:cut", number);
        assert_eq!(answer["result"]["offset"], number, "{answer}");
    }
    let refused = publish(&mesh, "edge-ap-south", "live:cut", 1);
    assert_eq!(
        refused["error"]["code"], 100,
        "for the time being: {refused}"
    );
    cut_off.say(r#"{"id":3,"rpc":{"method":"none"}}"#);
    let reply = cut_off.text();
    assert!(
        reply.starts_with(r#"{"id":3,"error":"#),
        "nothing came before: {reply}"
    );
    set(&mesh, "ap-south", false);
    assert_eq!(cut_of(&mesh, "ap-south"), false);
    for number in 1..=MISSED {
        assert_eq!(heard(&mut cut_off), (number, number));
    }
}

#[test]
fn every_edge_tells_where_it_is_and_how_far_all_are() {
    let mesh = far();
    for edge in EDGES {
        let view = view(&mesh, edge);
        let region = edge.trim_start_matches("edge-");
        assert_eq!(
            (&view["self"], &view["wan"]),
            (&json!(region), &json!(true))
        );
        let edges = view["edges"].as_array().expect("edges");
        for ((told, name), rtt) in edges.iter().zip(EDGES).zip([10.0, 80.0, 150.0]) {
            let url = format!("http://{}", mesh.address(name, "listen"));
            let region = name.trim_start_matches("edge-");
            let expected =
                json!({ "name": name, "region": region, "url": url, "rtt_ms": rtt, "cut": false });
            assert_eq!(told, &expected);
        }
        assert_eq!(edges.len(), 3);
    }
}

#[test]
fn what_another_site_could_send_is_refused_and_cuts_nothing() {
    let mesh = far();
    let cut = r#"{"region":"ap-south","cut":true}"#;
    let (status, answer) = change(&mesh, "edge-eu-west", false, cut);
    assert_eq!(status, 403);
    assert!(
        answer["error"]
            .as_str()
            .is_some_and(|error| error.contains("X-Trunkline-Dev"))
    );
    let listen = mesh.address("edge-eu-west", "listen");
    for (method, path) in [("POST", "/dev/wan"), ("GET", "/dev/mesh")] {
        let mut rebound = RawSocket::connect(&listen);
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: evil.example\r\nX-Trunkline-Dev: 1\r\nContent-Length: {}\r\n\r\n{cut}",
            cut.len()
        );
        rebound.send(request.as_bytes());
        let head = rebound.response_head();
        assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
        assert!(!head.to_lowercase().contains("access-control"), "{head}");
    }
    assert_eq!(cut_of(&mesh, "ap-south"), false);
}

#[test]
fn what_makes_no_sense_is_named() {
    let mesh = far();
    let (status, answer) = change(
        &mesh,
        "edge-eu-west",
        true,
        r#"{"region":"mars","cut":true}"#,
    );
    let expected = r#"there is no region "mars", but eu-west, us-east, ap-south"#;
    assert_eq!((status, &answer["error"]), (404, &json!(expected)));
    for nonsense in [
        "",
        "[]",
        r#"{"region":"ap-south"}"#,
        r#"{"region":"ap-south","cut":1}"#,
    ] {
        let (status, answer) = change(&mesh, "edge-eu-west", true, nonsense);
        assert_eq!(status, 400, "{answer}");
    }
    let (status, _) = change(&mesh, "edge-eu-west", true, &" ".repeat(5000));
    assert_eq!(status, 413);
}

#[test]
fn without_distances_there_is_nothing_to_cut() {
    let mesh = Mesh::start();
    let view = view(&mesh, "edge-ap-south");
    assert_eq!(
        (&view["wan"], &view["edges"][2]["rtt_ms"]),
        (&json!(false), &json!(0.0))
    );
    let body = r#"{"region":"ap-south","cut":true}"#;
    assert_eq!(change(&mesh, "edge-ap-south", true, body).0, 409);
    let dir = mesh.dir().display().to_string();
    check_dev(&["cut", "ap-south", "--dir", &dir], 1, "--wan none");
}

#[test]
fn a_region_is_cut_and_healed_from_another_terminal() {
    let mesh = far();
    let dir = mesh.dir().display().to_string();
    check_dev(
        &["cut", "ap-south", "--dir", &dir],
        0,
        "ap-south is cut off",
    );
    assert_eq!(cut_of(&mesh, "ap-south"), true);
    assert_eq!(cut_of(&mesh, "eu-west"), false);
    check_dev(
        &["heal", "ap-south", "--dir", &dir],
        0,
        "ap-south is linked",
    );
    assert_eq!(cut_of(&mesh, "ap-south"), false);
    check_dev(
        &["cut", "mars", "--dir", &dir],
        2,
        "eu-west, us-east, ap-south",
    );
}

#[test]
fn where_no_mesh_runs_there_is_nothing_to_cut() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().display().to_string();
    let expected = format!("no dev.json in {path}: is `trunkline dev` running?");
    check_dev(&["cut", "ap-south", "--dir", &path], 1, &expected);
    std::fs::write(dir.path().join("dev.json"), r#"{"control":"127.0.0.1:1"}"#).expect("written");
    check_dev(
        &["heal", "ap-south", "--dir", &path],
        1,
        "is `trunkline dev` running?",
    );
}

#[test]
fn a_process_that_does_not_answer_is_told_in_time() {
    let mut mesh = far();
    let pid = Pid::from_raw(mesh.child().id().cast_signed()).expect("a process");
    kill_process(pid, Signal::STOP).expect("it runs");
    let (status, answer) = change(&mesh, "edge-eu-west", true, "{}");
    let url = format!("http://{}/dev/mesh", mesh.address("edge-eu-west", "listen"));
    let view = ureq::get(&url).call();
    kill_process(pid, Signal::CONT).expect("it runs");
    assert_eq!(status, 503, "{answer}");
    assert!(
        matches!(view, Err(ureq::Error::StatusCode(503))),
        "{view:?}"
    );
}

#[test]
fn a_file_says_how_far_regions_are() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let path = file.path().display().to_string();
    std::fs::write(
        file.path(),
        "[regions.us-east]\nrtt = \"30ms\"\nloss = 0.01\n",
    )
    .expect("written");
    let mesh = Mesh::start_with(&["--wan", &path]);
    let view = view(&mesh, "edge-us-east");
    let milliseconds: Vec<_> = (0..3).map(|edge| &view["edges"][edge]["rtt_ms"]).collect();
    assert_eq!(milliseconds, [0.0, 30.0, 0.0]);
    let before = Instant::now();
    publish(&mesh, "edge-us-east", "chat:near", 1);
    assert!(before.elapsed() >= Duration::from_millis(30));
}

#[test]
fn a_file_that_is_wrong_is_refused_before_anything_starts() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let path = file.path().display().to_string();
    std::fs::write(file.path(), "[regions.mars]\nrtt = \"200ms\"\n").expect("written");
    check_dev(&["--wan", &path], 2, "\"mars\"");
    std::fs::write(file.path(), "[regions.us-east]\ndelay = \"1ms\"\n").expect("written");
    check_dev(&["--wan", &path], 2, "delay");
}
