//! What a person meets who runs `trunkline dev`.

mod harness;

use std::net::TcpListener;
use std::process::Stdio;

use harness::{Mesh, own_ip, terminate, trunkline, wait_until};

#[test]
fn a_taken_port_is_told_in_one_line_with_its_owner_and_exit_code_2() {
    let ip = own_ip();
    // One that leaves room for the ports that follow it.
    let listener = (20_000..60_000).find_map(|port| TcpListener::bind((ip, port)).ok());
    let listener = listener.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let dir = tempfile::tempdir().expect("a directory");
    let output = trunkline()
        .args([
            "dev",
            "--ip",
            &ip.to_string(),
            "--base-port",
            &port.to_string(),
            "--dir",
        ])
        .arg(dir.path())
        .stderr(Stdio::piped())
        .output()
        .expect("trunkline starts");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains(&format!("{ip}:{port} is taken by")), "{text}");
    assert!(
        text.contains(&format!("(pid {})", std::process::id())),
        "{text}"
    );
}

#[test]
fn an_address_that_others_reach_is_refused() {
    let output = trunkline()
        .args(["dev", "--ip", "0.0.0.0"])
        .stderr(Stdio::piped())
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("loopback"));
}

#[test]
fn a_second_mesh_in_the_same_directory_is_refused_and_leaves_the_first_alone() {
    let mut mesh = Mesh::start();
    let addresses = std::fs::read_to_string(mesh.dir().join("dev.json")).expect("addresses");
    let output = trunkline()
        .args([
            "dev",
            "--base-port",
            "0",
            "--ip",
            &own_ip().to_string(),
            "--dir",
        ])
        .arg(mesh.dir())
        .stderr(Stdio::piped())
        .output()
        .expect("trunkline starts");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    let pid = format!("(pid {})", mesh.child().id());
    assert!(text.contains(&pid) && text.contains("--dir"), "{text}");
    let after = std::fs::read_to_string(mesh.dir().join("dev.json")).expect("addresses");
    assert_eq!(after, addresses);
}

#[test]
fn every_edge_shows_a_page_that_names_its_endpoints_and_is_ready() {
    let mesh = Mesh::start();
    for edge in ["edge-eu-west", "edge-us-east", "edge-ap-south"] {
        let read = |path: &str| {
            let url = format!("http://{}{path}", mesh.address(edge, "listen"));
            let mut response = ureq::get(&url).call().expect("the edge answers");
            response.body_mut().read_to_string().expect("text")
        };
        assert!(read("/").contains("/app/main.js"));
        assert!(read("/app/developers.html").contains("/connection/websocket"));
        assert_eq!(read("/health"), "{}");
        assert!(read("/health/ready").contains("\"ready\":true"));
        assert_eq!(read("/dev/token?user=ada").split('.').count(), 3);
        assert!(mesh.dir().join("pids").join(edge).exists());
    }
    let url = format!("http://{}/metrics", mesh.address("edge-eu-west", "admin"));
    let metrics = ureq::get(&url)
        .call()
        .expect("the admin port answers")
        .body_mut()
        .read_to_string();
    assert!(metrics.expect("text").contains("trunkline_"));
}

#[test]
fn nothing_is_answered_under_a_name_that_was_made_to_point_here() {
    let mesh = Mesh::start();
    let listen = mesh.address("edge-eu-west", "listen");
    for path in ["/dev/token?user=ada", "/", "/api/info"] {
        let answer = ureq::get(format!("http://{listen}{path}"))
            .config()
            .http_status_as_error(false)
            .build()
            .header("Host", "rebound.example:8000")
            .call()
            .expect("the edge answers");
        assert_eq!(answer.status(), 403, "{path}");
    }
}

#[test]
fn a_part_that_is_killed_stays_dead_and_the_others_go_on() {
    let mut mesh = Mesh::start();
    kill(&mesh, "edge-us-east");
    let body = serde_json::json!({ "channel": "chat:1", "data": {} });
    assert_eq!(
        mesh.api("edge-eu-west", "publish", &body)["result"]["offset"],
        1
    );
    let history = serde_json::json!({ "channel": "chat:1", "limit": 1 });
    assert_eq!(
        mesh.api("edge-ap-south", "history", &history)["result"]["offset"],
        1
    );
    assert!(
        mesh.child()
            .try_wait()
            .expect("the child can be asked")
            .is_none()
    );
}

#[test]
fn a_part_that_was_killed_is_started_again_where_it_was() {
    let mut mesh = Mesh::start();
    let (status, text) = start(&mesh, "edge-us-east");
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("edge-us-east runs"), "{text}");
    kill(&mesh, "edge-us-east");
    kill(&mesh, "backbone-1");
    for name in ["backbone-1", "edge-us-east"] {
        let (status, text) = start(&mesh, name);
        assert_eq!(status, Some(0), "{text}");
    }
    let body = serde_json::json!({ "channel": "chat:1", "data": {} });
    let answer = mesh.api("edge-us-east", "publish", &body);
    assert_eq!(answer["result"]["offset"], 1, "{answer}");
    let (status, text) = start(&mesh, "edge-mars");
    assert_eq!(status, Some(2), "{text}");
    assert!(text.contains("backbone-1, edge-ap-south"), "{text}");
    assert!(mesh.child().try_wait().expect("it can be asked").is_none());
}

