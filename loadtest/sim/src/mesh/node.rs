//! The backbone process: its control and its shards, driven as the shell drives them.

mod drive;
mod place;

use trunkline_backbone_core::io::{EdgeIdentity, Input, StoreAnswer};
use trunkline_backbone_core::{Control, ControlInput, Shard, ShardConfig};
use trunkline_shared::frame::ToNode;
use trunkline_shared::limits::LANES;
use trunkline_shared::{Incarnation, Instant, LinkId, Slot, StreamId};

use super::{Covered, Mesh};
use crate::clock::Clock;
use crate::dice::Dice;
use crate::disk::Asker;
use crate::network::Written;
use crate::plant::Plant;
use crate::scenario::Tuning;

/// Shards of the node.
const SHARDS: usize = 2;

/// Where edges reach the node.
pub(super) const ADDRESS: &str = "10.0.0.1:7443";

/// The backbone process, or the place where it will be.
#[derive(Debug)]
pub(super) struct Node {
    /// Which life.
    pub(super) life: u64,
    /// Its machines, once the view names it.
    machines: Option<Machines>,
    clock: Clock,
    incarnation: Incarnation,
    rules_version: u64,
    seed: u64,
    wake: Option<Instant>,
}

#[derive(Debug)]
struct Machines {
    control: Control,
    shards: Vec<Shard>,
}

impl Node {
    /// Makes a place for the process.
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self {
            life: 0,
            machines: None,
            clock: Clock::new(dice, 0),
            incarnation: dice.incarnation(),
            rules_version: 1,
            seed: dice.seed(),
            wake: None,
        }
    }

    /// Whether it takes links.
    pub(super) const fn is_up(&self) -> bool {
        self.machines.is_some()
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
    /// A new process begins: it takes over the view, then its shards claim every slot.
    pub(super) fn start_node(&mut self) {
        self.node.life += 1;
        if self.node.life > 2 {
            self.coverage.count(Covered::NodeRestart);
        }
        self.node.clock = Clock::new(&mut self.dice, self.scenario.tuning.clock_skew);
        self.node.incarnation = self.dice.incarnation();
        self.node.wake = None;
        if self.options.plant != Some(Plant::SeedReused) {
            self.node.seed = self.dice.seed();
        }
        self.take_place(self.node.life);
    }

    /// The process dies.
    pub(super) fn kill_node(&mut self) {
        self.fold_node_counters();
        self.node.life += 1;
        self.node.machines = None;
        self.disk.crash();
        self.record.last_node_start = self.now;
    }

    /// A link is up for the node.
    pub(super) fn node_link_up(&mut self, link: LinkId, edge: &EdgeIdentity) {
        let now = self.node.clock.now(self.now);
        let Some(machines) = &mut self.node.machines else {
            return;
        };
        machines.control.handle_input(
            now,
            ControlInput::LinkUp {
                link,
                edge: edge.clone(),
            },
        );
        for shard in &mut machines.shards {
            shard.handle_input(
                now,
                Input::LinkUp {
                    link,
                    edge: edge.clone(),
                },
            );
        }
        self.drain_node();
    }

    /// A link is down for the node.
    pub(super) fn node_link_down(&mut self, link: LinkId, goodbye: bool) {
        let now = self.node.clock.now(self.now);
        let Some(machines) = &mut self.node.machines else {
            return;
        };
        machines
            .control
            .handle_input(now, ControlInput::LinkDown { link });
        for shard in &mut machines.shards {
            shard.handle_input(now, Input::LinkDown { link, goodbye });
        }
        self.drain_node();
    }

    /// A frame has arrived at the node.
    pub(super) fn node_frame(&mut self, link: LinkId, stream: StreamId, frame: ToNode) {
        let now = self.node.clock.now(self.now);
        let Some(machines) = &mut self.node.machines else {
            return;
        };
        match (stream, frame.slot()) {
            (StreamId::Lane(_) | StreamId::Ephemeral, Some(slot)) => {
                machines.shards[shard_of(slot)].handle_input(now, Input::Frame { link, frame });
            }
            (StreamId::Control, _) => machines
                .control
                .handle_input(now, ControlInput::Frame { link, frame }),
            (StreamId::Lane(_) | StreamId::Ephemeral, None) => {
                let oddity = format!("a frame without a slot on {stream:?}");
                self.record.oddities.push((self.now, oddity));
            }
        }
        self.drain_node();
    }

    /// The writer has written something of the node.
    pub(super) fn node_sent(&mut self, link: LinkId, written: &Written) {
        let Written {
            stream,
            slot,
            weight,
            ..
        } = *written;
        let now = self.node.clock.now(self.now);
        let Some(machines) = &mut self.node.machines else {
            return;
        };
        match slot {
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
        }
        self.drain_node();
    }

    /// The store has answered a shard.
    pub(super) fn shard_answered(&mut self, asker: Asker, answer: StoreAnswer) {
        let Asker::Shard {
            life,
            shard,
            ticket,
        } = asker
        else {
            return;
        };
        let now = self.node.clock.now(self.now);
        let Some(machines) = self
            .node
            .machines
            .as_mut()
            .filter(|_| life == self.node.life)
        else {
            return;
        };
        machines.shards[shard].handle_input(now, Input::Store(ticket, answer));
        self.drain_node();
    }

    /// Tells the control whether the store can be reached.
    pub(super) fn node_store_away(&mut self, away: bool) {
        let now = self.node.clock.now(self.now);
        if let Some(machines) = &mut self.node.machines {
            machines
                .control
                .handle_input(now, ControlInput::Store { away });
        }
        self.drain_node();
    }

    /// Counts what the shards have counted.
    pub(super) fn fold_node_counters(&mut self) {
        let Some(machines) = &self.node.machines else {
            return;
        };
        for shard in &machines.shards {
            let counters = shard.counters();
            self.coverage
                .add(Covered::RepeatFound, counters.repeats_found);
            self.coverage.add(Covered::KeyFound, counters.keys_found);
            self.coverage.add(Covered::KeyHeld, counters.keys_held);
            self.coverage.add(Covered::Lag, counters.lags);
            self.coverage
                .add(Covered::EphemeralDropped, counters.ephemeral_dropped);
        }
    }
}
