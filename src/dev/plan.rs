//! What dev mode runs: names, ports, and the configuration of each process.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};
use trunkline_process::Port;

use crate::certs::Holder;

/// The regions of dev mode, in the order of their edges' ports.
const REGIONS: [&str; 3] = ["eu-west", "us-east", "ap-south"];

/// The only node.
const NODE: &str = "backbone-1";

const LINK_PORT: u16 = 7443;
const ADMIN_PORT: u16 = 9190;

/// Names and ports of all processes; ports are 0 when free ones are to be taken.
pub(crate) struct Plan {
    ip: IpAddr,
    base_port: u16,
}

impl Plan {
    pub(crate) const fn new(ip: IpAddr, base_port: u16) -> Self {
        Self { ip, base_port }
    }

    fn port(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.ip, if self.base_port == 0 { 0 } else { port })
    }

    /// Every port that is fixed, so that one that is taken is told before anything starts.
    pub(crate) fn ports(&self) -> Vec<Port> {
        let mut ports = vec![
            Port::udp(self.port(LINK_PORT)),
            Port::tcp(self.port(ADMIN_PORT)),
        ];
        for edge in self.edges() {
            ports.extend([Port::tcp(edge.listen), Port::tcp(edge.admin)]);
        }
        ports
    }

    /// The names that need certificates.
    pub(crate) fn holders(&self) -> Result<Vec<Holder>> {
        let edges = self
            .edges()
            .map(|edge| Holder::edge(&format!("{}/{}", edge.region, edge.name)));
        std::iter::once(Holder::backbone(NODE))
            .chain(edges)
            .collect()
    }

    pub(crate) const fn node(&self) -> &'static str {
        NODE
    }

    pub(crate) fn edges(&self) -> impl Iterator<Item = EdgePlan> + '_ {
        REGIONS
            .into_iter()
            .zip(0..)
            .map(|(region, place)| EdgePlan {
                region,
                name: format!("edge-{region}"),
                listen: self.port(self.base_port.saturating_add(place)),
                admin: self.port(ADMIN_PORT + 1 + place),
            })
    }

    /// The node's configuration.
    pub(crate) fn node_config(&self, dir: &Path) -> Value {
        json!({
            "backbone": { "listen": self.port(LINK_PORT) },
            "store": { "path": dir.join("store") },
            "link": link(dir, NODE),
            "admin": { "listen": self.port(ADMIN_PORT) },
            "namespace": namespaces(),
        })
    }
}

/// One edge of dev mode.
pub(crate) struct EdgePlan {
    pub(crate) name: String,
    region: &'static str,
    listen: SocketAddr,
    admin: SocketAddr,
}

impl EdgePlan {
    /// The edge's configuration; `backbone` is where the node's link endpoint is.
    pub(crate) fn config(&self, dir: &Path, backbone: &str) -> Value {
        json!({
            "edge": {
                "listen": self.listen,
                "backbones": [backbone],
                "drain_seconds": 1,
                "dev": true,
            },
            "link": link(dir, &self.name),
            "client": {
                "allow_anonymous_connect_without_token": true,
                "allowed_origins": ["*"],
                "token": { "hmac_secret_key": "dev" },
            },
            "api": { "key": "dev" },
            "admin": { "listen": self.admin },
        })
    }
}

fn link(dir: &Path, name: &str) -> Value {
    let file = |name: &str| dir.join("certs").join(name);
    json!({
        "ca_file": file("ca.pem"),
        "certificate_file": file(&format!("{name}.pem")),
        "key_file": file(&format!("{name}.key")),
    })
}

/// The namespaces of dev mode (`names.md`): everybody may do everything.
fn namespaces() -> Value {
    let open = json!({
        "allow_subscribe_for_client": true, "allow_subscribe_for_anonymous": true,
        "allow_publish_for_client": true, "allow_publish_for_anonymous": true,
        "allow_presence_for_client": true, "allow_presence_for_anonymous": true,
        "allow_history_for_client": true, "allow_history_for_anonymous": true,
    });
    let namespaces = [
        json!({
            "name": "chat", "class": "durable", "history_size": 1000, "history_ttl": "24h",
            "presence": true, "join_leave": true, "force_push_join_leave": true, "force_recovery": true,
        }),
        json!({
            "name": "live", "class": "buffered", "history_size": 100, "history_ttl": "300s", "force_recovery": true,
        }),
        json!({
            "name": "scores", "class": "buffered", "history_size": 10, "history_ttl": "1h", "routing_segments": 2,
        }),
        json!({ "name": "cursors", "class": "ephemeral" }),
        json!({
            "name": "", "class": "buffered", "history_size": 100, "history_ttl": "300s",
            "presence": true, "force_recovery": true,
        }),
    ];
    namespaces
        .into_iter()
        .map(|namespace| merged(&open, namespace))
        .collect()
}

fn merged(open: &Value, mut namespace: Value) -> Value {
    let (Some(into), Some(from)) = (namespace.as_object_mut(), open.as_object()) else {
        return namespace;
    };
    into.extend(from.clone());
    namespace
}
