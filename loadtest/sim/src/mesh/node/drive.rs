//! Doing what a node's machines want.

use trunkline_backbone_core::io::Output;
use trunkline_backbone_core::membership::io::MembershipInput;
use trunkline_backbone_core::{ControlOutput, Shard};
use trunkline_shared::frame::ToEdge;
use trunkline_shared::{Instant, LinkId, StreamId};

use super::{Machines, SHARDS};
use crate::disk::Asker;
use crate::mesh::Mesh;
use crate::mesh::event::Event;
use crate::mesh::links::shown_to_edge;
use crate::network::Side;

impl Mesh {
    pub(in crate::mesh) fn wake_node(&mut self, node: usize, process: u64) {
        if process == self.nodes[node].process {
            self.nodes[node].wake = None;
            self.wake_machines(node);
        }
    }

    /// Lets the machines do what is due; a membership that has begun just now, its first step.
    pub(super) fn wake_machines(&mut self, node: usize) {
        self.with_node(node, |machines, now| {
            let due =
                |timeout: Option<(Instant, &str)>| timeout.is_some_and(|(at, _)| at <= now.instant);
            if due(machines.membership.poll_timeout()) {
                machines.membership.handle_timeout(now);
            }
            if due(machines.control.poll_timeout()) {
                machines.control.handle_timeout(now);
            }
            for shard in &mut machines.shards {
                if due(shard.poll_timeout()) {
                    shard.handle_timeout(now);
                }
            }
        });
    }

    /// Does what a node's machines want, until they want nothing more.
    pub(in crate::mesh) fn drain_node(&mut self, node: usize) {
        while self.perform_next(node) {}
        self.arm_node(node);
    }

    /// Does the next thing that a node's machines want; false when they want nothing.
    fn perform_next(&mut self, node: usize) -> bool {
        let Some(machines) = &mut self.nodes[node].machines else {
            return false;
        };
        if let Some(output) = machines.membership.poll_output() {
            self.perform_membership(node, output);
        } else if let Some(output) = machines.control.poll_output() {
            self.perform_control(node, output);
        } else if let Some((shard, output)) = next_of_shards(machines) {
            self.perform_shard(node, shard, output);
        } else {
            return false;
        }
        true
    }

    fn perform_control(&mut self, node: usize, output: ControlOutput) {
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
                self.note(|| format!("an edge shows node {node} view {}", view.version));
                self.tell_membership(node, MembershipInput::ViewShown(view));
            }
            ControlOutput::Close { link, reason } => self.close_link(link, Side::Node, reason),
        }
    }

    fn perform_shard(&mut self, node: usize, shard: usize, output: Output) {
        match output {
            Output::Send {
                link,
                stream,
                frame,
            } => self.send_to_edge(link, stream, frame),
            Output::Store(ticket, request) => {
                self.note(|| format!("node {node} shard {shard} asks the store: {request:?}"));
                let asker = Asker::Shard {
                    node,
                    process: self.nodes[node].process,
                    shard,
                    ticket,
                };
                self.ask_store(asker, request);
            }
            Output::Settled { version } => {
                self.note(|| format!("node {node} shard {shard} has settled view {version}"));
                self.settled(node, shard, version);
            }
            Output::NeedView { version } => {
                self.note(|| format!("node {node} shard {shard} hears of view {version}"));
                self.tell_membership(node, MembershipInput::NeedView(version));
            }
            Output::Close { link, reason } => self.close_link(link, Side::Node, reason),
        }
    }

    fn send_to_edge(&mut self, id: LinkId, stream: StreamId, frame: ToEdge) {
        self.count_to_edge(&frame);
        self.witness_numbering(id, &frame);
        self.note(|| format!("node → {id:?} {stream:?} {}", shown_to_edge(&frame)));
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

    fn arm_node(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        let Some(machines) = &node.machines else {
            return;
        };
        let shards = machines.shards.iter().filter_map(Shard::poll_timeout);
        let others = machines.control.poll_timeout();
        let others = others.into_iter().chain(machines.membership.poll_timeout());
        let Some((first, _)) = shards.chain(others).min() else {
            return;
        };
        let at = node.clock.when(first).max(self.now);
        if node.wake.is_none_or(|wake| at < wake) {
            node.wake = Some(at);
            let process = node.process;
            let event = Event::NodeWake {
                node: number,
                process,
            };
            self.agenda.plan(at, event);
        }
    }
}

fn next_of_shards(machines: &mut Machines) -> Option<(usize, Output)> {
    let mut shards = machines.shards[..SHARDS].iter_mut().enumerate();
    shards.find_map(|(shard, machine)| Some((shard, machine.poll_output()?)))
}
