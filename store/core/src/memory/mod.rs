//! A store in memory that can be crashed, for the simulator and for tests.
//!
//! [`MemoryState`] is the machine: its caller decides when an append in flight becomes durable, is lost, or survives a
//! crash. [`MemoryStore`] puts it behind the trait, with every append durable at once.

mod shared;
mod tables;

use std::collections::BTreeMap;

use smol_str::SmolStr;
use trunkline_shared::{Channel, RingView, Slot, UnixMillis};

pub use self::shared::MemoryStore;
use self::tables::Tables;
use crate::last_seen::is_remembered;
use crate::members::MemberTable;
use crate::message::{Head, StoredMessage};
use crate::request::{
    AllFound, AppendOutcome, ClaimError, ClaimRequest, Claimed, FindRequest, FloorError,
    FloorRequest, RangeRequest, SlotPart, ViewChange, ViewRow,
};

/// An append in flight; given back to end it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[must_use = "the slots of an append in flight can't be claimed"]
pub struct AppendTicket(u64);

/// What outlives a crash of what was in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Survivors {
    /// Appends that survive whole, the earliest begun first.
    pub appends: usize,
    /// Slots' parts that survive of the append after those, in the order given: a torn append. A part is never torn.
    pub parts_of_next: usize,
}

/// A store in memory, step by step: no lock, no clock, equal seeds give equal epochs.
///
/// An append is in flight from [`begin_append`](Self::begin_append) until [`finish`](Self::finish) or
/// [`drop_append`](Self::drop_append): until it is durable no read shows it and a crash loses it. It is checked at the
/// moment it becomes durable. What its caller tells the owner is the caller's affair: it may say *unknown* first and
/// decide later what became of the append, as long as that is before the next claim.
#[derive(Clone, Debug)]
pub struct MemoryState {
    birth: UnixMillis,
    tables: Tables,
    members: MemberTable,
    last_seen: BTreeMap<SmolStr, UnixMillis>,
    in_flight: BTreeMap<u64, Vec<SlotPart>>,
    synced: BTreeMap<u64, AppendOutcome>,
    tickets: u64,
}

impl MemoryState {
    /// Makes an empty store, created at `birth`; epochs are drawn from `seed`.
    pub fn new(seed: u64, birth: UnixMillis) -> Self {
        let tables = Tables::new(seed, birth);
        Self {
            birth,
            tables,
            members: MemberTable::default(),
            last_seen: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            synced: BTreeMap::new(),
            tickets: 0,
        }
    }

    /// Takes an append in; nothing of it is durable yet.
    pub fn begin_append(&mut self, parts: Vec<SlotPart>) -> AppendTicket {
        self.tickets += 1;
        self.in_flight.insert(self.tickets, parts);
        AppendTicket(self.tickets)
    }

    /// Makes all appends in flight durable, in the order begun; [`finish`](Self::finish) gives their outcomes.
    pub fn sync(&mut self) {
        for (number, parts) in std::mem::take(&mut self.in_flight) {
            let outcome = self.tables.append(parts);
            self.synced.insert(number, outcome);
        }
    }

    /// Makes one append durable, if it isn't yet, and tells what became of it; *unknown* when a crash came between.
    ///
    /// Appends may be finished in another order than they were begun in, as over several connections to a database.
    pub fn finish(&mut self, ticket: AppendTicket) -> AppendOutcome {
        if let Some(parts) = self.in_flight.remove(&ticket.0) {
            return self.tables.append(parts);
        }
        let lost = || AppendOutcome::Unknown("the store crashed".to_owned());
        self.synced.remove(&ticket.0).unwrap_or_else(lost)
    }

    /// Ends an append without taking it; one that was synced stays taken.
    pub fn drop_append(&mut self, ticket: AppendTicket) {
        self.in_flight.remove(&ticket.0);
        self.synced.remove(&ticket.0);
    }

    /// Whether an append that isn't durable yet names the slot: it can't be claimed then.
    pub fn is_in_flight(&self, slot: Slot) -> bool {
        self.in_flight
            .values()
            .flatten()
            .any(|part| part.slot == slot)
    }

