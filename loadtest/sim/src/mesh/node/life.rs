//! How a backbone process begins and ends, and how the mesh goes on without it.

use std::time::Duration;

use trunkline_backbone_core::membership::io::{Life, MembershipConfig, MembershipInput, OwnRules};
use trunkline_backbone_core::{Control, ControlConfig, Membership, Shard};
use trunkline_shared::{Instant, LinkId, RingView, ViewVersion};

use super::{Health, Machines, SHARDS, address, config, name};
use crate::clock::Clock;
use crate::mesh::event::Event;
use crate::mesh::{Covered, Mesh};
use crate::network::{Link, Side};
use crate::plant::Plant;
use crate::scenario::rules;

/// When a step of a join or leave is passed over: soon, so that it happens.
const STEP_TIMEOUT: Duration = Duration::from_millis(1_500);

/// How long a planned leave may take.
const DRAIN: Duration = Duration::from_secs(8);

impl Mesh {
    /// A new process begins.
    pub(in crate::mesh) fn start_node(&mut self, number: usize) {
        self.nodes[number].comes_back = false;
        if self.nodes[number].runs() {
            return;
        }
        let skew = self.scenario.tuning.node_skew;
        let clock = Clock::new(&mut self.dice, skew);
        let now = clock.now(self.now);
        if self.options.plant != Some(Plant::SeedReused) {
            self.nodes[number].seed = self.dice.seed();
        }
        let seed = self.nodes[number].seed;
        let tuning = &self.scenario.tuning;
        let shard = |index| Shard::new(config(index, tuning), seed + index as u64, now);
        let shards = (0..SHARDS).map(shard).collect();
        let life = Life {
            incarnation: self.dice.incarnation(),
            former: None,
            seen: None,
            store: self.disk.identity(),
        };
        let membership =
            Membership::new(self.membership_config(number), life, self.dice.seed(), now);
        let node = &mut self.nodes[number];
        node.process += 1;
        node.clock = clock;
        node.wake = None;
        node.machines = Some(Machines {
            membership,
            control: Control::new(ControlConfig::default(), seed, now),
            shards,
            life: life.incarnation,
            view: None,
            rules: None,
            settled: [ViewVersion::default(); SHARDS],
            takes_links: false,
            health: Health::default(),
        });
        if node.process > 1 {
            self.coverage.count(Covered::NodeRestart);
        }
        self.note(|| format!("node {number} begins as {}", life.incarnation));
        self.wake_machines(number);
    }

    pub(super) fn membership_config(&self, number: usize) -> MembershipConfig {
        MembershipConfig {
            step_slots: self.scenario.tuning.step_slots,
            step_timeout: STEP_TIMEOUT,
            drain: DRAIN,
            alone: self.nodes.len() == 1,
            rules: OwnRules::Configured(rules(0)),
            ..MembershipConfig::new(name(number), address(number).into())
        }
    }

    /// The process dies.
    pub(in crate::mesh) fn kill_node(&mut self, number: usize) {
        self.fold_node_counters(number);
        self.note_owner_change(number, None);
        let node = &mut self.nodes[number];
        node.process += 1;
        node.machines = None;
        node.frozen_until = Instant::ZERO;
        self.disk.crash(number);
    }

    /// The process dies, and comes back; edges see their links end at once, or by their silence.
    pub(in crate::mesh) fn crash_node(&mut self, number: usize, lasts: Duration, reset: bool) {
        if !self.nodes[number].runs() {
            return;
        }
        let links = self.links_of_node(number);
        self.kill_node(number);
        let after = if reset {
            Duration::from_micros(self.scenario.tuning.link_delay.1)
        } else {
            self.scenario.tuning.idle_timeout
        };
        for id in links {
            let link = self.links.get_mut(&id).expect("found just now");
            link.break_off();
            link.node_up = false;
            let side = Side::Edge;
            self.plan(after, Event::LinkLost { link: id, side });
        }
        self.come_back_later(number, lasts);
    }

    /// A node is asked to leave.
    pub(in crate::mesh) fn leave_node(&mut self, number: usize, lasts: Duration) {
        if self.nodes[number].runs() {
            self.leaves.insert(number, lasts);
            self.tell_membership(number, MembershipInput::Leave);
        }
    }

    /// A node has left, or found its name taken: its process ends.
    pub(super) fn stop_node(&mut self, number: usize) {
        for id in self.links_of_node(number) {
            self.close_link(id, Side::Node, "the node leaves");
        }
        self.kill_node(number);
        let lasts = self.leaves.remove(&number).unwrap_or_default();
        self.come_back_later(number, lasts);
    }

    fn come_back_later(&mut self, number: usize, lasts: Duration) {
        if !std::mem::replace(&mut self.nodes[number].comes_back, true) {
            self.plan(lasts, Event::NodeStart { node: number });
        }
    }

    /// The process meets nothing for a while, and then goes on as if nothing had been.
    pub(in crate::mesh) fn freeze_node(&mut self, number: usize, lasts: Duration) {
        if !self.nodes[number].runs() {
            return;
        }
        let until = self.now + lasts;
        self.nodes[number].frozen_until = until;
        let idle = self.scenario.tuning.idle_timeout;
        for id in self.links_of_node(number) {
            if lasts > idle {
                self.plan(idle, Event::LinkSilent { link: id });
            }
        }
    }

    /// Links that a node has.
    pub(in crate::mesh) fn links_of_node(&self, number: usize) -> Vec<LinkId> {
        let node = &self.nodes[number];
        let is_its =
            |link: &&Link| link.node == number && link.node_process == node.process && link.node_up;
        self.links
            .values()
            .filter(is_its)
            .map(|link| link.id)
            .collect()
    }

    /// Notes since when buffered channels have their owner: a view gives another one, or the owner is gone.
    pub(super) fn note_owner_change(&mut self, number: usize, after: Option<&RingView>) {
        let Some(machines) = &self.nodes[number].machines else {
            return;
        };
        let owner = |view: Option<&RingView>, slot| {
            view.and_then(|view| view.owner(slot))
                .map(|member| member.incarnation)
        };
        let before = machines.view.as_deref();
        for (channel, slot) in self.scenario.slots.iter().enumerate() {
            let (old, new) = (owner(before, *slot), owner(after, *slot));
            let is_gone = after.is_none() && old == Some(machines.life);
            if is_gone || (after.is_some() && old != new) {
                self.record.owned_since.insert(channel, self.now);
            }
        }
    }
}
