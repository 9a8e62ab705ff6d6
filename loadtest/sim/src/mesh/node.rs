//! A backbone process: its membership, its control and its shards, driven as the shell drives them.

mod counting;
mod drive;
mod life;
mod membership;

pub(super) use membership::of_view;

use std::sync::Arc;

use trunkline_backbone_core::io::{EdgeIdentity, Input, StoreAnswer};
use trunkline_backbone_core::membership::KeptRules;
use trunkline_backbone_core::membership::io::MembershipInput;
use trunkline_backbone_core::{Control, ControlInput, Membership, Shard, ShardConfig};
use trunkline_shared::frame::ToNode;
use trunkline_shared::limits::LANES;
use trunkline_shared::{
    Incarnation, Instant, LinkId, NodeId, Now, RingView, Slot, StreamId, ViewVersion,
};

use super::Mesh;
use crate::clock::Clock;
use crate::dice::Dice;
use crate::disk::Asker;
use crate::network::Written;
use crate::scenario::Tuning;

/// Shards of a node.
const SHARDS: usize = 2;

/// The name of a node.
pub(super) fn name(node: usize) -> NodeId {
    NodeId::parse(&format!("backbone-{}", node + 1)).expect("a good name")
}

/// Where edges reach a node.
pub(super) fn address(node: usize) -> String {
    format!("10.0.0.{}:7443", node + 1)
}

/// A backbone process, or the place where it will be.
#[derive(Debug)]
pub(super) struct Node {
    /// Which process; grows when one begins and when it ends.
    pub(super) process: u64,
    /// It meets nothing until then.
    pub(super) frozen_until: Instant,
    machines: Option<Machines>,
    clock: Clock,
    seed: u64,
    wake: Option<Instant>,
    /// It was killed or left, and comes back by an event that is planned.
    comes_back: bool,
}

#[derive(Debug)]
struct Machines {
    membership: Membership,
    control: Control,
    shards: Vec<Shard>,
    /// The present life, as hellos name it.
    life: Incarnation,
    view: Option<Arc<RingView>>,
    rules: Option<Arc<KeptRules>>,
    /// By shard, the version that it has settled.
    settled: [ViewVersion; SHARDS],
    /// Links are taken once the first slots are claimed.
    takes_links: bool,
    health: Health,
}

/// What edges are told of the store.
#[derive(Clone, Copy, Debug, Default)]
struct Health {
    away: bool,
    lease_over: bool,
}

impl Health {
    const fn is_away(self) -> bool {
        self.away || self.lease_over
    }
}

impl Node {
    /// Makes a place for a process.
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self {
            process: 0,
            frozen_until: Instant::ZERO,
            machines: None,
            clock: Clock::new(dice, 0),
            seed: dice.seed(),
            wake: None,
            comes_back: false,
        }
    }

    /// Whether its process runs.
    pub(super) const fn runs(&self) -> bool {
        self.machines.is_some()
    }

    /// Whether it takes links.
    pub(super) fn takes_links(&self) -> bool {
        self.machines
            .as_ref()
            .is_some_and(|machines| machines.takes_links)
    }

    /// Its present life.
    pub(super) fn life(&self) -> Option<Incarnation> {
        self.machines.as_ref().map(|machines| machines.life)
    }

    /// The version of the view that it holds.
    pub(super) fn version(&self) -> Option<ViewVersion> {
        let view = self.machines.as_ref()?.view.as_ref();
        view.map(|view| view.version)
    }

    /// Lets its machines check themselves.
    pub(super) fn check_invariants(&self) {
        self.machines
            .iter()
            .flat_map(|machines| &machines.shards)
            .for_each(Shard::check_invariants);
    }
}

fn config(index: usize, tuning: &Tuning) -> ShardConfig {
    ShardConfig {
        index,
        shards: SHARDS,
        lane_queue_bytes: tuning.node_lane_bytes,
        ephemeral_queue_bytes: tuning.ephemeral_queue_bytes,
        ..ShardConfig::default()
    }
}

