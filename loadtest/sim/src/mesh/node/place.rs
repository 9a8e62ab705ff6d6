//! How the node takes its place: it writes a view that gives it everything, and its shards claim.

use std::sync::Arc;
use std::time::Duration;

use trunkline_backbone_core::io::Input;
use trunkline_backbone_core::{Control, ControlConfig, ControlInput, Shard};
use trunkline_shared::rules::Rules;
use trunkline_shared::{Incarnation, Member, NodeId, RingView, ViewVersion};

use super::{ADDRESS, Machines, SHARDS, config};
use crate::mesh::Mesh;
use crate::mesh::event::Event;
use crate::scenario::rules;

impl Mesh {
    /// Changes the view.
    pub(in crate::mesh) fn new_view(&mut self) {
        if self.node.is_up() {
            self.node.rules_version += 1;
            self.take_place(self.node.life);
        }
    }

    /// The node's life, as an edge's hello learns it.
    pub(in crate::mesh) const fn node_incarnation(&self) -> Incarnation {
        self.node.incarnation
    }

    /// Writes the next view, however long the store is away, and tells the machines.
    pub(in crate::mesh) fn take_place(&mut self, life: u64) {
        if life != self.node.life {
            return;
        }
        let view = self.next_view();
        if self.disk.change_view(self.now, view.clone()) {
            self.instruct(Arc::new(view));
        } else {
            self.plan(Duration::from_millis(50), Event::NodePlace { life });
        }
    }

    fn next_view(&self) -> RingView {
        let state = self.disk.state();
        let before = state.view_now().map(|view| view.version);
        let now = self.node.clock.now(self.now).unix;
        let version = ViewVersion::after(before, state.birth(), 0, now);
        let member = Member {
            name: NodeId::parse("backbone-1").expect("a good name"),
            incarnation: self.node.incarnation,
            address: ADDRESS.into(),
        };
        RingView::of_one(version, self.node.rules_version, member)
    }

    fn instruct(&mut self, view: Arc<RingView>) {
        let version = view.version;
        self.note(|| format!("node takes all slots under {version}"));
        if self.node.machines.is_none() {
            self.make_machines();
        }
        let now = self.node.clock.now(self.now);
        let rules: Arc<Rules> = Arc::new(rules(self.node.rules_version));
        let me = self.node.incarnation;
        let Some(machines) = &mut self.node.machines else {
            return;
        };
        for shard in &mut machines.shards {
            shard.handle_input(now, Input::Rules(rules.clone()));
            let view = view.clone();
            shard.handle_input(now, Input::View { view, me });
        }
        machines.control.handle_input(now, ControlInput::View(view));
        machines
            .control
            .handle_input(now, ControlInput::Rules(rules));
        self.drain_node();
    }

    fn make_machines(&mut self) {
        let now = self.node.clock.now(self.now);
        let seed = self.node.seed;
        let tuning = &self.scenario.tuning;
        let shard = |index| Shard::new(config(index, tuning), seed + index as u64, now);
        let shards = (0..SHARDS).map(shard).collect();
        let control = Control::new(ControlConfig::default(), seed, now);
        self.node.machines = Some(Machines { control, shards });
    }
}
