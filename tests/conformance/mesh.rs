//! The mesh of all rows: a node, an edge with the profile "fast" and one with the default limits.
//!
//! It is started by the first row and ends with the test process, whose end its processes see.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::harness::own_ip;
use crate::harness::papers::{link_section, make_certificates};
use crate::harness::process::Process;

/// Which edge a client goes to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Edge {
    /// Small limits and time-outs: the profile "fast".
    Fast,
    /// The default ones.
    Usual,
}

/// What all rows share.
pub(super) struct Mesh {
    fast: String,
    usual: String,
    _processes: [Process; 3],
}

/// The mesh, started where it isn't yet.
pub(super) fn mesh() -> &'static Mesh {
    static MESH: OnceLock<Mesh> = OnceLock::new();
    MESH.get_or_init(Mesh::start)
}

impl Mesh {
    /// Where clients and callers of the server API go.
    pub(super) fn address(&self, edge: Edge) -> &str {
        match edge {
            Edge::Fast => &self.fast,
            Edge::Usual => &self.usual,
        }
    }

    fn start() -> Self {
        let dir = fresh_dir();
        make_certificates(
            &dir,
            &["backbone-1"],
            &["eu-west/edge-fast", "us-east/edge-usual"],
        );
        let node = Process::start(&dir, "backbone", "backbone-1", &node_config(&dir));
        let link = node.address("link");
        let edge = |name: &str, client: &str| {
            let config = edge_config(&dir, name, &link, client);
            Process::start(&dir, "edge", name, &config)
        };
        let fast = edge("edge-fast", FAST);
        let usual = edge("edge-usual", "");
        Self {
            fast: fast.address("listen"),
            usual: usual.address("listen"),
            _processes: [node, fast, usual],
        }
    }
}

/// A directory of this process's own; those of processes that have ended are removed: nothing is dropped at the end.
fn fresh_dir() -> PathBuf {
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance");
    for old in fs::read_dir(&all).into_iter().flatten().flatten() {
        if !Path::new("/proc").join(old.file_name()).exists() {
            let _ = fs::remove_dir_all(old.path());
        }
    }
    let dir = all.join(std::process::id().to_string());
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).expect("target can be written");
    dir
}

fn node_config(dir: &Path) -> String {
    format!(
        "[backbone]\nlisten = \"{}:0\"\n[store]\npath = \"{}/store\"\n[admin]\nlisten = \"127.0.0.1:0\"\n{}{}",
        own_ip(),
        dir.display(),
        link_section(dir, "backbone-1", ""),
        namespaces(),
    )
}

/// Nobody is turned away because the machine is busy: that is no row.
fn edge_config(dir: &Path, name: &str, link: &str, client: &str) -> String {
    format!(
        "[edge]\nlisten = \"{}:0\"\nbackbones = [\"{link}\"]\ndrain_seconds = 1\naccept_lag_max = \"60s\"\n\
         [admin]\nlisten = \"127.0.0.1:0\"\n\
         [client]\nallow_anonymous_connect_without_token = true\n{client}\
         [client.token]\nhmac_secret_key = \"secret\"\n[api]\nkey = \"dev\"\n{}",
        own_ip(),
        link_section(dir, name, ""),
    )
}

/// The profile "fast".
const FAST: &str = "\
ping_interval = \"2s\"
pong_timeout = \"1s\"
stale_close_delay = \"2s\"
expired_close_delay = \"1s\"
expired_sub_close_delay = \"1s\"
presence_update_interval = \"1s\"
channel_position_check_delay = \"2s\"
channel_limit = 4
recovery_max_publication_limit = 10
history_max_publication_limit = 10
";

/// `plain` and `closed`, and the others twice: buffered and, with `-durable` behind the name, durable. `long` is `rec`
/// with room for all that a client may have missed by the default limits.
fn namespaces() -> String {
    let mut all =
        format!("[[namespace]]\nname = \"closed\"\n[[namespace]]\nname = \"plain\"\n{PLAIN}");
    for (suffix, class) in [("", "buffered"), ("-durable", "durable")] {
        for (name, size, forced) in [
            ("open", 100, false),
            ("rec", 100, true),
            ("small", 2, true),
            ("long", 1000, true),
        ] {
            all += &format!(
                "[[namespace]]\nname = \"{name}{suffix}\"\nclass = \"{class}\"\nhistory_size = {size}\n\
                 force_recovery = {forced}\n{OPEN}"
            );
        }
    }
    all
}

const PLAIN: &str = "\
allow_subscribe_for_client = true
allow_subscribe_for_anonymous = true
allow_publish_for_client = true
allow_publish_for_anonymous = true
";

const OPEN: &str = "\
history_ttl = \"300s\"
presence = true
join_leave = true
allow_recovery = true
allow_positioning = true
allow_subscribe_for_client = true
allow_subscribe_for_anonymous = true
allow_publish_for_subscriber = true
allow_presence_for_subscriber = true
allow_history_for_subscriber = true
";
