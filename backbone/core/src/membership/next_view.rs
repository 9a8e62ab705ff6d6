//! Which view follows: the decision of a node that may change it, from what it knows.

use std::collections::BTreeSet;

use trunkline_shared::limits::SLOTS;
use trunkline_shared::{Incarnation, Member, NodeId, RingView, ViewVersion};

use crate::ownership::propose;

/// What a node that may change the view knows.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The node itself.
    pub me: &'a Member,
    /// Lives in the view that have ended.
    pub dead: &'a BTreeSet<Incarnation>,
    /// The node means to leave.
    pub leave: bool,
    /// The next step of joins and leaves is due.
    pub step: bool,
    /// Slots that a step moves at most.
    pub step_slots: usize,
    /// The version of the next view.
    pub version: ViewVersion,
    /// The version of the rules that are written with it, where they are.
    pub rules: Option<u64>,
    /// A view later than the row was seen, or the row isn't led by the store as it is now.
    pub renew: bool,
}

/// The view that follows `view`; `None` when nothing has to change.
///
/// In this order, one idea per view: who is alone takes everything; the dead go; a node that isn't in the view is added; one
/// that means to leave says so; joins and leaves go on by one step of at most `step_slots` slots, all to one receiver.
pub fn next_view(view: Option<&RingView>, situation: &Situation<'_>) -> Option<RingView> {
    let Some(view) = view else {
        return (!situation.leave).then(|| alone(None, situation));
    };
    let me = situation.me.incarnation;
    let is_dead = |member: &Member| situation.dead.contains(&member.incarnation);
    let others = view
        .members
        .iter()
        .filter(|member| member.incarnation != me);
    let nobody_else = !others.clone().any(|member| !is_dead(member));
    if nobody_else && !situation.leave && !owns_all(view, me) {
        return Some(alone(Some(view), situation));
    }
    let mut draft = Draft::of(view);
    if others.clone().any(is_dead) {
        draft.bury(situation.dead);
    } else if !view.has(me) && !situation.leave {
        let place = draft.add(situation.me.clone());
        draft.step(situation.step_slots, Some(place));
    } else if situation.leave && view.has(me) && !view.leaving.contains(&situation.me.name) {
        draft.joining.retain(|name| *name != situation.me.name);
        draft.leaving.push(situation.me.name.clone());
        draft.step(situation.step_slots, None);
    } else if situation.step && draft.is_moving() && draft.somebody_stays() {
        if !draft.step(situation.step_slots, None) {
            draft.finish();
        }
    } else if !situation.renew && situation.rules.is_none() {
        return None;
    }
    let rules = situation.rules.unwrap_or(view.rules_version);
    Some(draft.into_view(situation.version, rules))
}

/// The view of a node beside which nobody lives.
fn alone(view: Option<&RingView>, situation: &Situation<'_>) -> RingView {
    let before = view.map_or(0, |view| view.rules_version);
    let rules = situation.rules.unwrap_or(before);
    RingView::of_one(situation.version, rules, situation.me.clone())
}

fn owns_all(view: &RingView, me: Incarnation) -> bool {
    matches!(&view.members[..], [only] if only.incarnation == me)
        && view.table().iter().all(|place| *place == 0)
}

/// A view that is being changed.
#[derive(Debug)]
struct Draft {
    members: Vec<Member>,
    joining: Vec<NodeId>,
    leaving: Vec<NodeId>,
    table: Vec<u16>,
}

impl Draft {
    fn of(view: &RingView) -> Self {
        Self {
            members: view.members.clone(),
            joining: view.joining.clone(),
            leaving: view.leaving.clone(),
            table: view.table().to_vec(),
        }
    }

    fn into_view(self, version: ViewVersion, rules_version: u64) -> RingView {
        let view = RingView::new(version, rules_version, self.members, self.table);
        let mut view = view.expect("entries of the table are places of members");
        view.joining = self.joining;
        view.leaving = self.leaving;
        view
    }

    fn is_moving(&self) -> bool {
        !self.joining.is_empty() || !self.leaving.is_empty()
    }

    fn somebody_stays(&self) -> bool {
        let mut members = self.members.iter();
        members.any(|member| !self.leaving.contains(&member.name))
    }

    fn add(&mut self, member: Member) -> u16 {
        self.joining.push(member.name.clone());
        self.members.push(member);
        place(self.members.len() - 1)
    }

    /// Gives the slots of the dead to others. While somebody joins or leaves only these move.
    fn bury(&mut self, dead: &BTreeSet<Incarnation>) {
        self.retain(|member| !dead.contains(&member.incarnation));
        let target = self.target();
        if self.is_moving() {
            let entries = self.table.iter_mut().zip(target);
            let orphans = entries.filter(|(entry, _)| **entry == RingView::NOBODY);
            orphans.for_each(|(entry, to)| *entry = to);
        } else {
            self.table = target;
        }
    }

    /// Moves at most `most` slots to where they belong, all to one receiver; false when none has to move.
    fn step(&mut self, most: usize, receiver: Option<u16>) -> bool {
        let target = self.target();
        let entries = self.table.iter_mut().zip(target);
        let mut wrong = entries.filter(|(entry, to)| *entry != to).peekable();
        let receiver = receiver.or_else(|| wrong.peek().map(|(_, to)| *to));
        let step: Vec<_> = wrong
            .filter(|(_, to)| Some(*to) == receiver)
            .take(most)
            .collect();
        let is_some = !step.is_empty();
        step.into_iter().for_each(|(entry, to)| *entry = to);
        is_some
    }

    /// Everything has moved: who joined stays, who leaves goes.
    fn finish(&mut self) {
        let leaving = std::mem::take(&mut self.leaving);
        self.joining.clear();
        self.retain(|member| !leaving.contains(&member.name));
    }

    /// Where slots belong once all joins and leaves are done. Where everybody leaves they stay with those.
    fn target(&self) -> Vec<u16> {
        let somebody_stays = self.somebody_stays();
        let receivers = self.members.iter().zip(0..);
        let (names, places): (Vec<NodeId>, Vec<u16>) = receivers
            .filter(|(member, _)| !somebody_stays || !self.leaving.contains(&member.name))
            .map(|(member, place)| (member.name.clone(), place))
            .unzip();
        let proposal = propose(&names).into_iter();
        proposal.map(|index| places[usize::from(index)]).collect()
    }

    fn retain(&mut self, keep: impl Fn(&Member) -> bool) {
        let mut places = vec![RingView::NOBODY; self.members.len()];
        let mut members = Vec::with_capacity(self.members.len());
        for (old, member) in std::mem::take(&mut self.members).into_iter().enumerate() {
            if keep(&member) {
                places[old] = place(members.len());
                members.push(member);
            }
        }
        self.members = members;
        let moved = |entry: &u16| places.get(usize::from(*entry)).copied();
        for entry in &mut self.table {
            *entry = moved(entry).unwrap_or(RingView::NOBODY);
        }
        let is_member = |name: &NodeId| self.members.iter().any(|member| member.name == *name);
        self.joining.retain(is_member);
        self.leaving.retain(is_member);
    }
}

fn place(index: usize) -> u16 {
    assert!(
        index < usize::from(SLOTS),
        "a mesh has fewer members than slots"
    );
    u16::try_from(index).expect("fewer than 4096")
}
