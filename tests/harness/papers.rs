//! Certificates for a test's own processes, and the section of a configuration that names them.

use std::path::Path;
use std::process::Stdio;

use super::trunkline;

/// Makes a mesh's authority in `dir`, unless there is one, and certificates for nodes and for edges as REGION/NAME.
pub(crate) fn make_certificates(dir: &Path, nodes: &[&str], edges: &[&str]) {
    let nodes = nodes.iter().flat_map(|node| ["--backbone", node]);
    let edges = edges.iter().flat_map(|edge| ["--edge", edge]);
    let made = trunkline()
        .args(["certs", "new", "--dir"])
        .arg(dir)
        .args(nodes.chain(edges))
        .stderr(Stdio::null())
        .status()
        .expect("trunkline starts");
    assert!(made.success());
}

/// The section `[link]` of a process with a certificate from `dir`, with further lines of it.
pub(crate) fn link_section(dir: &Path, name: &str, more: &str) -> String {
    let dir = dir.display();
    format!(
        "[link]\nca_file = \"{dir}/ca.pem\"\ncertificate_file = \"{dir}/{name}.pem\"\nkey_file = \"{dir}/{name}.key\"\n{more}\n"
    )
}
