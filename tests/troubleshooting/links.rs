//! Edges and nodes that don't come together.

use crate::harness::papers::make_certificates;
use crate::stage::{Running, Stage};

/// Plays every case; returns the logs.
pub(crate) fn provoke() -> String {
    let stage = Stage::new();
    make_certificates(
        &stage.path().join("foreign"),
        &["backbone-1"],
        &["eu-west/edge-1"],
    );
    let node = stage.start("backbone", "backbone-1", &node(&stage));
    let link = node.address("link");
    let nobody = edge(&stage, "nobody", &format!("{}:1", stage.ip), "");
    let unbelieving = edge(&stage, "unbelieving", &link, "ca_file = \"foreign/ca.pem\"");
    let stranger = edge(
        &stage,
        "stranger",
        &link,
        "certificate_file = \"foreign/edge-1.pem\"\nkey_file = \"foreign/edge-1.key\"",
    );
    nobody.says("no answer in time");
    unbelieving.says("isn't signed by");
    stranger.says("isn't signed by");
    node.says("the certificate of the edge isn't signed by");
    let (first, second) = (
        edge(&stage, "first", &link, ""),
        edge(&stage, "second", &link, ""),
    );
    node.says("two processes of one name");
    [nobody, unbelieving, stranger, first, second, node]
        .map(|process| process.log())
        .concat()
}

/// Time-outs that don't keep a test waiting.
const SOON: &str =
    "handshake_timeout = \"500ms\"\nidle_timeout = \"500ms\"\nkeep_alive = \"100ms\"\n";

fn node(stage: &Stage) -> String {
    let ip = stage.ip;
    format!(
        "{}{SOON}[backbone]\nlisten = \"{ip}:0\"\n[admin]\nlisten = \"{ip}:0\"\n",
        Stage::link("backbone-1")
    )
}

fn edge(stage: &Stage, name: &str, link: &str, papers: &str) -> Running {
    let ip = stage.ip;
    // A key that is given again replaces the first one.
    let replaced = papers.lines().filter_map(|line| line.split(" = ").next());
    let replaced: Vec<&str> = replaced.collect();
    let section = Stage::link("edge-1");
    let kept = section
        .lines()
        .filter(|line| !replaced.iter().any(|key| line.starts_with(key)));
    let section: Vec<&str> = kept.collect();
    let config = format!(
        "{}\n{papers}\n{SOON}[edge]\nlisten = \"{ip}:0\"\nbackbones = [\"{link}\"]\n[admin]\nlisten = \"{ip}:0\"\n\
         [client]\nallow_anonymous_connect_without_token = true\n",
        section.join("\n")
    );
    stage.start("edge", name, &config)
}
