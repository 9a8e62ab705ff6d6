//! Configurations of a run's processes: everybody may do everything, so that no token stands between a fault and its proof.

use std::path::Path;

use crate::args::Fault;

/// Namespace of the channels whose messages are followed.
pub(super) const DURABLE: &str = "chat";

/// Namespace of the channel that needs no store.
pub(super) const EPHEMERAL: &str = "cursors";

/// Key of the server API.
pub(super) const API_KEY: &str = "chaos";

/// What everybody may do.
const OPEN: &str = "allow_subscribe_for_client = true\nallow_subscribe_for_anonymous = true\n\
    allow_publish_for_client = true\nallow_publish_for_anonymous = true\n";

/// A cut link counts as lost while it is cut, in most runs.
const SHORT_IDLE: &str =
    "idle_timeout = \"1s\"\nkeep_alive = \"300ms\"\nreconnect_max = \"200ms\"\n";

/// A node's configuration: its messages in `dsn`, else in `store`.
pub(super) fn node_config(
    listen: &str,
    store: &Path,
    dsn: Option<&str>,
    certificates: &Path,
    fault: Fault,
) -> String {
    let store = match dsn {
        Some(dsn) => format!("kind = \"postgres\"\npostgres.dsn = \"{dsn}\"\n"),
        None => format!("path = \"{}\"\n", store.display()),
    };
    let link = link_section(certificates, "backbone-1", fault);
    format!(
        "[backbone]\nlisten = \"{listen}\"\n[store]\n{store}[admin]\nlisten = \"127.0.0.1:0\"\n{link}\
         [[namespace]]\nname = \"{DURABLE}\"\nclass = \"durable\"\nhistory_size = 1000000\nhistory_ttl = \"1h\"\n\
         force_recovery = true\n{OPEN}\
         [[namespace]]\nname = \"{EPHEMERAL}\"\nclass = \"ephemeral\"\npresence = true\n{OPEN}"
    )
}

/// An edge's configuration; without `follow_view` it reaches the node only at `link`.
pub(super) fn edge_config(
    name: &str,
    listen: &str,
    link: &str,
    follow_view: bool,
    certificates: &Path,
    fault: Fault,
) -> String {
    let section = link_section(certificates, name, fault);
    format!(
        "[edge]\nlisten = \"{listen}\"\nbackbones = [\"{link}\"]\nfollow_view = {follow_view}\nworkers = 1\n\
         [admin]\nlisten = \"127.0.0.1:0\"\n\
         [client]\nallow_anonymous_connect_without_token = true\nrecovery_max_publication_limit = 5000\n\
         [api]\nkey = \"{API_KEY}\"\n{section}"
    )
}

fn link_section(certificates: &Path, name: &str, fault: Fault) -> String {
    let dir = certificates.display();
    let idle = if fault == Fault::Link { SHORT_IDLE } else { "" };
    format!(
        "[link]\nca_file = \"{dir}/ca.pem\"\ncertificate_file = \"{dir}/{name}.pem\"\nkey_file = \"{dir}/{name}.key\"\n{idle}"
    )
}
