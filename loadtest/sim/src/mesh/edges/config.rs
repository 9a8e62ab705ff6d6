//! How the machines of an edge are set in a run.

use trunkline_edge_core::upstream::UpstreamConfig;
use trunkline_edge_core::worker::{ClientConfig, WorkerConfig};

use crate::mesh::node::address;
use crate::scenario::Tuning;

/// Settings of a way upstream.
pub(super) fn upstream(tuning: &Tuning, nodes: usize) -> UpstreamConfig {
    UpstreamConfig {
        contacts: (0..nodes).map(|node| address(node).into()).collect(),
        lane_queue_bytes: tuning.edge_lane_bytes,
        ephemeral_queue_bytes: tuning.ephemeral_queue_bytes,
        worker_queue_bytes: tuning.worker_queue_bytes,
        ring_publications_max: tuning.edge_ring,
        ..UpstreamConfig::default()
    }
}

/// Settings of a worker.
pub(super) fn worker(tuning: &Tuning) -> WorkerConfig {
    let client = ClientConfig {
        allow_anonymous_connect_without_token: true,
        ping_interval: tuning.ping_interval,
        pong_timeout: tuning.ping_interval / 2,
        queue_max_size: bytesize::ByteSize(tuning.send_queue_bytes as u64),
        queue_max_publications: tuning.send_queue_publications,
        ..ClientConfig::default()
    };
    WorkerConfig { client }
}
