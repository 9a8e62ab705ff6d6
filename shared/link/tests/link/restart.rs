//! A node that is killed and comes back resets its old links, whatever the idle time-out.
//!
//! The node is a child process: this test executable again, told by its environment what to be.

use std::io::Write;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use trunkline_link::{LinkClient, LinkConfig, LinkEnd, LinkServer, LinkTls, Sent};
use trunkline_shared::StreamId;

use crate::mesh::{Authority, EDGE, NODE, Pems, Side, control, encode, introduction, sink, within};

const ADDR: &str = "TRUNKLINE_TEST_LINK_ADDR";
const PEMS: [&str; 3] = [
    "TRUNKLINE_TEST_LINK_CA",
    "TRUNKLINE_TEST_LINK_CHAIN",
    "TRUNKLINE_TEST_LINK_KEY",
];

/// Far more than the test takes: only a reset can end a link before it.
const IDLE: Duration = Duration::from_secs(60);

fn config() -> Arc<LinkConfig> {
    Arc::new(LinkConfig {
        idle_timeout: IDLE,
        ..LinkConfig::default()
    })
}

struct Node {
    child: Child,
    addr: SocketAddr,
}

impl Node {
    async fn start(pems: &Pems, addr: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["restart::node_in_a_child_process", "--exact", "--nocapture"])
            .env(ADDR, addr)
            .envs(PEMS.into_iter().zip([&pems.ca, &pems.chain, &pems.key]))
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let addr = loop {
            let line = within(lines.next_line())
                .await
                .unwrap()
                .expect("the child says where it listens");
            if let Some((_, addr)) = line.split_once("listening on ") {
                break addr.parse().unwrap();
            }
        };
        Self { child, addr }
    }

    /// Kills it with SIGKILL, so that it says nothing more.
    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// The child's part; does nothing when the tests are run as tests.
#[tokio::test]
async fn node_in_a_child_process() {
    let Ok(addr) = std::env::var(ADDR) else {
        return;
    };
    let [ca, chain, key] = PEMS.map(|name| std::env::var(name).unwrap());
    let tls = LinkTls::from_pem(ca.as_bytes(), chain.as_bytes(), key.as_bytes()).unwrap();
    let (mut server, addr) =
        LinkServer::bind(addr.parse().unwrap(), &tls, config(), || introduction(200)).unwrap();
    writeln!(std::io::stdout(), "listening on {addr}").unwrap();
    let mut links = Vec::new();
    while let Some(link) = server.accept().await {
        let (events, seen) = sink();
        links.push((link.start(|_| events), seen));
    }
}

struct Setup {
    pems: Pems,
    node: Node,
    edge: Side<trunkline_shared::frame::ToNode, trunkline_shared::frame::ToEdge>,
    client: LinkClient,
}

async fn linked() -> Setup {
    let authority = Authority::new();
    let pems = authority.issue(NODE);
    let node = Node::start(&pems, "127.0.7.1:0").await;
    let client = LinkClient::bind(&authority.issue(EDGE).tls(), config()).unwrap();
    let link = within(client.connect(&node.addr.to_string(), introduction(1)))
        .await
        .unwrap();
    let (events, seen) = sink();
    let edge = Side {
        sender: link.start(|_| events),
        events: seen,
    };
    Setup {
        pems,
        node,
        edge,
        client,
    }
}

#[tokio::test]
async fn a_restarted_node_resets_old_links_at_once() {
    let Setup {
        pems,
        node,
        mut edge,
        client,
    } = linked().await;
    let addr = node.addr.to_string();
    node.kill().await;
    // What an edge has under way keeps asking: QUIC repeats it until something answers.
    assert_eq!(
        edge.sender.send(StreamId::Control, &encode(&control(1))),
        Sent::Queued
    );
    let restarted = Instant::now();
    let _node = Node::start(&pems, &addr).await;
    assert_eq!(edge.end().await, LinkEnd::Restarted);
    assert!(restarted.elapsed() < IDLE / 6, "{:?}", restarted.elapsed());
    within(client.connect(&addr, introduction(1)))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_edge_that_sends_nothing_is_reset_by_its_next_packet() {
    let Setup {
        pems,
        node,
        mut edge,
        ..
    } = linked().await;
    let addr = node.addr.to_string();
    node.kill().await;
    let restarted = Instant::now();
    let _node = Node::start(&pems, &addr).await;
    assert_eq!(edge.end().await, LinkEnd::Restarted);
    assert!(restarted.elapsed() < IDLE / 6, "{:?}", restarted.elapsed());
}