    /// Loses what is in flight, but for the survivors; what is durable stays.
    pub fn crash(&mut self, survivors: Survivors) {
        self.synced.clear();
        let mut lost = std::mem::take(&mut self.in_flight).into_values();
        for parts in lost.by_ref().take(survivors.appends) {
            self.tables.append(parts);
        }
        if let Some(mut torn) = lost.next() {
            torn.truncate(survivors.parts_of_next);
            self.tables.append(torn);
        }
    }

    /// Raises the generations of slots.
    ///
    /// # Errors
    /// When a slot was claimed under a later view; nothing has changed then.
    ///
    /// # Panics
    /// When an append that names one of the slots is in flight: a claim waits for it, so end it first.
    pub fn claim_now(&mut self, request: &ClaimRequest) -> Result<Vec<Claimed>, ClaimError> {
        let waits = request
            .slots
            .iter()
            .any(|(slot, _)| self.is_in_flight(*slot));
        assert!(
            !waits,
            "a claim waits for the appends of its slots that are in flight"
        );
        self.tables.claim(request)
    }

    /// Reads heads in the order asked.
    pub fn heads_now(&self, channels: &[(Slot, Channel)]) -> Vec<Head> {
        channels
            .iter()
            .map(|(slot, channel)| self.tables.head(*slot, channel))
            .collect()
    }

    /// Reads a part of a channel's log.
    pub fn range_now(&self, request: &RangeRequest) -> Vec<StoredMessage> {
        self.tables.range(request)
    }

    /// Looks publish ids and idempotency keys up; returns those found.
    pub fn find_now(&self, request: &FindRequest) -> AllFound {
        let ids = request.ids.iter();
        let keys = request.keys.iter();
        AllFound {
            ids: ids
                .filter_map(|(slot, id)| self.tables.find(*slot, *id))
                .collect(),
            keys: keys
                .filter_map(|key| self.tables.find_key(key, request.keys_not_before))
                .collect(),
        }
    }

    /// Raises a channel's floor; returns the head as it is then.
    ///
    /// # Errors
    /// When the slot has another generation.
    pub fn raise_floor_now(&mut self, request: FloorRequest) -> Result<Head, FloorError> {
        self.tables.raise_floor(request)
    }

    /// Lets heads go that weren't touched since a moment by the store's clock and whose messages are all older; returns how
    /// many. Their slots keep the highest of their offsets.
    pub fn forget_heads_now(&mut self, untouched_since: UnixMillis) -> usize {
        self.tables.forget_heads(untouched_since)
    }

    /// What the store's clock shows; it begins at the store's birth and stands still.
    pub const fn clock(&self) -> UnixMillis {
        self.tables.now
    }

    /// Sets the store's clock.
    pub const fn set_clock(&mut self, now: UnixMillis) {
        self.tables.now = now;
    }

    /// Reads the ring view.
    pub const fn view_now(&self) -> Option<&RingView> {
        self.tables.view()
    }

    /// Reads the ring view and the rules.
    pub fn view_row_now(&self) -> Option<ViewRow> {
        self.tables.view_row()
    }

    /// Whether any channel of these namespaces has a head, in the order asked.
    pub fn have_heads_now(&self, namespaces: &[SmolStr]) -> Vec<bool> {
        let names = namespaces.iter();
        names.map(|name| self.tables.has_head(name)).collect()
    }

    /// Replaces the ring view, and the rules where there are new ones; false when the view's version isn't the one expected.
    pub fn change_view_now(&mut self, change: ViewChange) -> bool {
        self.tables.change_view(change)
    }

    /// The members' rows; what is done to them is durable at once.
    pub const fn members_now(&mut self) -> &mut MemberTable {
        &mut self.members
    }

    /// Remembers when users were seen; earlier times change nothing.
    pub fn saw_now(&mut self, users: Vec<(SmolStr, UnixMillis)>) {
        for (user, at) in users.into_iter().filter(|(user, _)| is_remembered(user)) {
            let seen = self.last_seen.entry(user).or_default();
            *seen = at.max(*seen);
        }
    }

    /// When users were last seen, in the order asked.
    pub fn last_seen_now(&self, users: &[SmolStr]) -> Vec<Option<UnixMillis>> {
        users
            .iter()
            .map(|user| self.last_seen.get(user).copied())
            .collect()
    }

    /// When the store was created.
    pub const fn birth(&self) -> UnixMillis {
        self.birth
    }
}

#[cfg(test)]
mod tests;
