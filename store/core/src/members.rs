//! Who the backbone's nodes are: a row for each name, with a counter that moves as long as its node lives.
//!
//! The store knows no clock and judges nobody: who finds that a counter hasn't moved for a lease takes the row over
//! (`design.md` §5).

use std::collections::BTreeMap;
use std::future::Future;

use trunkline_shared::{Incarnation, Member, NodeId};

use crate::traits::StoreError;

/// How far a life has come: what others see move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// Which life.
    pub incarnation: Incarnation,
    /// 0 when it joined; grows by one with each heartbeat. A crash of the store may take back the last ones.
    pub counter: u64,
}

/// A member's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRow {
    /// Its name, life and address.
    pub member: Member,
    /// Its heartbeats.
    pub counter: u64,
}

impl MemberRow {
    /// The row as it is compared when somebody takes it over.
    pub const fn beat(&self) -> Beat {
        Beat {
            incarnation: self.member.incarnation,
            counter: self.counter,
        }
    }
}

/// Takes a name, or takes it over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRequest {
    /// Who joins.
    pub member: Member,
    /// The name's row as the caller saw it end; `None` when there must be none. A row that has moved since refuses the join.
    pub expected: Option<Beat>,
}

/// Why a heartbeat moved nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeartbeatError {
    /// The name isn't this life's any more: it was taken over, or given up.
    #[error("another life has the name, or none")]
    Replaced,
    /// The store can't be reached or refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Keeps the members' rows.
///
/// A store that only one process can open may forget them when it is closed: its lock is the only lease then.
pub trait MemberStore: Send + Sync + 'static {
    /// Reads all rows, by name.
    ///
    /// # Errors
    /// When the store is away or damaged.
    fn members(&self) -> impl Future<Output = Result<Vec<MemberRow>, StoreError>> + Send;

    /// Puts a row with counter 0 in the place of the one expected; false when the name's row is another.
    ///
    /// # Errors
    /// When the store is away; the row may have been put then: read it.
    fn join(&self, request: JoinRequest) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Raises the counter of a life that still has its name, and reads all rows, its own included, by name.
    ///
    /// # Errors
    /// When the name isn't its any more: nothing has changed then. When the store is away: the counter may have been raised.
    fn heartbeat(
        &self,
        name: NodeId,
        incarnation: Incarnation,
    ) -> impl Future<Output = Result<Vec<MemberRow>, HeartbeatError>> + Send;

    /// Removes the row of a life; false when the name isn't its any more.
    ///
    /// # Errors
    /// When the store is away; the row may have been removed then.
    fn leave(
        &self,
        name: NodeId,
        incarnation: Incarnation,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// The rows in memory, and the rules by which they change.
#[derive(Clone, Debug, Default)]
pub struct MemberTable(BTreeMap<NodeId, MemberRow>);

impl MemberTable {
    /// All rows, by name.
    pub fn rows(&self) -> Vec<MemberRow> {
        self.0.values().cloned().collect()
    }

    /// Puts a row in the place of the one expected; false when the name's row is another.
    pub fn join(&mut self, request: JoinRequest) -> bool {
        let JoinRequest { member, expected } = request;
        let fits = self.0.get(&member.name).map(MemberRow::beat) == expected;
        if fits {
            let row = MemberRow { member, counter: 0 };
            self.0.insert(row.member.name.clone(), row);
        }
        fits
    }

    /// Raises a life's counter; returns all rows.
    ///
    /// # Errors
    /// When the name isn't its any more.
    pub fn heartbeat(
        &mut self,
        name: &NodeId,
        incarnation: Incarnation,
    ) -> Result<Vec<MemberRow>, HeartbeatError> {
        let row = self.0.get_mut(name);
        let own = row.filter(|row| row.member.incarnation == incarnation);
        own.ok_or(HeartbeatError::Replaced)?.counter += 1;
        Ok(self.rows())
    }

    /// Removes a life's row; false when the name isn't its any more.
    pub fn leave(&mut self, name: &NodeId, incarnation: Incarnation) -> bool {
        let own = self.0.get(name);
        let is_own = own.is_some_and(|row| row.member.incarnation == incarnation);
        if is_own {
            self.0.remove(name);
        }
        is_own
    }
}
