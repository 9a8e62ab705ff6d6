//! Configurations of the mesh's processes: everybody may do everything, so that no token stands between a fault and its proof.

use std::net::SocketAddr;
use std::path::Path;

/// Namespace of the channels whose messages are followed.
pub(super) const DURABLE: &str = "chat";

/// Key of the server API.
pub(super) const API_KEY: &str = "cluster";

/// Seconds over which an edge that stops closes its connections.
pub(super) const EDGE_DRAIN_SECONDS: u64 = 2;

/// A node's configuration. Links come by way of `advertise`, the database is reached by `dsn`.
pub(super) fn node_config(
    name: &str,
    listen: SocketAddr,
    advertise: SocketAddr,
    dsn: &str,
    certificates: &Path,
) -> String {
    let link = link_section(certificates, name);
    format!(
        "[backbone]\nlisten = \"{listen}\"\nadvertise = \"{advertise}\"\n\
         [store]\nkind = \"postgres\"\npostgres.dsn = \"{dsn}\"\n\
         [admin]\nlisten = \"127.0.0.1:0\"\n{link}\
         [[namespace]]\nname = \"{DURABLE}\"\nclass = \"durable\"\nhistory_size = 1000000\nhistory_ttl = \"1h\"\n\
         force_recovery = true\nallow_subscribe_for_client = true\nallow_subscribe_for_anonymous = true\n\
         allow_publish_for_client = true\nallow_publish_for_anonymous = true\n"
    )
}

/// An edge's configuration. It first dials `contacts`.
pub(super) fn edge_config(
    name: &str,
    listen: &str,
    contacts: &[SocketAddr],
    certificates: &Path,
) -> String {
    let link = link_section(certificates, name);
    let contacts: Vec<_> = contacts.iter().map(|one| format!("\"{one}\"")).collect();
    let contacts = contacts.join(", ");
    format!(
        "[edge]\nlisten = \"{listen}\"\nbackbones = [{contacts}]\nworkers = 1\n\
         drain_seconds = {EDGE_DRAIN_SECONDS}\n\
         [admin]\nlisten = \"127.0.0.1:0\"\n\
         [client]\nallow_anonymous_connect_without_token = true\nchannel_limit = 256\n\
         recovery_max_publication_limit = 5000\n\
         [api]\nkey = \"{API_KEY}\"\n{link}"
    )
}

/// A link that is cut counts as lost in some runs and not in others.
fn link_section(certificates: &Path, name: &str) -> String {
    let dir = certificates.display();
    format!(
        "[link]\nca_file = \"{dir}/ca.pem\"\ncertificate_file = \"{dir}/{name}.pem\"\nkey_file = \"{dir}/{name}.key\"\n\
         idle_timeout = \"3s\"\nkeep_alive = \"1s\"\n"
    )
}
