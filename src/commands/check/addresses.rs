//! Addresses: those to listen on, and those to dial.

use std::net::{SocketAddr, ToSocketAddrs};

use trunkline_process::{Port, port_owner};

use super::finding::Finding;
use super::role::Subject;

/// Names of our executables: one of them on a port is probably the process that the configuration is of.
const OURS: [&str; 3] = ["trunkline ", "edge ", "backbone "];

/// Looks at all addresses.
pub(super) fn check(subject: &Subject) -> Vec<Finding> {
    let admin = port("admin.listen", Port::tcp(subject.admin().listen));
    match subject {
        Subject::Edge(config) => {
            let mut findings = vec![port("edge.listen", Port::tcp(config.edge.listen)), admin];
            let nodes = config.edge.backbones.iter();
            findings.extend(nodes.map(|node| resolve("edge.backbones", node)));
            findings
        }
        Subject::Backbone(config) => {
            let listen = port("backbone.listen", Port::udp(config.backbone.listen));
            let mut findings = vec![listen, admin];
            if !config.backbone.advertise.is_empty() {
                findings.push(resolve("backbone.advertise", &config.backbone.advertise));
            }
            findings
        }
    }
}

fn port(what: &str, port: Port) -> Finding {
    let kind = if port.udp { "UDP" } else { "TCP" };
    let address = port.address;
    if address.port() == 0 {
        return Finding::ok(what, format!("{kind} {}, any free port", address.ip()));
    }
    match port.try_bind() {
        Ok(()) => Finding::ok(what, format!("{kind} {address} is free")),
        Err(error) => taken(what, port, &format!("{kind} {address}: {error}")),
    }
}

fn taken(what: &str, port: Port, detail: &str) -> Finding {
    let ours = |owner: String| OURS.iter().any(|name| owner.starts_with(name));
    if port_owner(port).is_some_and(ours) {
        Finding::warn(what, format!("{detail}; fine where that is this process"))
    } else {
        Finding::fail(what, detail)
    }
}

fn resolve(what: &str, address: &str) -> Finding {
    let found = address.to_socket_addrs();
    let found = found.map(|found| found.map(|address| address.to_string()).collect::<Vec<_>>());
    match found {
        Ok(found) if found.is_empty() => Finding::fail(what, format!("{address} has no address")),
        Ok(_) if address.parse::<SocketAddr>().is_ok() => Finding::ok(what, address),
        Ok(found) => Finding::ok(what, format!("{address} is {}", found.join(", "))),
        Err(error) => Finding::fail(what, format!("{address}: {error}")),
    }
}
