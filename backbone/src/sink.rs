//! Where a link's readers put what comes: each lane's frames to the shard that has the lane.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use trunkline_link::{Inbox, LinkEnd, LinkSink};
use trunkline_shared::frame::ToNode;
use trunkline_shared::limits::LANES;
use trunkline_shared::{LinkId, StreamId};

use crate::control_task::ControlMessage;
use crate::membership::MembershipMessage;
use crate::shard_task::ShardMessage;

/// The queue of one machine. Frames of links are bounded by its inbox, everything else by what the machine itself
/// has asked for.
pub(crate) struct Queue<M> {
    pub(crate) sender: UnboundedSender<M>,
    pub(crate) inbox: Arc<Inbox>,
}

impl<M> Clone for Queue<M> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
            inbox: Arc::clone(&self.inbox),
        }
    }
}

impl<M> Queue<M> {
    /// Says something. A machine that is gone takes nothing: the process is ending.
    pub(crate) fn say(&self, message: M) {
        let _ = self.sender.send(message);
    }

    /// Hands frames over; `message` makes the machine's message of them and their weight.
    fn frames(&self, frames: Vec<ToNode>, message: impl FnOnce(Vec<ToNode>, usize) -> M) {
        let weight = frames.iter().map(ToNode::weight).sum();
        self.inbox.add(weight);
        self.say(message(frames, weight));
    }
}

/// The queues of a node's machines.
#[derive(Clone)]
pub(crate) struct Machines {
    pub(crate) shards: Vec<Queue<ShardMessage>>,
    pub(crate) control: Queue<ControlMessage>,
    pub(crate) membership: Queue<MembershipMessage>,
}

impl Machines {
    fn of_lane(&self, lane: u8) -> &Queue<ShardMessage> {
        &self.shards[usize::from(lane) % self.shards.len()]
    }
}

/// One link's way to the machines.
pub(crate) struct NodeSink {
    pub(crate) link: LinkId,
    pub(crate) machines: Machines,
}

impl NodeSink {
    fn to_shard(&self, lane: u8, frames: Vec<ToNode>) {
        let link = self.link;
        let message = |frames, weight| ShardMessage::Frames {
            link,
            frames,
            weight,
        };
        self.machines.of_lane(lane).frames(frames, message);
    }

    /// Ephemeral frames name a slot, and belong to the shard of its lane.
    fn deliver_ephemeral(&self, frames: Vec<ToNode>) {
        for frame in frames {
            if let Some(slot) = frame.slot() {
                self.to_shard(slot.lane(LANES), vec![frame]);
            }
        }
    }
}

impl LinkSink<ToNode> for NodeSink {
    fn deliver(&self, stream: StreamId, frames: Vec<ToNode>) {
        let link = self.link;
        match stream {
            StreamId::Control => {
                let message = |frames, weight| ControlMessage::Frames {
                    link,
                    frames,
                    weight,
                };
                self.machines.control.frames(frames, message);
            }
            StreamId::Lane(lane) => self.to_shard(lane, frames),
            StreamId::Ephemeral => self.deliver_ephemeral(frames),
        }
    }

    fn sent(&self, stream: StreamId, weight: usize) {
        let link = self.link;
        match stream {
            StreamId::Lane(lane) => self.machines.of_lane(lane).say(ShardMessage::Sent {
                link,
                stream,
                weight,
            }),
            StreamId::Control => self
                .machines
                .control
                .say(ControlMessage::Sent { link, weight }),
            // The link itself bounds its ephemeral queue.
            StreamId::Ephemeral => {}
        }
    }

    fn closed(&self, end: LinkEnd) {
        let (link, goodbye, broken) = (self.link, end.is_goodbye(), end.is_breach());
        for shard in &self.machines.shards {
            shard.say(ShardMessage::LinkDown { link, goodbye });
        }
        let message = ControlMessage::LinkDown { link, broken };
        self.machines.control.say(message);
    }

    fn full(&self, stream: StreamId) -> Option<&Inbox> {
        match stream {
            StreamId::Control => full(&self.machines.control.inbox),
            StreamId::Lane(lane) => full(&self.machines.of_lane(lane).inbox),
            StreamId::Ephemeral => self
                .machines
                .shards
                .iter()
                .find_map(|shard| full(&shard.inbox)),
        }
    }
}

fn full(inbox: &Inbox) -> Option<&Inbox> {
    inbox.is_full().then_some(inbox)
}
