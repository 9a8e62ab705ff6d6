//! A node and an edge that strangers come to, and what tells that both go on.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::harness::papers::{link_section, make_certificates};
use crate::harness::process::Process;
use crate::harness::{api, own_ip, trunkline};

/// The secret of client tokens.
pub(crate) const SECRET: &str = "secret";

/// What every edge is told besides its addresses.
const EDGE: &str = "[client.token]\nhmac_secret_key = \"secret\"\n[api]\nkey = \"dev\"\n";

/// Short times of an edge, for tests that wait for their end.
const IMPATIENT: &str = "header_timeout = \"1s\"\n[client]\nstale_close_delay = \"2s\"\nping_interval = \"2s\"\n\
                         pong_timeout = \"1s\"\n";

const LINK: &str = "handshake_timeout = \"2s\"";

/// A node, an edge, their directory.
pub(crate) struct Rig {
    pub(crate) edge: Process,
    pub(crate) node: Process,
    pub(crate) dir: TempDir,
}

impl Rig {
    /// With the usual times, so that a slow machine changes no outcome.
    pub(crate) fn start() -> Self {
        Self::build(fresh(), "")
    }

    /// With short times for headers, first commands and pongs.
    pub(crate) fn start_impatient() -> Self {
        Self::build(fresh(), IMPATIENT)
    }

    /// In a directory that a [`Rig`] has left, with its store.
    pub(crate) fn start_in(dir: TempDir) -> Self {
        Self::build(dir, "")
    }

    /// Started by programs that become `trunkline`.
    pub(crate) fn start_by(starter: impl Fn() -> Command) -> Self {
        Self::build_by(starter, fresh(), "")
    }

    fn build(dir: TempDir, times: &str) -> Self {
        Self::build_by(trunkline, dir, times)
    }

    fn build_by(starter: impl Fn() -> Command, dir: TempDir, times: &str) -> Self {
        let node = Process::start_by(
            starter(),
            dir.path(),
            "backbone",
            "backbone-1",
            &node_config(dir.path()),
        );
        let edge_config = format!(
            "[edge]\nlisten = \"{}:0\"\nbackbones = [\"{}\"]\ndrain_seconds = 1\n{times}{EDGE}[admin]\nlisten = \"127.0.0.1:0\"\n{}",
            own_ip(),
            node.address("link"),
            link_section(dir.path(), "edge-1", LINK),
        );
        let edge = Process::start_by(starter(), dir.path(), "edge", "edge-1", &edge_config);
        let rig = Self { edge, node, dir };
        rig.goes_on();
        rig
    }

    pub(crate) fn listen(&self) -> String {
        self.edge.address("listen")
    }

    /// A message goes the whole way, to the disk and back.
    #[track_caller]
    pub(crate) fn goes_on(&self) {
        let body = json!({ "channel": "chat:1", "data": { "text": "still here" } });
        let answer = api(&self.listen(), "publish", &body);
        assert!(answer["result"]["offset"].is_u64(), "{answer}");
    }
}

fn fresh() -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    make_certificates(dir.path(), &["backbone-1"], &["eu-west/edge-1"]);
    dir
}

/// The configuration of a node whose files are in `dir`.
pub(crate) fn node_config(dir: &Path) -> String {
    format!(
        "[backbone]\nlisten = \"{}:0\"\n[store]\npath = \"{}/store\"\n[admin]\nlisten = \"127.0.0.1:0\"\n{}\
         [[namespace]]\nname = \"chat\"\nclass = \"durable\"\nhistory_size = 10000\nhistory_ttl = \"1h\"\n\
         allow_subscribe_for_client = true\nallow_publish_for_subscriber = true\n",
        own_ip(),
        dir.display(),
        link_section(dir, "backbone-1", LINK),
    )
}

/// The value of a metric, with its labels as they stand in braces; 0 where it isn't shown.
pub(crate) fn metric(process: &Process, name: &str) -> u64 {
    let url = format!("http://{}/metrics", process.address("admin"));
    let mut page = ureq::get(&url).call().expect("the admin port answers");
    let page = page.body_mut().read_to_string().expect("text");
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0, |value| value.parse().expect("a number"))
}
