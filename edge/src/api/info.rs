//! `info`: the edges of the mesh.

use serde::Serialize;
use trunkline_edge_core::exchange::{Answer, ToUpstream};
use trunkline_edge_core::worker::VERSION;
use trunkline_shared::frame::EdgeReport;

use super::error::ApiError;
use crate::ask::Asker;

/// The edges that the backbone knows.
#[derive(Serialize)]
pub(super) struct InfoBody {
    nodes: Vec<NodeBody>,
}

#[derive(Serialize)]
struct NodeBody {
    uid: String,
    name: String,
    /// The answering edge's: edges don't tell each other theirs, and clients of the API want the field.
    version: &'static str,
    num_clients: u32,
    num_users: u32,
    num_channels: u32,
    num_subs: u32,
    uptime: u32,
    region: String,
}

/// Asks for the edges.
pub(super) async fn info(asker: &Asker) -> Result<InfoBody, ApiError> {
    let deadline = asker.deadline();
    let answer = asker
        .ask(|ticket| ToUpstream::Info { ticket, deadline })
        .await;
    match answer {
        Answer::Info(edges) => Ok(InfoBody {
            nodes: edges.iter().map(NodeBody::new).collect(),
        }),
        Answer::Subscribed { .. }
        | Answer::Published { .. }
        | Answer::History { .. }
        | Answer::HistoryRemoved { .. }
        | Answer::Presence(_)
        | Answer::PresenceStats { .. }
        | Answer::Refused(_) => Err(ApiError::of(&answer)),
    }
}

impl NodeBody {
    fn new(edge: &EdgeReport) -> Self {
        Self {
            uid: edge.incarnation.to_string(),
            name: edge.edge.to_string(),
            version: VERSION,
            num_clients: edge.stats.clients,
            num_users: edge.stats.users,
            num_channels: edge.stats.channels,
            num_subs: edge.stats.subscriptions,
            uptime: edge.stats.uptime_secs,
            region: edge.region.to_string(),
        }
    }
}
