//! The ring view: which node owns which slot, and under which version.

use std::fmt;

use rkyv::{Archive, Deserialize, Serialize};
use smol_str::SmolStr;

use crate::id::{Incarnation, NodeId};
use crate::limits::SLOTS;
use crate::slot::Slot;
use crate::time::UnixMillis;

/// A view's version; a later one replaces an earlier one everywhere.
///
/// Led by the store's birth, so that an edge that outlives its store takes the new store's views (`design.md` §5).
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    Archive,
    Serialize,
    Deserialize,
)]
pub struct ViewVersion {
    /// When the store was created, or imported, or got new epochs.
    pub birth: UnixMillis,
    /// The latest database servers' timelines together, under asynchronous replication; 0 where there was none. Never falls.
    pub timeline: u32,
    /// Grows with each change of the row; led by the clock of the node that changes it, in Unix milliseconds.
    pub number: u64,
}

impl ViewVersion {
    /// The version of the view that replaces `before` in a store that was born at `birth` and has a server of `timeline`,
    /// written when it is `now`.
    ///
    /// Always later than `before`, also where replication was asynchronous then and isn't any more. The clock leads it, so
    /// that it is also later than what a store has forgotten: edges still have the views that were written after a backup
    /// was made.
    #[must_use]
    pub fn after(before: Option<Self>, birth: UnixMillis, timeline: u32, now: UnixMillis) -> Self {
        let next = before.map_or(1, |before| before.number + 1);
        Self {
            birth,
            timeline: before.map_or(timeline, |before| before.timeline.max(timeline)),
            number: next.max(now.0),
        }
    }
}

impl fmt::Display for ViewVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.birth.0, self.timeline, self.number)
    }
}

/// A backbone node as the view names it.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    Archive,
    Serialize,
    Deserialize,
)]
pub struct Member {
    /// Its name.
    pub name: NodeId,
    /// Its life.
    #[serde(with = "incarnation_text")]
    pub incarnation: Incarnation,
    /// Where edges reach its link endpoint: `host:port`.
    pub address: SmolStr,
}

/// One row in the store: members, and for each slot the member that owns it.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    Archive,
    Serialize,
    Deserialize,
)]
pub struct RingView {
    /// The row's version.
    pub version: ViewVersion,
    /// The version of the rules (namespaces) that hold in the mesh.
    pub rules_version: u64,
    /// The nodes; the table names them by their place here.
    pub members: Vec<Member>,
    /// Names of members that are about to get slots.
    pub joining: Vec<NodeId>,
    /// Names of members that are about to give up theirs.
    pub leaving: Vec<NodeId>,
    table: Vec<u16>,
}

impl RingView {
    /// Makes a view; entries of `table` are places in `members`, [`RingView::NOBODY`] for a slot without an owner.
    ///
    /// # Errors
    /// When the table hasn't an entry for each slot or names a member that isn't there.
    pub fn new(
        version: ViewVersion,
        rules_version: u64,
        members: Vec<Member>,
        table: Vec<u16>,
    ) -> Result<Self, ViewError> {
        let view = Self {
            version,
            rules_version,
            members,
            joining: Vec::new(),
            leaving: Vec::new(),
            table,
        };
        view.check()?;
        Ok(view)
    }

    /// Makes the view of a mesh with one member, which owns every slot.
    pub fn of_one(version: ViewVersion, rules_version: u64, member: Member) -> Self {
        let table = vec![0; usize::from(SLOTS)];
        Self {
            version,
            rules_version,
            members: vec![member],
            joining: Vec::new(),
            leaving: Vec::new(),
            table,
        }
    }

    /// The table's entry for a slot without an owner.
    pub const NOBODY: u16 = u16::MAX;

    /// The owner of a slot; `None` while it has none.
    pub fn owner(&self, slot: Slot) -> Option<&Member> {
        self.members
            .get(usize::from(self.table[usize::from(slot.number())]))
    }

    /// For each slot the place of its owner in `members`, [`RingView::NOBODY`] without one.
    pub fn table(&self) -> &[u16] {
        &self.table
    }

    /// Whether a life of a node is a member.
    pub fn has(&self, incarnation: Incarnation) -> bool {
        let mut lives = self.members.iter().map(|member| member.incarnation);
        lives.any(|life| life == incarnation)
    }