#[test]
fn several_nodes_without_a_database_are_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let output = trunkline()
        .args(["dev", "--base-port", "0", "--backbones", "3", "--dir"])
        .arg(dir.path())
        .stderr(Stdio::piped())
        .output()
        .expect("it starts");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.contains("--backbones 3: ") && text.contains("--postgres"),
        "{text}"
    );
}

#[test]
fn three_nodes_share_the_channels_and_one_that_is_killed_comes_back() {
    let Some(mut mesh) = Mesh::start_on_postgres_with(&["--backbones", "3"]) else {
        return;
    };
    let nodes = ["backbone-1", "backbone-2", "backbone-3"];
    let share = |mesh: &Mesh, name| owned(&mesh.address(name, "admin"));
    let all_share = |mesh: &Mesh| nodes.iter().all(|name| share(mesh, name) > 1000);
    wait_until("a share for each", || all_share(&mesh).then_some(()));
    let publish_all = |mesh: &Mesh, offset: u64| {
        for channel in 0..12 {
            publish(mesh, &format!("chat:{channel}"), offset);
        }
    };
    publish_all(&mesh, 1);
    kill(&mesh, "backbone-2");
    publish_all(&mesh, 2);
    let (status, text) = start(&mesh, "backbone-2");
    assert_eq!(status, Some(0), "{text}");
    wait_until("its share again", || all_share(&mesh).then_some(()));
    publish_all(&mesh, 3);
    terminate(mesh.child());
    let status = mesh.child().try_wait().expect("it can be asked");
    assert!(status.expect("it has ended").success());
}

/// Publishes until it is acknowledged, under one key, so that it counts once.
fn publish(mesh: &Mesh, channel: &str, offset: u64) {
    let key = format!("{channel}-{offset}");
    let body = serde_json::json!({ "channel": channel, "data": {}, "idempotency_key": key });
    let answer = wait_until("an acknowledgement", || {
        let answer = mesh.api("edge-eu-west", "publish", &body);
        answer["error"].is_null().then_some(answer)
    });
    assert_eq!(answer["result"]["offset"], offset, "{channel}: {answer}");
}

/// Slots that a node owns, all its shards together.
fn owned(admin: &str) -> u64 {
    let metrics = ureq::get(format!("http://{admin}/metrics")).call();
    // It may be dead at the moment.
    let text = metrics.map(|mut answer| answer.body_mut().read_to_string().expect("text"));
    let text = text.unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("trunkline_backbone_slots_now "));
    line.map_or(0, |value| value.parse().expect("a number"))
}

fn kill(mesh: &Mesh, name: &str) {
    let pid = std::fs::read_to_string(mesh.dir().join("pids").join(name)).expect("a pid");
    let pid = rustix::process::Pid::from_raw(pid.trim().parse().expect("a number")).expect("a pid");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it runs");
    // `trunkline dev` is its parent and buries it.
    wait_until("its end", || rustix::process::test_kill_process(pid).err());
}

/// Runs `trunkline dev start`; returns its exit code and what it said.
fn start(mesh: &Mesh, name: &str) -> (Option<i32>, String) {
    let output = trunkline()
        .args(["dev", "start", name, "--dir"])
        .arg(mesh.dir())
        .stderr(Stdio::piped())
        .output()
        .expect("it starts");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn stopping_it_stops_its_children() {
    let mut mesh = Mesh::start();
    let pids: Vec<u32> = std::fs::read_dir(mesh.dir().join("pids"))
        .expect("pids")
        .flatten()
        .map(|file| {
            std::fs::read_to_string(file.path())
                .expect("a pid")
                .trim()
                .parse()
                .expect("a number")
        })
        .collect();
    assert_eq!(pids.len(), 4);
    terminate(mesh.child());
    let status = mesh
        .child()
        .try_wait()
        .expect("the child can be asked")
        .expect("it has ended");
    assert!(
        status.success(),
        "it ended by itself, not because it was killed: {status}"
    );
    for pid in pids {
        assert!(
            !std::path::Path::new(&format!("/proc/{pid}")).exists(),
            "{pid} still runs"
        );
    }
}

#[test]
fn a_base_port_that_leaves_no_room_for_the_others_is_refused() {
    for port in ["557", "65535"] {
        let output = trunkline()
            .args(["dev", "--base-port", port])
            .stderr(Stdio::piped())
            .output()
            .expect("it starts");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(&format!("--base-port {port}: ")), "{text}");
    }
}

#[test]
fn a_mesh_keeps_its_messages_in_a_database_of_its_own_that_ends_with_it() {
    let Some(mut mesh) = Mesh::start_on_postgres() else {
        return;
    };
    let body = serde_json::json!({ "channel": "chat:1", "data": {} });
    assert_eq!(
        mesh.api("edge-eu-west", "publish", &body)["result"]["offset"],
        1
    );
    assert_eq!(mesh.sql("SELECT count(*) FROM trunkline.message"), "1");
    assert!(!mesh.dir().join("store").exists());
    let pid = std::fs::read_to_string(mesh.dir().join("pids/postgres")).expect("a pid");
    let server = std::path::Path::new("/proc").join(pid.trim());
    assert!(server.exists());
    // Without a word, so that nobody is left who could stop the server.
    mesh.child().kill().expect("it runs");
    wait_until("the end of the server", || (!server.exists()).then_some(()));
    // It stopped in order, or the file would be left.
    let data = mesh.dir().join("postgres/data");
    assert!(!data.join("postmaster.pid").exists());
}
