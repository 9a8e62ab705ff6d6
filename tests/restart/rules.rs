//! Nodes that are started with other namespaces than before: what may change is taken by the whole mesh, what can't stops them.

use std::path::Path;

use serde_json::json;

use crate::database::store;
use crate::edge;
use crate::harness::papers::{link_section, make_certificates};
use crate::harness::postgres::Postgres;
use crate::harness::process::Process;
use crate::harness::{api, own_ip, trunkline, wait_until};
use crate::{IDLE, publish};

const DURABLE: &str = "[[namespace]]\nname = \"chat\"\nclass = \"durable\"\nhistory_ttl = \"1h\"\n";
const BUFFERED: &str =
    "[[namespace]]\nname = \"chat\"\nclass = \"buffered\"\nhistory_ttl = \"1h\"\n";
const NEWS: &str = "[[namespace]]\nname = \"news\"\nclass = \"buffered\"\nhistory_size = 10\nhistory_ttl = \"1h\"\n";

/// A node's place: certificates, address, and lines of its section `[store]`.
struct Place<'a> {
    dir: &'a Path,
    name: &'static str,
    link: String,
    store: String,
}

impl Place<'_> {
    fn config(&self, namespaces: &str) -> String {
        let Self {
            dir,
            name,
            link,
            store,
        } = self;
        format!(
            "[backbone]\nlisten = \"{link}\"\n[store]\n{store}\n[admin]\nlisten = \"127.0.0.1:0\"\n{}{namespaces}",
            link_section(dir, name, IDLE),
        )
    }

    fn start(&self, namespaces: &str) -> Process {
        Process::start(self.dir, "backbone", self.name, &self.config(namespaces))
    }

    /// Expects that it ends at its start as one whose configuration is wrong; returns its last line.
    fn is_refused(&self, namespaces: &str) -> String {
        let file = self.dir.join("refused.toml");
        std::fs::write(&file, self.config(namespaces)).expect("written");
        let mut node = trunkline();
        let output = node.arg("backbone").arg("--config").arg(file).output();
        let output = output.expect("trunkline starts");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = String::from_utf8(output.stderr).expect("text");
        said.lines().last().expect("a line").to_owned()
    }
}

/// What the class of a namespace with data is answered with.
const REFUSED: &str =
    "namespace \"chat\": class can't change from durable to buffered: it has data";

/// The numbers that a channel's history holds.
fn history(edge: &Process, channel: &str) -> Vec<u64> {
    let asked = json!({ "channel": channel, "limit": 100 });
    let answer = api(&edge.address("listen"), "history", &asked);
    let publications = answer["result"]["publications"].as_array();
    let numbers = publications.into_iter().flatten();
    numbers
        .filter_map(|one| one["data"]["number"].as_u64())
        .collect()
}

fn expect_published(edge: &Process, channel: &str, number: u64) {
    wait_until(channel, || {
        let answer = publish(edge, channel, number);
        answer["offset"].as_u64()
    });
}

#[test]
fn a_node_starts_with_another_history_and_not_with_another_class() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    make_certificates(dir, &["backbone-1"], &["eu-west/edge-1"]);
    let mut place = Place {
        dir,
        name: "backbone-1",
        link: format!("{}:0", own_ip()),
        store: format!("path = \"{}/store\"", dir.display()),
    };
    let first = place.start(&format!("{DURABLE}history_size = 100\n"));
    place.link = first.address("link");
    let edge = edge(dir, &place.link);
    (1..=5).for_each(|number| expect_published(&edge, "chat:1", number));
    assert_eq!(
        publish(&edge, "news:1", 1),
        json!(null),
        "no such namespace"
    );
    assert!(first.stop().success());

    let line = place.is_refused(&format!("{BUFFERED}history_size = 100\n"));
    assert!(line.ends_with(REFUSED), "{line}");

    let _second = place.start(&format!("{DURABLE}history_size = 3\n{NEWS}"));
    // The edge lives on, and follows.
    expect_published(&edge, "news:1", 1);
    assert_eq!(history(&edge, "chat:1"), [3, 4, 5]);
}

#[test]
fn the_configuration_of_a_node_that_is_started_again_reaches_the_other_nodes_and_edges() {
    let Some(server) = Postgres::start(own_ip(), &[]) else {
        return;
    };
    let database = server.database();
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    make_certificates(dir, &["backbone-1", "backbone-2"], &["eu-west/edge-1"]);
    let place = |name| Place {
        dir,
        name,
        link: format!("{}:0", own_ip()),
        store: store(&server, &database),
    };
    let wide = format!("{DURABLE}history_size = 100\n");
    let first = place("backbone-1").start(&wide);
    let second = place("backbone-2").start(&wide);
    let edge = edge(dir, &first.address("link"));
    // In slots of both nodes.
    let names: Vec<_> = ('a'..='p').collect();
    for name in &names {
        (1..=5).for_each(|number| expect_published(&edge, &format!("chat:{name}"), number));
    }
    assert!(second.stop().success());

    let second = place("backbone-2").start(&format!("{DURABLE}history_size = 3\n{NEWS}"));
    for name in &names {
        expect_published(&edge, &format!("news:{name}"), 1);
        let kept = || Some(history(&edge, &format!("chat:{name}"))).filter(|all| !all.is_empty());
        assert_eq!(wait_until("a history", kept), [3, 4, 5], "chat:{name}");
    }
    assert!(second.stop().success());

    let line = place("backbone-2").is_refused(&format!("{BUFFERED}history_size = 3\n{NEWS}"));
    assert!(line.ends_with(REFUSED), "{line}");
    expect_published(&edge, "chat:a", 6);
    assert_eq!(history(&edge, "chat:a"), [4, 5, 6]);
    drop(first);
}