    /// The slots that a life of a node owns, ascending.
    pub fn slots_of(&self, incarnation: Incarnation) -> impl Iterator<Item = Slot> + '_ {
        Slot::all().filter(move |slot| {
            self.owner(*slot)
                .is_some_and(|member| member.incarnation == incarnation)
        })
    }

    /// Checks what a view from outside must hold before it is used.
    ///
    /// # Errors
    /// When the table hasn't an entry for each slot or names a member that isn't there.
    pub fn check(&self) -> Result<(), ViewError> {
        if self.table.len() != usize::from(SLOTS) {
            return Err(ViewError::TableLength(self.table.len()));
        }
        let foreign =
            |entry: &&u16| **entry != Self::NOBODY && usize::from(**entry) >= self.members.len();
        match self.table.iter().find(foreign) {
            Some(entry) => Err(ViewError::NoSuchMember(*entry)),
            None => Ok(()),
        }
    }
}

/// What makes a view unusable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// The table has another number of slots.
    #[error("table of a ring view has {0} entries instead of 4096")]
    TableLength(usize),
    /// The table names a member by a place that isn't taken.
    #[error("table of a ring view names member {0}, which isn't there")]
    NoSuchMember(u16),
}

mod incarnation_text {
    use crate::id::Incarnation;

    pub(super) fn serialize<S: serde::Serializer>(
        id: &Incarnation,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        out.serialize_str(&id.to_string())
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        from: D,
    ) -> Result<Incarnation, D::Error> {
        let text: String = serde::Deserialize::deserialize(from)?;
        let mut bytes = [0; 16];
        hex::decode_to_slice(&text, &mut bytes).map_err(serde::de::Error::custom)?;
        Ok(Incarnation(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(life: u8) -> Member {
        Member {
            name: NodeId::parse("backbone-1").expect("a valid name"),
            incarnation: Incarnation([life; 16]),
            address: SmolStr::new("127.0.0.1:7443"),
        }
    }

    #[test]
    fn one_member_owns_every_slot() {
        let view = RingView::of_one(ViewVersion::default(), 1, member(7));
        assert_eq!(view.slots_of(Incarnation([7; 16])).count(), 4096);
        assert_eq!(view.slots_of(Incarnation([8; 16])).count(), 0);
    }

    #[test]
    fn a_birth_outranks_a_number() {
        let old = ViewVersion {
            birth: UnixMillis(1),
            timeline: 9,
            number: 9,
        };
        let new = ViewVersion {
            birth: UnixMillis(2),
            timeline: 0,
            number: 0,
        };
        assert!(new > old);
    }

    #[test]
    fn the_next_view_is_later_than_one_that_the_store_forgot() {
        let birth = UnixMillis(100);
        let kept = ViewVersion::after(None, birth, 0, UnixMillis(200));
        let forgotten = ViewVersion::after(Some(kept), birth, 0, UnixMillis(300));
        let next = ViewVersion::after(Some(kept), birth, 0, UnixMillis(400));
        assert!(kept < forgotten && forgotten < next);
    }

    #[test]
    fn the_next_view_is_later_even_where_the_clock_stepped_back() {
        let birth = UnixMillis(100);
        let before = ViewVersion::after(None, birth, 0, UnixMillis(500));
        for now in [0, 499, 500] {
            assert!(ViewVersion::after(Some(before), birth, 0, UnixMillis(now)) > before);
        }
        assert!(ViewVersion::after(None, birth, 0, UnixMillis(0)) > ViewVersion::default());
    }

    #[test]
    fn a_servers_timeline_leads_the_next_view_and_never_falls() {
        let (birth, now) = (UnixMillis(100), UnixMillis(500));
        let before = ViewVersion::after(None, birth, 1, now);
        let forgotten = ViewVersion::after(Some(before), birth, 1, UnixMillis(900));
        let failed_over = ViewVersion::after(Some(before), birth, 2, now);
        assert_eq!(failed_over.timeline, 2);
        assert!(failed_over > forgotten);
        let synchronous = ViewVersion::after(Some(failed_over), birth, 0, now);
        assert_eq!(synchronous.timeline, 2);
        assert!(synchronous > failed_over);
    }

    #[test]
    fn a_table_that_names_nobody_known_is_refused() {
        let mut table = vec![RingView::NOBODY; 4096];
        table[5] = 1;
        let view = RingView::new(ViewVersion::default(), 0, vec![member(1)], table);
        assert_eq!(view, Err(ViewError::NoSuchMember(1)));
        let short = RingView::new(ViewVersion::default(), 0, vec![member(1)], vec![0; 4095]);
        assert_eq!(short, Err(ViewError::TableLength(4095)));
    }
}
