//! What a join or a leave would move, before anybody does it, and what those under way have yet to move.

use trunkline_shared::limits::{SLOTS, STEP_SLOTS_MAX};
use trunkline_shared::{NodeId, RingView};

use crate::ownership::{most_slots, propose};

/// Which member owns which slot, by names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ownership {
    members: Vec<NodeId>,
    /// Those of them that are about to give up their slots.
    leaving: Vec<NodeId>,
    /// For each slot the place of its owner in `members`, past their end without one.
    table: Vec<u16>,
}

/// A change of a mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A node is started that isn't a member.
    Join(NodeId),
    /// A member is asked to stop.
    Leave(NodeId),
}

/// What moves until nobody joins or leaves any more, by the rules of [`next_view`](super::next_view).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovePlan {
    /// Everybody who owns slots before or after, in the order of the members; who joins is the last.
    pub nodes: Vec<PlannedNode>,
    /// Slots that get another owner.
    pub moved: usize,
    /// Views that move them, of at most [`STEP_SLOTS_MAX`] slots to one receiver each.
    pub steps: usize,
    /// Slots that a node owns at most afterwards: 1.1 times the mean.
    pub most: usize,
}

/// One node of a [`MovePlan`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedNode {
    /// Its name.
    pub name: NodeId,
    /// Slots that it owns now.
    pub before: usize,
    /// Slots that it owns once everything has moved.
    pub after: usize,
}

/// Why a change can't be planned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A name is given twice.
    #[error("{0} is named twice among the members")]
    Twice(NodeId),
    /// Who joins is there already.
    #[error("{0} is a member already")]
    Member(NodeId),
    /// Who leaves isn't there.
    #[error("{0} is no member")]
    NoMember(NodeId),
    /// Nobody would be left to move slots to.
    #[error("nobody stays but {0}: its slots stay with it until another node starts")]
    LastMember(NodeId),
    /// More members than slots.
    #[error("{0} members are more than the 4096 slots")]
    TooMany(usize),
}

impl Ownership {
    /// That of a mesh in which nobody joins or leaves: it follows from the names alone.
    ///
    /// # Errors
    /// When a name is there twice, or there are more names than slots.
    pub fn at_rest(members: &[NodeId]) -> Result<Self, PlanError> {
        let mut places = members.iter().enumerate();
        if let Some((_, name)) = places.find(|(place, name)| members[..*place].contains(name)) {
            return Err(PlanError::Twice(name.clone()));
        }
        Ok(Self {
            members: bounded(members.to_vec())?,
            leaving: Vec::new(),
            table: propose(members),
        })
    }

    /// That of a view.
    pub fn of(view: &RingView) -> Self {
        let members = view.members.iter();
        Self {
            members: members.map(|member| member.name.clone()).collect(),
            leaving: view.leaving.clone(),
            table: view.table().to_vec(),
        }
    }

    /// Plans a change, together with the joins and leaves that are under way.
    ///
    /// # Errors
    /// When the change makes no sense for these members.
    pub fn plan(&self, change: &Change) -> Result<MovePlan, PlanError> {
        let mut staying = self.staying();
        match change {
            Change::Join(name) if self.members.contains(name) => {
                return Err(PlanError::Member(name.clone()));
            }
            Change::Join(name) => staying.push(name.clone()),
            Change::Leave(name) if !self.members.contains(name) => {
                return Err(PlanError::NoMember(name.clone()));
            }
            Change::Leave(name) => {
                staying.retain(|member| member != name);
                if staying.is_empty() {
                    return Err(PlanError::LastMember(name.clone()));
                }
            }
        }
        Ok(self.moves_to(&bounded(staying)?))
    }

    /// What the joins and leaves under way have yet to move. Where everybody leaves nothing moves.
    pub fn under_way(&self) -> MovePlan {
        let staying = self.staying();
        if staying.is_empty() {
            let table = self.places();
            return compare(self.members.clone(), &table, &table, usize::from(SLOTS));
        }
        self.moves_to(&staying)
    }

    fn staying(&self) -> Vec<NodeId> {
        let members = self.members.iter();
        let staying = members.filter(|name| !self.leaving.contains(name));
        staying.cloned().collect()
    }

    fn places(&self) -> Vec<usize> {
        let entries = self.table.iter();
        entries.map(|entry| usize::from(*entry)).collect()
    }

    fn moves_to(&self, staying: &[NodeId]) -> MovePlan {
        let mut everybody = self.members.clone();
        let joining = staying.iter().filter(|name| !self.members.contains(name));
        everybody.extend(joining.cloned());
        let after = proposed(staying, &everybody);
        compare(everybody, &self.places(), &after, most_slots(staying.len()))
    }
}

fn bounded(members: Vec<NodeId>) -> Result<Vec<NodeId>, PlanError> {
    match members.len() {
        count if count > usize::from(SLOTS) => Err(PlanError::TooMany(count)),
        _ => Ok(members),
    }
}

/// For each slot the place in `everybody` of its owner among those who stay.
fn proposed(staying: &[NodeId], everybody: &[NodeId]) -> Vec<usize> {
    let place = |name| everybody.iter().position(|other| other == name);
    let places: Vec<_> = staying
        .iter()
        .map(|name| place(name).expect("everybody includes who stays"))
        .collect();
    let table = propose(staying).into_iter();
    table.map(|entry| places[usize::from(entry)]).collect()
}

/// What moves from one table of places in `everybody` to another.
fn compare(everybody: Vec<NodeId>, before: &[usize], after: &[usize], most: usize) -> MovePlan {
    let moves = before.iter().zip(after).filter(|(from, to)| from != to);
    let mut received = vec![0usize; everybody.len()];
    moves.for_each(|(_, to)| received[*to] += 1);
    let steps = received.iter().map(|slots| slots.div_ceil(STEP_SLOTS_MAX));
    let count = |table: &[usize], place| table.iter().filter(|owner| **owner == place).count();
    let nodes = everybody.into_iter().enumerate();
    let nodes = nodes.map(|(place, name)| PlannedNode {
        name,
        before: count(before, place),
        after: count(after, place),
    });
    MovePlan {
        nodes: nodes.collect(),
        moved: received.iter().sum(),
        steps: steps.sum(),
        most,
    }
}
