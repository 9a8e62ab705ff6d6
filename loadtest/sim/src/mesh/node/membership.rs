//! Doing what a node's membership wants.

use std::sync::Arc;

use trunkline_backbone_core::io::Input;
use trunkline_backbone_core::membership::KeptRules;
use trunkline_backbone_core::membership::io::{
    Life, MembershipAnswer, MembershipInput, MembershipOutput, MembershipRequest, OwnRules,
};
use trunkline_backbone_core::{ControlInput, Membership};
use trunkline_shared::{Incarnation, RingView, ViewVersion};

use super::name;
use crate::disk::Member;
use crate::mesh::{Covered, Mesh};
use crate::network::Side;

impl Mesh {
    pub(super) fn perform_membership(&mut self, node: usize, output: MembershipOutput) {
        match output {
            MembershipOutput::Ask(ticket, request) => {
                self.note(|| format!("node {node} asks as a member: {}", brief(&request)));
                let life = self.nodes[node].life().expect("its membership speaks");
                let member = Member {
                    node,
                    name: name(node),
                    life,
                    ticket,
                };
                let tuning = &self.scenario.tuning;
                self.disk.ask_member(self.now, tuning, member, request);
                self.plan_store();
            }
            MembershipOutput::Rules(kept) => self.give_rules(node, kept),
            MembershipOutput::View(view) => self.hold_view(node, view),
            MembershipOutput::Lease { held } => {
                self.note(|| format!("node {node} holds its lease: {held}"));
                self.with_node(node, |machines, now| {
                    for shard in &mut machines.shards {
                        shard.handle_input(now, Input::Lease { held });
                    }
                });
                self.change_health(node, |health| health.lease_over = !held);
            }
            MembershipOutput::Ready => {
                self.note(|| format!("node {node} is ready"));
                if let Some(machines) = &mut self.nodes[node].machines {
                    machines.takes_links = true;
                }
            }
            MembershipOutput::Rejoin => self.begin_again(node),
            MembershipOutput::NameTaken(line) | MembershipOutput::RulesRefused(line) => {
                self.record.oddities.push((self.now, line));
                self.stop_node(node);
            }
            MembershipOutput::Left => {
                self.note(|| format!("node {node} has left"));
                self.coverage.count(Covered::NodeLeft);
                self.stop_node(node);
            }
        }
    }

    /// A membership's request is answered.
    pub(in crate::mesh) fn member_answered(&mut self, member: &Member, answer: MembershipAnswer) {
        if self.nodes[member.node].life() == Some(member.life) {
            let answer = self.disk.told(self.now, member, answer);
            self.tell_membership(member.node, MembershipInput::Answer(member.ticket, answer));
        }
    }

    fn hold_view(&mut self, node: usize, view: Arc<RingView>) {
        self.note(|| format!("node {node} holds {}", of_view(&view)));
        self.count_view(&view);
        self.note_owner_change(node, Some(&view));
        let life = self.nodes[node].life().expect("its membership speaks");
        let Some(machines) = &mut self.nodes[node].machines else {
            return;
        };
        machines.view = Some(Arc::clone(&view));
        self.give_view(node, &view, life);
    }

    fn count_view(&mut self, view: &RingView) {
        if !view.joining.is_empty() {
            self.coverage.count(Covered::NodeJoins);
        }
        if view.leaving.len() > 1 {
            self.coverage.count(Covered::LeavesTogether);
        }
    }

    fn give_rules(&mut self, node: usize, kept: Arc<KeptRules>) {
        let rules = Arc::new(kept.rules().clone());
        self.with_node(node, |machines, now| {
            machines.rules = Some(kept);
            for shard in &mut machines.shards {
                shard.handle_input(now, Input::Rules(Arc::clone(&rules)));
            }
            let told = ControlInput::Rules(rules);
            machines.control.handle_input(now, told);
        });
    }

    fn give_view(&mut self, node: usize, view: &Arc<RingView>, me: Incarnation) {
        self.with_node(node, |machines, now| {
            for shard in &mut machines.shards {
                let view = Arc::clone(view);
                shard.handle_input(now, Input::View { view, me });
            }
            let told = ControlInput::View(Arc::clone(view));
            machines.control.handle_input(now, told);
        });
    }

    /// A shard has settled a view.
    pub(super) fn settled(&mut self, node: usize, shard: usize, version: ViewVersion) {
        self.with_node(node, |machines, now| {
            machines.settled[shard] = version;
            let all = machines.settled.iter().min().expect("a node has shards");
            let settled = MembershipInput::Settled(*all);
            machines.membership.handle_input(now, settled);
        });
    }

    /// Drops every slot and link of this life, and joins as another one.
    fn begin_again(&mut self, node: usize) {
        self.fold_membership_counters(node);
        self.coverage.count(Covered::Rejoined);
        self.note_owner_change(node, None);
        let incarnation = self.dice.incarnation();
        let seed = self.dice.seed();
        let mut config = self.membership_config(node);
        let now = self.nodes[node].clock.now(self.now);
        let store = self.disk.identity();
        self.note(|| format!("node {node} begins again as {incarnation}"));
        let Some(machines) = &mut self.nodes[node].machines else {
            return;
        };
        if let Some(held) = machines.rules.clone() {
            config.rules = OwnRules::Held(held);
        }
        let life = Life {
            incarnation,
            former: Some(machines.life),
            seen: machines.view.as_ref().map(|view| view.version),
            store,
        };
        machines.life = incarnation;
        machines.membership = Membership::new(config, life, seed, now);
        let view = machines.view.clone();
        for link in self.links_of_node(node) {
            self.close_link(link, Side::Node, "the node has begun another life");
        }
        if let Some(view) = view {
            self.give_view(node, &view, incarnation);
        }
        self.wake_machines(node);
    }
}

/// A view in a line of a trace: without its table.
pub(in crate::mesh) fn of_view(view: &RingView) -> String {
    let members = view.members.iter().map(|member| {
        let slots = view.slots_of(member.incarnation).count();
        format!("{} {} {slots}", member.name, member.incarnation)
    });
    format!(
        "{} {:?} joining {:?} leaving {:?}",
        view.version,
        members.collect::<Vec<_>>(),
        view.joining,
        view.leaving
    )
}

fn brief(request: &MembershipRequest) -> String {
    match request {
        MembershipRequest::ChangeView(change) => {
            format!("{:?} → {}", change.expected, of_view(&change.view))
        }
        MembershipRequest::Members
        | MembershipRequest::Join(_)
        | MembershipRequest::Heartbeat
        | MembershipRequest::View
        | MembershipRequest::HaveHeads(_)
        | MembershipRequest::Resign => format!("{request:?}"),
    }
}
