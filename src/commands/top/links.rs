//! The links between edges and nodes, as the nodes see them.

use std::collections::BTreeMap;
use std::time::Duration;

use trunkline_backbone::{RingLink, RingPage};

use super::columns::aligned;
use super::process::Process;
use super::table::{bytes, round_trip};

const TITLES: [&str; 8] = [
    "EDGE", "REGION", "NODE", "RTT", "IN/s", "OUT/s", "QUEUED", "LOST",
];

/// A title, and a line for each node that tells of its links and each edge that is linked to one of them; nothing where
/// there is no link.
pub(super) fn table(processes: &[Process]) -> Vec<String> {
    let nodes = || processes.iter().filter_map(|one| Some((one, one.ring()?)));
    let links = nodes().flat_map(|(_, page)| &page.links);
    let edges: BTreeMap<_, _> = links
        .map(|link| ((&link.edge, &link.incarnation), link))
        .collect();
    if edges.is_empty() {
        return Vec::new();
    }
    let rows = edges.values().flat_map(|edge| {
        let row = |(process, page)| row(edge, process, page);
        nodes().map(row).collect::<Vec<_>>()
    });
    let titles = TITLES.map(str::to_owned).to_vec();
    let rows: Vec<_> = std::iter::once(titles).chain(rows).collect();
    aligned(&rows, 3)
}

/// The link of an edge to a node, or that there is none.
fn row(edge: &RingLink, process: &Process, page: &RingPage) -> Vec<String> {
    let names = [
        edge.edge.to_string(),
        edge.region.to_string(),
        page.node.name.to_string(),
    ];
    let cells = match link(page, edge) {
        Some(link) => cells(process, link).to_vec(),
        None => vec!["no link".to_owned()],
    };
    names.into_iter().chain(cells).collect()
}

fn link<'a>(page: &'a RingPage, edge: &RingLink) -> Option<&'a RingLink> {
    let mut links = page.links.iter();
    links.find(|link| (&link.edge, &link.incarnation) == (&edge.edge, &edge.incarnation))
}

fn cells(process: &Process, now: &RingLink) -> [String; 5] {
    let before = process.ring_before().and_then(|page| link(page, now));
    let rate = |of: fn(&RingLink) -> u64| {
        let growth = process.growth(of(before?) as f64, of(now) as f64);
        growth.map(f64::round)
    };
    let time = Duration::try_from_secs_f64(now.round_trip_ms / 1e3).ok();
    [
        round_trip(time),
        bytes(rate(|link| link.bytes_in)),
        bytes(rate(|link| link.bytes_out)),
        bytes(Some(now.queued_bytes as f64)),
        now.lost_packets.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::process::{later, node};
    use super::*;

    fn link_of(edge: &str, bytes_in: u64) -> Value {
        json!({
            "edge": edge, "region": "eu-west", "incarnation": "0e".repeat(16), "round_trip_ms": 10.04,
            "frames_in": 1, "frames_out": 2, "bytes_in": bytes_in, "bytes_out": 0, "queued_bytes": 2048,
            "ephemeral_dropped": 0, "lost_packets": 3, "congestion_window": 12000,
        })
    }

    fn linked(name: &str, links: &Value) -> Process {
        node(name, "", &Value::Null, links)
    }

    #[test]
    fn a_link_that_is_missing_is_told_as_well_as_those_that_are_there() {
        let first = linked(
            "backbone-1",
            &json!([link_of("edge-a", 0), link_of("edge-b", 0)]),
        );
        let second = linked("backbone-2", &json!([link_of("edge-a", 0)]));
        assert_eq!(
            table(&[first, second]),
            [
                "EDGE    REGION   NODE            RTT  IN/s  OUT/s   QUEUED  LOST",
                "edge-a  eu-west  backbone-1  10.0 ms     -      -  2.0 KiB     3",
                "edge-a  eu-west  backbone-2  10.0 ms     -      -  2.0 KiB     3",
                "edge-b  eu-west  backbone-1  10.0 ms     -      -  2.0 KiB     3",
                "edge-b  eu-west  backbone-2  no link",
            ]
        );
    }

    #[test]
    fn rates_are_those_of_the_same_life_of_an_edge() {
        let before = linked("backbone-1", &json!([link_of("edge-a", 1024)]));
        let after = linked("backbone-1", &json!([link_of("edge-a", 3072)]));
        let lines = table(&[later(&before, &after, Duration::from_secs(2))]);
        assert!(lines[1].contains("  1.0 KiB    0 B  "), "{lines:?}");
        let restarted = linked("backbone-1", &json!([link_of("edge-a", 7)]));
        let lines = table(&[later(&before, &restarted, Duration::from_secs(2))]);
        assert!(lines[1].contains("ms     -    0 B  "), "{lines:?}");
    }

    #[test]
    fn nothing_is_shown_without_links() {
        assert!(table(&[linked("backbone-1", &json!([]))]).is_empty());
    }
}
