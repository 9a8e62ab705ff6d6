//! Doing what the node's machines want.

use trunkline_backbone_core::ControlOutput;
use trunkline_backbone_core::Shard;
use trunkline_backbone_core::io::Output;
use trunkline_shared::frame::ToEdge;
use trunkline_shared::{Instant, LinkId, StreamId};

use super::SHARDS;
use crate::disk::Asker;
use crate::mesh::Mesh;
use crate::mesh::event::Event;
use crate::network::Side;

impl Mesh {
    pub(in crate::mesh) fn wake_node(&mut self, life: u64) {
        if life != self.node.life {
            return;
        }
        self.node.wake = None;
        let now = self.node.clock.now(self.now);
        let due =
            |timeout: Option<(Instant, &str)>| timeout.is_some_and(|(at, _)| at <= now.instant);
        if let Some(machines) = &mut self.node.machines {
            if due(machines.control.poll_timeout()) {
                machines.control.handle_timeout(now);
            }
            for shard in &mut machines.shards {
                if due(shard.poll_timeout()) {
                    shard.handle_timeout(now);
                }
            }
        }
        self.drain_node();
    }

    /// Does what the node's machines want, until they want nothing more.
    pub(in crate::mesh) fn drain_node(&mut self) {
        while let Some(output) = self
            .node
            .machines
            .as_mut()
            .and_then(|machines| machines.control.poll_output())
        {
            self.perform_control(output);
        }
        for shard in 0..SHARDS {
            while let Some(output) = self
                .node
                .machines
                .as_mut()
                .and_then(|machines| machines.shards[shard].poll_output())
            {
                self.perform_shard(shard, output);
            }
        }
        self.arm_node();
    }

    fn perform_control(&mut self, output: ControlOutput) {
        match output {
            ControlOutput::Send { link, frame } => {
                self.send_to_edge(link, StreamId::Control, frame)
            }
            ControlOutput::Goodbye { link } => {
                if let Some(link) = self.links.get_mut(&link) {
                    link.goodbye = true;
                }
            }
            ControlOutput::NewerView(view) => {
                let oddity = format!("an edge has view {}, newer than the node's", view.version);
                self.note(|| oddity);
            }
            ControlOutput::Close { link, reason } => self.close_link(link, Side::Node, reason),
        }
    }

    fn perform_shard(&mut self, shard: usize, output: Output) {
        match output {
            Output::Send {
                link,
                stream,
                frame,
            } => self.send_to_edge(link, stream, frame),
            Output::Store(ticket, request) => {
                self.note(|| format!("shard {shard} asks the store: {request:?}"));
                self.ask_store(
                    Asker::Shard {
                        life: self.node.life,
                        shard,
                        ticket,
                    },
                    request,
                );
            }
            Output::Settled { version } => {
                self.note(|| format!("shard {shard} has settled view {version}"));
            }
            Output::NeedView { version } => {
                let oddity = format!("shard {shard} hears of view {version}, later than its own");
                self.record.oddities.push((self.now, oddity));
            }
            Output::Close { link, reason } => self.close_link(link, Side::Node, reason),
        }
    }

    fn send_to_edge(&mut self, id: LinkId, stream: StreamId, frame: ToEdge) {
        self.count_to_edge(&frame);
        self.note(|| format!("node → {id:?} {stream:?} {frame:?}"));
        if let Some(link) = self.links.get_mut(&id)
            && let Some(after) = link
                .to_edge
                .push(stream, (frame.weight(), frame.slot()), frame)
        {
            self.plan(
                after,
                Event::Write {
                    link: id,
                    side: Side::Node,
                },
            );
        }
    }

    fn arm_node(&mut self) {
        let Some(machines) = &self.node.machines else {
            return;
        };
        let shards = machines.shards.iter().filter_map(Shard::poll_timeout);
        let Some((first, _)) = shards.chain(machines.control.poll_timeout()).min() else {
            return;
        };
        let at = self.node.clock.when(first).max(self.now);
        if self.node.wake.is_none_or(|wake| at < wake) {
            self.node.wake = Some(at);
            self.agenda.plan(
                at,
                Event::NodeWake {
                    life: self.node.life,
                },
            );
        }
    }
}
