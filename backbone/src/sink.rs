//! Where a link's readers put what comes: each lane's frames to the shard that has the lane.

use tokio::sync::mpsc::UnboundedSender;
use trunkline_link::{LinkEnd, LinkSink};
use trunkline_shared::frame::ToNode;
use trunkline_shared::limits::LANES;
use trunkline_shared::{LinkId, StreamId};

use crate::control_task::ControlMessage;
use crate::shard_task::ShardMessage;

/// The queues of a node's machines.
///
/// They have no bound of their own: an edge sends only what its tables and its lanes' accounts allow, and requests
/// reserve the room of their answers (`design.md` §4).
#[derive(Clone)]
pub(crate) struct Machines {
    pub(crate) shards: Vec<UnboundedSender<ShardMessage>>,
    pub(crate) control: UnboundedSender<ControlMessage>,
}

impl Machines {
    fn of_lane(&self, lane: u8) -> &UnboundedSender<ShardMessage> {
        &self.shards[usize::from(lane) % self.shards.len()]
    }
}

/// One link's way to the machines. A machine that is gone takes nothing: the process is ending.
pub(crate) struct NodeSink {
    pub(crate) link: LinkId,
    pub(crate) machines: Machines,
}

impl NodeSink {
    /// Ephemeral frames name a slot, and belong to the shard of its lane.
    fn deliver_ephemeral(&self, frames: Vec<ToNode>) {
        for frame in frames {
            if let Some(slot) = frame.slot() {
                let frames = vec![frame];
                let shard = self.machines.of_lane(slot.lane(LANES));
                let _ = shard.send(ShardMessage::Frames {
                    link: self.link,
                    frames,
                });
            }
        }
    }
}

impl LinkSink<ToNode> for NodeSink {
    fn deliver(&self, stream: StreamId, frames: Vec<ToNode>) {
        match stream {
            StreamId::Control => {
                let _ = self.machines.control.send(ControlMessage::Frames {
                    link: self.link,
                    frames,
                });
            }
            StreamId::Lane(lane) => {
                let _ = self.machines.of_lane(lane).send(ShardMessage::Frames {
                    link: self.link,
                    frames,
                });
            }
            StreamId::Ephemeral => self.deliver_ephemeral(frames),
        }
    }

    fn sent(&self, stream: StreamId, weight: usize) {
        match stream {
            StreamId::Lane(lane) => {
                let _ = self.machines.of_lane(lane).send(ShardMessage::Sent {
                    link: self.link,
                    stream,
                    weight,
                });
            }
            StreamId::Control => {
                let _ = self.machines.control.send(ControlMessage::Sent {
                    link: self.link,
                    weight,
                });
            }
            // The link itself bounds its ephemeral queue.
            StreamId::Ephemeral => {}
        }
    }

    fn closed(&self, end: LinkEnd) {
        let goodbye = end.is_goodbye();
        for shard in &self.machines.shards {
            let _ = shard.send(ShardMessage::LinkDown {
                link: self.link,
                goodbye,
            });
        }
        let _ = self
            .machines
            .control
            .send(ControlMessage::LinkDown { link: self.link });
    }
}
