//! The relay as a process: orders, counters, and its test of itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::UdpSocket;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// `loadtest wan` and what leads to it.
struct Relay {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    address: String,
}

impl Relay {
    fn start(target: &UdpSocket, flags: &[&str]) -> Self {
        let target = target.local_addr().expect("it is bound").to_string();
        let mut child = Command::new(env!("CARGO_BIN_EXE_loadtest"))
            .args(["wan", "--json", "--target", &target])
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let stdin = child.stdin.take().expect("it is piped");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut address = String::new();
        stdout.read_line(&mut address).expect("it says a line");
        Self {
            child,
            stdin,
            stdout,
            address: address.trim().to_owned(),
        }
    }

    fn order(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").expect("it reads");
    }

    /// Datagrams with this fate so far; every order given before is followed by then.
    fn count(&mut self, name: &str) -> u64 {
        self.order("counts");
        let mut found = None;
        let mut line = String::new();
        while !line.starts_with("turned away") {
            line.clear();
            self.stdout.read_line(&mut line).expect("it counts");
            let rest = line
                .strip_prefix(name)
                .and_then(|rest| rest.split_whitespace().next());
            found = found.or(rest.and_then(|count| count.parse().ok()));
        }
        found.expect("it is counted")
    }

    /// Ends it; its counters and what it complained about.
    fn end(mut self) -> (Value, String) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::INT).expect("it runs");
        let (mut counts, mut complaints) = (String::new(), String::new());
        self.stdout.read_to_string(&mut counts).expect("it ends");
        let mut stderr = self.child.stderr.take().expect("it is piped");
        stderr.read_to_string(&mut complaints).expect("it ends");
        let ended = self.child.wait().expect("it ends");
        assert!(ended.success(), "{ended}: {complaints}");
        let line = counts.lines().last().expect("it has counted");
        (serde_json::from_str(line).expect("it is JSON"), complaints)
    }
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let set = socket.set_read_timeout(Some(PATIENCE));
    set.expect("it isn't zero");
    socket
}

fn counted(counts: &Value, name: &str) -> f64 {
    let count = counts["figures"][name]["median"].as_f64();
    count.unwrap_or_else(|| panic!("{name} in {counts}"))
}

#[test]
fn a_relay_follows_orders_and_counts() {
    let (client, target) = (socket(), socket());
    let mut relay = Relay::start(&target, &["--rtt", "20ms", "--seed", "7"]);
    let start = Instant::now();
    client.send_to(b"one", &relay.address).expect("it is sent");
    assert_eq!(target.recv(&mut [0; 9]).expect("it comes"), 3);
    assert!(start.elapsed() >= Duration::from_millis(10));
    relay.order("rtt soon");
    relay.order("cut");
    assert_eq!(relay.count("up, passed"), 1);
    client.send_to(b"two", &relay.address).expect("it is sent");
    while relay.count("up, cut") == 0 {
        assert!(start.elapsed() < PATIENCE, "nothing is cut");
    }
    relay.order("heal");
    relay.order("rtt 0ms");
    assert_eq!(relay.count("up, cut"), 1);
    client
        .send_to(b"three", &relay.address)
        .expect("it is sent");
    assert_eq!(target.recv(&mut [0; 9]).expect("it comes"), 5);
    let (counts, complaints) = relay.end();
    for (name, count) in [("up, passed", 2.0), ("up, cut", 1.0), ("clients", 1.0)] {
        assert!((counted(&counts, name) - count).abs() < 0.5, "{counts}");
    }
    assert!(complaints.contains(r#"rtt = "soon""#), "{complaints}");
}

#[test]
fn the_self_test_measures_echo_and_relay() {
    let output = Command::new(env!("CARGO_BIN_EXE_loadtest"))
        .args(["wan-self-test", "--json", "--rates", "200"])
        .args([
            "--seconds",
            "0.2",
            "--rtt",
            "2ms",
            "--search-seconds",
            "0.05",
        ])
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{output:?}");
    let report = serde_json::from_slice(&output.stdout).expect("it is JSON");
    for name in [
        "echo at 200/s, round trip p50",
        "relay at 200/s, over its round trip p99",
        "relay at 200/s, CPU per datagram each way",
        "echo, most without loss",
        "relay, most without loss",
    ] {
        assert!(counted(&report, name) >= 0.0, "{name}: {report}");
    }
}

#[test]
fn a_wrong_flag_is_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_loadtest"))
        .args(["wan", "--target", "127.0.0.1:1", "--loss", "2"])
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("--loss") && text.contains("between 0 and 1"),
        "{text}"
    );
}