fn shard_of(slot: Slot) -> usize {
    usize::from(slot.lane(LANES)) % SHARDS
}

impl Mesh {
    /// Lets the machines of a node take something, and does what they want then.
    fn with_node(&mut self, node: usize, f: impl FnOnce(&mut Machines, Now)) {
        let now = self.nodes[node].clock.now(self.now);
        if let Some(machines) = &mut self.nodes[node].machines {
            f(machines, now);
            self.drain_node(node);
        }
    }

    /// A link is up for its node.
    pub(super) fn node_link_up(&mut self, node: usize, link: LinkId, edge: &EdgeIdentity) {
        self.with_node(node, |machines, now| {
            let up = ControlInput::LinkUp {
                link,
                edge: edge.clone(),
            };
            machines.control.handle_input(now, up);
            for shard in &mut machines.shards {
                let edge = edge.clone();
                shard.handle_input(now, Input::LinkUp { link, edge });
            }
        });
    }

    /// A link is down for its node.
    pub(super) fn node_link_down(&mut self, node: usize, link: LinkId, goodbye: bool) {
        self.with_node(node, |machines, now| {
            let down = ControlInput::LinkDown { link };
            machines.control.handle_input(now, down);
            for shard in &mut machines.shards {
                shard.handle_input(now, Input::LinkDown { link, goodbye });
            }
        });
    }

    /// A frame has arrived at a node.
    pub(super) fn node_frame(
        &mut self,
        node: usize,
        link: LinkId,
        stream: StreamId,
        frame: ToNode,
    ) {
        if stream != StreamId::Control && frame.slot().is_none() {
            let oddity = format!("a frame without a slot on {stream:?}");
            return self.record.oddities.push((self.now, oddity));
        }
        self.with_node(node, |machines, now| match (stream, frame.slot()) {
            (StreamId::Lane(_) | StreamId::Ephemeral, Some(slot)) => {
                machines.shards[shard_of(slot)].handle_input(now, Input::Frame { link, frame });
            }
            (StreamId::Control | StreamId::Lane(_) | StreamId::Ephemeral, _) => machines
                .control
                .handle_input(now, ControlInput::Frame { link, frame }),
        });
    }

    /// The writer has written something of a node.
    pub(super) fn node_sent(&mut self, node: usize, link: LinkId, written: &Written) {
        let Written {
            stream,
            slot,
            weight,
            ..
        } = *written;
        self.with_node(node, |machines, now| match slot {
            None => machines
                .control
                .handle_input(now, ControlInput::Sent { link, weight }),
            Some(slot) => machines.shards[shard_of(slot)].handle_input(
                now,
                Input::Sent {
                    link,
                    stream,
                    weight,
                },
            ),
        });
    }

    /// The store has answered a shard.
    pub(super) fn shard_answered(&mut self, asker: Asker, answer: StoreAnswer) {
        let Asker::Shard {
            node,
            process,
            shard,
            ticket,
        } = asker
        else {
            return;
        };
        if process == self.nodes[node].process {
            self.with_node(node, |machines, now| {
                machines.shards[shard].handle_input(now, Input::Store(ticket, answer));
            });
        }
    }

    /// Tells a node something about its membership.
    pub(super) fn tell_membership(&mut self, node: usize, input: MembershipInput) {
        self.with_node(node, |machines, now| {
            machines.membership.handle_input(now, input);
        });
    }

    /// The store can't be reached by a node, or again.
    pub(super) fn node_store_away(&mut self, node: usize, away: bool) {
        self.change_health(node, |health| health.away = away);
    }

    fn change_health(&mut self, node: usize, change: impl FnOnce(&mut Health)) {
        self.with_node(node, |machines, now| {
            let before = machines.health.is_away();
            change(&mut machines.health);
            let away = machines.health.is_away();
            if away != before {
                let told = ControlInput::Store { away };
                machines.control.handle_input(now, told);
            }
        });
    }
}
