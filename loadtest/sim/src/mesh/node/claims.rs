//! How the node takes its slots: the view first, then one claim for all.

use std::sync::Arc;
use std::time::Duration;

use trunkline_backbone_core::io::{Input, StoreAnswer, StoreRequest};
use trunkline_backbone_core::{Control, ControlConfig, ControlInput, Shard};
use trunkline_shared::rules::Rules;
use trunkline_shared::{Incarnation, Member, NodeId, RingView, Slot, ViewVersion};
use trunkline_store_core::{ClaimRequest, Claimed};

use super::{ADDRESS, Machines, SHARDS, config};
use crate::disk::Asker;
use crate::mesh::Mesh;
use crate::mesh::event::Event;
use crate::scenario::rules;

impl Mesh {
    /// Changes the view, and claims every slot under the new one.
    pub(in crate::mesh) fn new_view(&mut self) {
        if self.node.is_up() && self.node.view.is_some() {
            self.node.rules_version += 1;
            self.node.view = None;
            self.claim_all(self.node.life);
        }
    }

    /// The node's life, as an edge's hello learns it.
    pub(in crate::mesh) const fn node_incarnation(&self) -> Incarnation {
        self.node.incarnation
    }

    pub(in crate::mesh) fn claim_all(&mut self, life: u64) {
        if life != self.node.life {
            return;
        }
        if self.node.view.is_none() {
            let view = self.next_view();
            if !self.disk.change_view(self.now, view.clone()) {
                return self.plan(Duration::from_millis(50), Event::NodeClaim { life });
            }
            self.node.view = Some(Arc::new(view));
        }
        let view = self.node.view.as_ref().expect("set just now").version;
        let slots = Slot::all().map(|slot| (slot, false)).collect();
        let claim = StoreRequest::Claim(ClaimRequest { view, slots });
        self.ask_store(Asker::Node { life }, claim);
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

    /// The store has answered the node's claim of all slots.
    pub(in crate::mesh) fn node_claimed(&mut self, life: u64, answer: StoreAnswer) {
        let StoreAnswer::Claimed(result) = answer else {
            unreachable!("the node only claims")
        };
        if life != self.node.life {
            return;
        }
        match result {
            Ok(claimed) => self.own(claimed),
            Err(_) => {
                self.node.claim_failures += 1;
                let pause = self.dice.millis(20, 50 << self.node.claim_failures.min(5));
                self.plan(pause, Event::NodeClaim { life });
            }
        }
    }

    fn own(&mut self, claimed: Vec<Claimed>) {
        self.node.claim_failures = 0;
        let Some(view) = self.node.view.clone() else {
            return;
        };
        let version = view.version;
        self.note(|| format!("node owns all slots under {version}"));
        if self.node.machines.is_none() {
            self.make_machines();
        }
        let now = self.node.clock.now(self.now);
        let rules: Arc<Rules> = Arc::new(rules(self.node.rules_version));
        let slots = Arc::new(claimed);
        let Some(machines) = &mut self.node.machines else {
            return;
        };
        machines
            .control
            .handle_input(now, ControlInput::View(view.clone()));
        machines
            .control
            .handle_input(now, ControlInput::Rules(rules.clone()));
        for shard in &mut machines.shards {
            shard.handle_input(now, Input::Rules(rules.clone()));
            shard.handle_input(
                now,
                Input::Own {
                    view: view.clone(),
                    slots: slots.clone(),
                },
            );
        }
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
