//! Welcomes links and hands them to the machines.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use trunkline_backbone_core::io::EdgeIdentity;
use trunkline_link::{LinkServer, NodeLink, PeerIdentity};
use trunkline_shared::LinkId;

use crate::control_task::ControlMessage;
use crate::shard_task::ShardMessage;
use crate::sink::{Machines, NodeSink};

/// Accepts links until the server is closed.
pub(crate) async fn accept_links(server: &mut LinkServer, machines: &Machines) {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    while let Some(link) = server.accept().await {
        let id = LinkId(NEXT.fetch_add(1, Ordering::Relaxed));
        start(id, link, machines);
    }
}

fn start(link: LinkId, accepted: NodeLink, machines: &Machines) {
    let PeerIdentity::Edge { region, edge } = accepted.peer().clone() else {
        // The server refuses who isn't an edge; dropping the link closes it.
        return;
    };
    let edge = EdgeIdentity {
        edge,
        region,
        incarnation: accepted.introduction().incarnation,
    };
    let said = accepted.said().incarnation;
    accepted.start(|sender| {
        // Told before anything is read, so that no machine meets a frame of a link that it doesn't know.
        for shard in &machines.shards {
            shard.say(ShardMessage::LinkUp {
                link,
                edge: edge.clone(),
                sender: sender.clone(),
            });
        }
        machines.control.say(ControlMessage::LinkUp {
            link,
            edge,
            said,
            sender,
        });
        Arc::new(NodeSink {
            link,
            machines: machines.clone(),
        })
    });
}
