//! A node and two edges of a test's own, each of which can be killed and started again where it was.

use std::net::IpAddr;
use std::path::PathBuf;

use trunkline_loadtest::wan::UdpRelay;

use crate::harness::own_ip;
use crate::harness::papers::{link_section, make_certificates};
use crate::harness::process::Process;

/// What everybody may do, so that no test needs tokens.
const OPEN: &str = "allow_subscribe_for_client = true\nallow_subscribe_for_anonymous = true\n\
    allow_publish_for_client = true\nallow_publish_for_anonymous = true\n";

/// Subscribers of channels with a history resume.
const RESUMED: &str = "force_recovery = true\nhistory_ttl = \"1h\"\n";

/// A directory with certificates, an address, and how links behave.
pub(crate) struct Stage {
    dir: tempfile::TempDir,
    pub(crate) ip: IpAddr,
    link: &'static str,
}

impl Stage {
    /// Makes certificates; `link` are lines of the section `[link]`.
    pub(crate) fn new(link: &'static str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        make_certificates(
            dir.path(),
            &["backbone-1", "backbone-2", "backbone-3"],
            &["eu-west/edge-1", "us-east/edge-2"],
        );
        Self {
            dir,
            ip: own_ip(),
            link,
        }
    }

    /// Where the node's messages are.
    pub(crate) fn store(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Starts a node on a store of that name.
    pub(crate) fn node(&self, store: &str, listen: &str, advertise: &str) -> Process {
        let store = format!("path = \"{}\"", self.store(store).display());
        self.node_on(&store, listen, advertise)
    }

    /// Starts the first node; `store` are lines of the section `[store]`.
    pub(crate) fn node_on(&self, store: &str, listen: &str, advertise: &str) -> Process {
        self.node_as("backbone-1", store, listen, advertise)
    }

    /// Starts a node by its name: there are certificates for three.
    pub(crate) fn node_as(
        &self,
        name: &str,
        store: &str,
        listen: &str,
        advertise: &str,
    ) -> Process {
        let config = format!(
            "[backbone]\nlisten = \"{listen}\"\nadvertise = \"{advertise}\"\n[store]\n{store}\n\
             [admin]\nlisten = \"127.0.0.1:0\"\n{}\
             [[namespace]]\nname = \"chat\"\nclass = \"durable\"\nhistory_size = 20000\n{RESUMED}{OPEN}\
             [[namespace]]\nname = \"live\"\nclass = \"buffered\"\nhistory_size = 10\n{RESUMED}{OPEN}\
             [[namespace]]\nname = \"cursors\"\npresence = true\n{OPEN}",
            link_section(self.dir.path(), name, self.link),
        );
        Process::start(self.dir.path(), "backbone", name, &config)
    }

    /// Starts an edge by its name.
    pub(crate) fn edge(&self, name: &str, listen: &str, link: &str) -> Process {
        self.start_edge(name, listen, link, true)
    }

    /// Starts an edge that reaches the node only by a relay.
    pub(crate) fn edge_by(&self, relay: &UdpRelay, name: &str, listen: &str) -> Process {
        self.start_edge(name, listen, &relay.address().to_string(), false)
    }

    fn start_edge(&self, name: &str, listen: &str, link: &str, follow_view: bool) -> Process {
        let config = format!(
            "[edge]\nlisten = \"{listen}\"\nbackbones = [\"{link}\"]\nfollow_view = {follow_view}\n\
             workers = 1\ndrain_seconds = 1\n\
             [admin]\nlisten = \"127.0.0.1:0\"\n\
             [client]\nallow_anonymous_connect_without_token = true\nrecovery_max_publication_limit = 5000\n\
             epoch_spread = \"1s\"\n\
             [api]\nkey = \"dev\"\n{}",
            link_section(self.dir.path(), name, self.link),
        );
        Process::start(self.dir.path(), "edge", name, &config)
    }

    /// An address on which any port may be taken.
    pub(crate) fn any_port(&self) -> String {
        format!("{}:0", self.ip)
    }
}

/// The sum of a metric over its labels; a counter is named without `_total`.
pub(crate) fn metric(process: &Process, name: &str) -> u64 {
    let url = format!("http://{}/metrics", process.address("admin"));
    let text = ureq::get(&url)
        .call()
        .expect("metrics are served")
        .body_mut()
        .read_to_string()
        .expect("metrics are text");
    let of_name = text.lines().filter_map(|line| {
        let (key, value) = line.rsplit_once(' ')?;
        let key = key.split('{').next()?;
        (key.strip_suffix("_total").unwrap_or(key) == name).then(|| value.parse::<f64>().ok())?
    });
    of_name.sum::<f64>() as u64
}
