//! Acknowledged means synced, through the whole mesh: an edge answers a durable publish only after its node's store has
//! synced it, as the kernel saw both. Where the store is PostgreSQL, its own settings are read where it appends.
//!
//! `store/tests/acks.rs` shows the same for many appends at once.

mod harness;
#[path = "durability/postgres.rs"]
mod postgres;
#[path = "harness/strace/mod.rs"]
mod strace;
#[path = "harness/strace/recorded.rs"]
mod strace_recorded;

use std::path::Path;

use harness::papers::{link_section, make_certificates};
use harness::process::Process;
use harness::{api, own_ip};
use serde_json::{Value, json};
use strace::Strace;
use strace::check::{Ack, check};
use strace::trace::Call;

const PUBLISHES: u64 = 50;

/// A node and an edge, each under a tracer from its start.
struct TracedPair {
    node: Traced,
    edge: Traced,
    // Given up last.
    _dir: tempfile::TempDir,
}

struct Traced {
    process: Process,
    strace: Strace,
}

impl TracedPair {
    /// Starts both; `None` without strace. The node's calls may be tampered with, in strace's words.
    fn start(tamper: Option<&str>) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path();
        let node = Strace::to(path.join("backbone-1.trace"))?;
        let node = match tamper {
            Some(what) => node.injecting(what),
            None => node,
        };
        let edge = Strace::to(path.join("edge-1.trace"))?;
        make_certificates(path, &["backbone-1"], &["eu-west/edge-1"]);
        let config = node_config(path, &format!("path = \"{}/store\"", path.display()));
        let node = Traced::start(node, path, "backbone", "backbone-1", &config);
        let link = node.process.address("link");
        let edge = Traced::start(edge, path, "edge", "edge-1", &edge_config(path, &link));
        Some(Self {
            node,
            edge,
            _dir: dir,
        })
    }

    /// Publishes, ends both, and returns what the node did and what the edge answered.
    fn publish_one_at_a_time(self) -> (Vec<Call>, Vec<Ack>) {
        for number in 1..=PUBLISHES {
            assert_eq!(self.publish(number)["result"]["offset"], number);
        }
        let edge = self.edge.end();
        let acks = (1..=PUBLISHES).map(|offset| answer(&edge, offset));
        (self.node.end(), acks.collect())
    }

    fn publish(&self, number: u64) -> Value {
        let body = json!({ "channel": "chat:1", "data": { "text": message(number) } });
        api(&self.edge.process.address("listen"), "publish", &body)
    }
}

impl Traced {
    fn start(strace: Strace, dir: &Path, command: &str, name: &str, config: &str) -> Self {
        let mut starter = strace.command(Path::new(env!("CARGO_BIN_EXE_trunkline")));
        starter.env_remove("RUST_LOG");
        let process = Process::start_by(starter, dir, command, name, config);
        Self { process, strace }
    }

    fn end(self) -> Vec<Call> {
        let pid = self.process.id();
        drop(self.process);
        self.strace.calls(pid)
    }
}

#[test]
fn the_kth_answer_comes_after_the_kth_sync_of_the_journal_returned() {
    let Some(pair) = TracedPair::start(None) else {
        return;
    };
    let (node, acks) = pair.publish_one_at_a_time();
    let syncs = check(&node, &acks).expect("what was answered was synced");
    assert!(
        syncs.is_sorted_by(|one, next| one < next),
        "a sync of its own for each: {syncs:?}"
    );
}

#[test]
fn after_a_sync_failed_an_answer_waits_for_a_sync_of_a_copy() {
    let Some(pair) = TracedPair::start(Some("fdatasync:error=EIO:when=20")) else {
        return;
    };
    let (node, acks) = pair.publish_one_at_a_time();
    let failed: Vec<_> = node
        .iter()
        .filter(|call| call.is_sync() && !call.succeeded)
        .collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    let before = acks.iter().filter(|ack| ack.said < failed[0].begun).count();
    assert!((1..acks.len()).contains(&before), "not under a publish");
    check(&node, &acks).expect("what was answered was synced");
}

#[test]
fn a_node_whose_syncs_do_not_reach_the_kernel_is_found_out() {
    let Some(pair) = TracedPair::start(Some("fdatasync:retval=0")) else {
        return;
    };
    let (node, acks) = pair.publish_one_at_a_time();
    for ack in acks {
        let found = check(&node, std::slice::from_ref(&ack));
        assert!(found.is_err(), "{ack:?}: {found:?}");
    }
}

/// The edge's HTTP answer with an offset, when it was about to be written to the socket.
fn answer(edge: &[Call], offset: u64) -> Ack {
    let body = format!("\\\"offset\\\":{offset},");
    let mut answers = edge
        .iter()
        .filter(|call| call.data.starts_with("HTTP/1.1 200 ") && call.data.contains(&body));
    Ack {
        message: message(offset),
        said: answers.next().expect("an answer in the trace").begun,
    }
}

fn message(number: u64) -> String {
    format!("<message {number}>")
}

/// `store` are lines of the section `[store]`.
fn node_config(dir: &Path, store: &str) -> String {
    format!(
        "[backbone]\nlisten = \"{}:0\"\n[store]\n{store}\n[admin]\nlisten = \"127.0.0.1:0\"\n{}\
         [[namespace]]\nname = \"chat\"\nclass = \"durable\"\nhistory_size = 100\nhistory_ttl = \"1h\"\n",
        own_ip(),
        link_section(dir, "backbone-1", ""),
    )
}

fn edge_config(dir: &Path, link: &str) -> String {
    format!(
        "[edge]\nlisten = \"{}:0\"\nbackbones = [\"{link}\"]\ndrain_seconds = 1\n[admin]\nlisten = \"127.0.0.1:0\"\n\
         [client.token]\nhmac_secret_key = \"secret\"\n[api]\nkey = \"dev\"\n{}",
        own_ip(),
        link_section(dir, "edge-1", ""),
    )
}
