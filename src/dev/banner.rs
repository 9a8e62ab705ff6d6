//! What a person sees once all is up.

use std::fmt::Write;
use std::path::Path;

use super::children::Children;
use super::plan::{Plan, REGIONS};
use super::state;
use super::wan::Distances;

/// Where everything is, and what can be done with it.
pub(crate) fn banner(
    plan: &Plan,
    distances: &Distances,
    children: &Children,
    dir: &Path,
) -> String {
    let mut text = String::from(
        "\nTrunkline is up. Open pages in two tabs to chat from one region to another:\n\n",
    );
    for process in children.ready.values() {
        let line = match (process.listen, process.link) {
            (Some(listen), _) => format!("{}://{listen}/", plan.scheme()),
            (None, Some(link)) => format!("link {link} (QUIC)"),
            (None, None) => String::new(),
        };
        let admin = process.admin;
        let _ = writeln!(
            text,
            "  {:<16} {line:<32} metrics http://{admin}/metrics",
            process.name
        );
    }
    if let Some(dsn) = &children.dsn {
        let _ = writeln!(text, "  {:<16} psql \"{dsn}\"", "postgres");
    }
    let _ = writeln!(
        text,
        "\n  API key \"dev\", token secret \"dev\"; data, logs and pids in {}",
        dir.display()
    );
    if distances.are_emulated() {
        text.push_str(&far(distances, dir));
    }
    if plan.tls() {
        text.push_str(&trust(dir));
    }
    text.push_str("  Ctrl-C stops everything.\n");
    text
}

/// How far regions are from the backbone, and how they are cut off.
fn far(distances: &Distances, dir: &Path) -> String {
    let far = REGIONS.map(|region| format!("{region} {} ms", distances.rtt_ms(region)));
    let program = std::env::args().next();
    let program = program.as_deref().unwrap_or("trunkline");
    let dir = if dir == Path::new(super::DIR) {
        String::new()
    } else {
        format!(" --dir {}", dir.display())
    };
    let [.., last] = REGIONS;
    format!(
        "  Round trips to the backbone: {} (--wan none: no distances)\n  From another terminal: {program} dev cut {last}{dir}, and dev heal {last}{dir}\n",
        far.join(", ")
    )
}

/// How clients come to trust the certificates, which no public authority has signed.
fn trust(dir: &Path) -> String {
    let authority = state::authority(dir);
    let authority = authority.display();
    format!(
        "  Trust the certificates by {authority}:\n    curl --cacert {authority}\n    NODE_EXTRA_CA_CERTS={authority} node\n"
    )
}
