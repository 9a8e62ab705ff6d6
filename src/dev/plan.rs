//! What dev mode runs: names, ports, and the configuration of each process.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use anyhow::{Result, anyhow};
use serde_json::{Value, json};
use trunkline_process::Port;

use super::state;
use crate::certs::Holder;

/// The regions of dev mode, in the order of their edges' ports.
pub(crate) const REGIONS: [&str; 3] = ["eu-west", "us-east", "ap-south"];

/// The first edge's port unless another is asked for, the node's then, and the first of the admin ports.
pub(crate) const BASE_PORT: u16 = 8000;
const LINK_PORT: u16 = 7443;
const ADMIN_PORT: u16 = 9190;

/// Most nodes of a mesh in dev mode.
pub(crate) const NODES_MAX: u8 = 9;

/// Names and ports of all processes; ports are 0 when free ones are to be taken.
pub(crate) struct Plan {
    ip: IpAddr,
    /// How many backbone nodes.
    nodes: u8,
    /// The first edge's port; all others are as far from it as from [`BASE_PORT`], so that meshes can run side by side.
    base_port: u16,
    tls: bool,
}

impl Plan {
    /// Plans the processes; with `tls` the edges show clients a certificate.
    ///
    /// # Errors
    /// When a port would be none.
    pub(crate) fn new(ip: IpAddr, nodes: u8, base_port: u16, tls: bool) -> Result<Self> {
        let plan = Self {
            ip,
            nodes,
            base_port,
            tls,
        };
        let last = node_admin_port(nodes);
        if plan.moved(LINK_PORT).is_none() || plan.moved(last).is_none() {
            let (least, most) = (BASE_PORT - LINK_PORT + 1, u16::MAX - (last - BASE_PORT));
            return Err(anyhow!(
                "--base-port {base_port}: other ports follow it, so it must be 0 or {least} to {most}"
            ));
        }
        Ok(plan)
    }

    /// A port of the standard mesh, moved as this one's are; `None` when it would be none.
    fn moved(&self, port: u16) -> Option<u16> {
        if self.base_port == 0 {
            return Some(0);
        }
        let moved = i32::from(port) - i32::from(BASE_PORT) + i32::from(self.base_port);
        u16::try_from(moved).ok().filter(|port| *port > 0)
    }

    fn port(&self, port: u16) -> SocketAddr {
        let moved = self.moved(port).expect("checked when the plan was made");
        SocketAddr::new(self.ip, moved)
    }

    /// Every port that is fixed, so that one that is taken is told before anything starts.
    pub(crate) fn ports(&self) -> Vec<Port> {
        let mut ports = Vec::new();
        for node in self.nodes() {
            ports.extend([Port::udp(node.listen), Port::tcp(node.admin)]);
        }
        for edge in self.edges() {
            ports.extend([Port::tcp(edge.listen), Port::tcp(edge.admin)]);
        }
        ports
    }

    /// Whom certificates are needed for.
    pub(crate) fn holders(&self) -> Result<Vec<Holder>> {
        let edges = self
            .edges()
            .map(|edge| Holder::edge(&format!("{}/{}", edge.region, edge.name)));
        let shown = self.edges().filter(|_| self.tls);
        let shown = shown.map(|edge| Ok(Holder::for_clients(&edge.name, self.ip)));
        let nodes = self.nodes().map(|node| Holder::backbone(&node.name));
        nodes.chain(edges).chain(shown).collect()
    }

    /// What everything listens on.
    pub(crate) const fn ip(&self) -> IpAddr {
        self.ip
    }

    /// How the URL of an edge begins.
    pub(crate) const fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }

    /// Whether the edges' clients come by TLS.
    pub(crate) const fn tls(&self) -> bool {
        self.tls
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodePlan> + '_ {
        (1..=self.nodes).map(|number| NodePlan {
            name: format!("backbone-{number}"),
            listen: self.port(LINK_PORT + u16::from(number) - 1),
            admin: self.port(node_admin_port(number)),
        })
    }

    pub(crate) fn edges(&self) -> impl Iterator<Item = EdgePlan> + '_ {
        REGIONS
            .into_iter()
            .zip(0..)
            .map(|(region, place)| EdgePlan {
                region,
                name: format!("edge-{region}"),
                listen: self.port(BASE_PORT + place),
                admin: self.port(ADMIN_PORT + 1 + place),
                tls: self.tls,
            })
    }
}

/// The first node has the first of the admin ports, and the others those behind the edges'.
fn node_admin_port(number: u8) -> u16 {
    match number {
        0 | 1 => ADMIN_PORT,
        more => ADMIN_PORT + u16::try_from(REGIONS.len()).expect("three") + u16::from(more) - 1,
    }
}

/// One node of dev mode.
pub(crate) struct NodePlan {
    pub(crate) name: String,
    listen: SocketAddr,
    admin: SocketAddr,
}

impl NodePlan {
    /// The node's configuration, with its section `[store]`.
    pub(crate) fn config(&self, dir: &Path, store: &Value) -> Value {
        json!({
            "backbone": { "listen": self.listen },
            "store": store,
            "link": link(dir, &self.name),
            "admin": { "listen": self.admin },
            "namespace": namespaces(),
        })
    }
}

/// How an edge reaches the nodes.
#[derive(Clone, Debug)]
pub(crate) struct Uplink {
    /// The addresses that it dials.
    pub(crate) backbones: Vec<SocketAddr>,
    /// Whether it may dial the nodes' own addresses too, once it knows them.
    pub(crate) follow_view: bool,
}

/// One edge of dev mode.
pub(crate) struct EdgePlan {
    pub(crate) name: String,
    pub(crate) region: &'static str,
    listen: SocketAddr,
    admin: SocketAddr,
    tls: bool,
}

impl EdgePlan {
    /// The edge's configuration.
    pub(crate) fn config(&self, dir: &Path, uplink: &Uplink) -> Value {
        json!({
            "edge": {
                "listen": self.listen,
                "backbones": uplink.backbones,
                "follow_view": uplink.follow_view,
                "drain_seconds": 1,
                "dev": true,
                "tls": if self.tls { pair(dir, &format!("client-{}", self.name)) } else { json!({}) },
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
    let mut link = pair(dir, name);
    link["ca_file"] = json!(state::authority(dir));
    // Two ends that are cut off from each other wait for goodbyes in vain, and all must be over within two seconds.
    link["goodbye_timeout"] = json!("500ms");
    link
}

fn pair(dir: &Path, name: &str) -> Value {
    let file = |ending| dir.join("certs").join(format!("{name}.{ending}"));
    json!({ "certificate_file": file("pem"), "key_file": file("key") })
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
