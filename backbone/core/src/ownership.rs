//! The proposal of a ring view's table: which member should own which slot.
//!
//! `hashring` places 256 virtual nodes per member name; a bound on the load evens out what is left. Only a node that
//! changes the view computes a table; everybody else reads the row.

use std::hash::{Hash, Hasher};

use hashring::HashRing;
use trunkline_shared::limits::SLOTS;
use trunkline_shared::{NodeId, RingView, Slot};

/// Virtual nodes per member.
const VIRTUAL_NODES: u32 = 256;

/// Proposes an owner for every slot: entries are places in `members`.
///
/// No member gets more than 1.1 times the mean (`design.md` §5). The same names, in any order, give the same owners.
/// Without members every slot is nobody's.
pub fn propose(members: &[NodeId]) -> Vec<u16> {
    if members.is_empty() {
        return vec![RingView::NOBODY; usize::from(SLOTS)];
    }
    let ring = ring(members);
    let most = most_slots(members.len());
    let mut load = vec![0; members.len()];
    Slot::all()
        .map(|slot| {
            let place = owner(&ring, slot, |place| load[place] < most);
            load[place] += 1;
            u16::try_from(place).expect("a mesh has fewer members than slots")
        })
        .collect()
}

fn ring(members: &[NodeId]) -> HashRing<VirtualNode> {
    let mut nodes = Vec::new();
    for (place, name) in members.iter().enumerate() {
        nodes.extend((0..VIRTUAL_NODES).map(|number| VirtualNode {
            name: name.clone(),
            number,
            place,
        }));
    }
    let mut ring = HashRing::new();
    ring.batch_add(nodes);
    ring
}

/// Slots that one of so many members owns at most.
pub(crate) fn most_slots(members: usize) -> usize {
    let slots = usize::from(SLOTS);
    (slots * 11 / (members * 10)).clamp(slots.div_ceil(members), slots)
}

fn owner(ring: &HashRing<VirtualNode>, slot: Slot, has_room: impl Fn(usize) -> bool) -> usize {
    let first = ring
        .get(&SlotKey(slot))
        .expect("a ring of members isn't empty")
        .place;
    if has_room(first) {
        return first;
    }
    // The whole ring from the slot on: slow, but only for the few slots that the bound moves.
    let after = ring
        .get_with_replicas(&SlotKey(slot), ring.len() - 1)
        .expect("a ring of members isn't empty");
    after
        .iter()
        .map(|node| node.place)
        .find(|place| has_room(*place))
        .expect("the bound leaves room for every slot")
}

#[derive(Clone, Debug)]
struct VirtualNode {
    name: NodeId,
    number: u32,
    place: usize,
}

// Explicit bytes: a derived `Hash` writes lengths as the machine's words, and tables would differ between builds.
impl Hash for VirtualNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.name.as_str().as_bytes());
        state.write(&self.number.to_le_bytes());
    }
}

struct SlotKey(Slot);

impl Hash for SlotKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0.number().to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    fn names(count: usize) -> Vec<NodeId> {
        (1..=count)
            .map(|number| NodeId::parse(&format!("backbone-{number}")).expect("a valid name"))
            .collect()
    }

    #[test]
    fn one_member_owns_the_whole_table() {
        assert_eq!(propose(&names(1)), vec![0; 4096]);
    }

    #[test]
    fn nobody_owns_anything_without_members() {
        assert_eq!(propose(&[]), vec![RingView::NOBODY; 4096]);
    }

    /// Proposals for 1 to 50 members.
    static TABLES: LazyLock<Vec<Vec<u16>>> =
        LazyLock::new(|| (1..=50).map(|count| propose(&names(count))).collect());

    #[test]
    fn no_member_has_more_than_a_tenth_above_the_mean() {
        for (table, members) in TABLES.iter().zip(1..) {
            assert_eq!(table.len(), 4096);
            let mut loads = vec![0; members];
            table
                .iter()
                .for_each(|place| loads[usize::from(*place)] += 1);
            let most = loads.into_iter().max().expect("members");
            assert!(
                most * members * 10 <= 4096 * 11,
                "{most} slots of {members} members"
            );
        }
    }

    #[test]
    fn a_member_that_comes_or_goes_moves_its_own_slots_and_28_others_at_most() {
        let moved_between_others = |(tables, last): (&[Vec<u16>], u16)| {
            let slots = tables[0].iter().zip(&tables[1]);
            slots
                .filter(|(without, with)| without != with && **with != last)
                .count()
        };
        let moved: Vec<_> = TABLES
            .windows(2)
            .zip(1..)
            .map(moved_between_others)
            .collect();
        // Below ten members the bound moves none.
        assert_eq!(moved[..8], [0; 8]);
        assert_eq!(moved.iter().max(), Some(&28), "{moved:?}");
    }

    #[test]
    fn the_proposal_of_known_members_never_changes() {
        let table = propose(&names(3));
        let sum = table
            .iter()
            .zip(1u64..)
            .map(|(entry, place)| u64::from(*entry) * place)
            .sum::<u64>();
        assert_eq!(sum, 8_643_780);
    }
}
