use std::time::Duration;

use trunkline_link::LinkCounters;
use trunkline_telemetry::names::{edge, link, log, upstream};

use super::*;
use crate::gate::Gate;
use crate::history_pages::HistoryReport;
use crate::upstream_task::UpstreamReport;
use crate::worker_thread::WorkerReport;

fn text() -> String {
    let mut page = Page::default();
    let mut worker = WorkerReport {
        lag: Duration::from_millis(5),
        ..WorkerReport::default()
    };
    worker.stats.clients = 2;
    worker.stats.counters.closes.insert(3001, 4);
    page.workers(&[worker.clone(), worker]);
    page.gate(&Gate::new(1, 1));
    page.history(&HistoryReport {
        hits: 6,
        ..HistoryReport::default()
    });
    page.log();
    page.api(vec![("publish", 0, 3), ("publish", 102, 1)]);
    let links = vec![(
        "backbone-1".to_owned(),
        LinkCounters {
            frames_in: 9,
            ..LinkCounters::default()
        },
    )];
    page.upstream(&UpstreamReport {
        inbox_bytes: 0,
        links,
        ..UpstreamReport::default()
    });
    page.text()
}

#[test]
fn workers_are_added_up_and_labels_are_shown() {
    let text = text();
    for line in [
        "trunkline_edge_clients 4.0",
        "trunkline_edge_closes_total{code=\"3001\"} 8",
        "trunkline_edge_worker_lag_seconds{worker=\"1\"} 0.005",
        "trunkline_edge_api_calls_total{method=\"publish\",outcome=\"102\"} 1",
        "trunkline_edge_history_cache_total{outcome=\"hit\"} 6",
        "trunkline_link_frames_in_total{peer=\"backbone-1\"} 9",
        "trunkline_upstream_unanswered_bytes 0.0",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn the_page_shows_every_name_and_no_other() {
    let text = text();
    let shown = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let mut shown: Vec<&str> = shown.collect();
    let mut known: Vec<&str> = [edge::ALL, upstream::ALL, link::ALL, log::ALL]
        .concat()
        .iter()
        .map(|metric| metric.name)
        .collect();
    // No command has failed in this test, and a metric without a value isn't shown.
    known.retain(|name| *name != edge::ERRORS.name);
    shown.sort_unstable();
    known.sort_unstable();
    assert_eq!(shown, known);
}
