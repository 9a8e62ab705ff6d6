//! The memory store behind the trait.

use std::future::{Future, ready};

use smol_str::SmolStr;
use trunkline_shared::{Channel, Incarnation, NodeId, Slot, UnixMillis};

use super::MemoryState;
use crate::last_seen::LastSeenStore;
use crate::members::{HeartbeatError, JoinRequest, MemberRow, MemberStore};
use crate::message::{Head, StoredMessage};
use crate::request::{
    AllFound, AppendOutcome, ClaimError, ClaimRequest, Claimed, FindRequest, FloorError,
    FloorRequest, RangeRequest, SlotPart, ViewChange, ViewRow,
};
use crate::traits::{MessageStore, StoreError};

#[expect(
    clippy::disallowed_types,
    reason = "the trait asks for Sync; the machine itself knows no lock"
)]
type Lock<T> = std::sync::Mutex<T>;

/// A [`MemoryState`] that many may use: an append is durable as soon as it is made, every future is ready at once.
#[derive(Debug)]
pub struct MemoryStore {
    birth: UnixMillis,
    state: Lock<MemoryState>,
}

impl MemoryStore {
    /// Puts a state behind the trait.
    pub fn new(state: MemoryState) -> Self {
        Self {
            birth: state.birth(),
            state: Lock::new(state),
        }
    }

    /// The state, for steps that the trait hasn't.
    ///
    /// # Panics
    /// When an earlier caller panicked inside.
    pub fn with<T>(&self, step: impl FnOnce(&mut MemoryState) -> T) -> T {
        step(&mut self.state.lock().expect("a panic inside ends the test"))
    }
}

impl MessageStore for MemoryStore {
    fn append(&self, parts: Vec<SlotPart>) -> impl Future<Output = AppendOutcome> + Send {
        ready(self.with(|state| {
            let ticket = state.begin_append(parts);
            state.finish(ticket)
        }))
    }

    fn claim(
        &self,
        request: ClaimRequest,
    ) -> impl Future<Output = Result<Vec<Claimed>, ClaimError>> + Send {
        ready(self.with(|state| state.claim_now(&request)))
    }

    fn heads(
        &self,
        channels: Vec<(Slot, Channel)>,
    ) -> impl Future<Output = Result<Vec<Head>, StoreError>> + Send {
        ready(Ok(self.with(|state| state.heads_now(&channels))))
    }

    fn range(
        &self,
        request: RangeRequest,
    ) -> impl Future<Output = Result<Vec<StoredMessage>, StoreError>> + Send {
        ready(Ok(self.with(|state| state.range_now(&request))))
    }

    fn find(
        &self,
        request: FindRequest,
    ) -> impl Future<Output = Result<AllFound, StoreError>> + Send {
        ready(Ok(self.with(|state| state.find_now(&request))))
    }

    fn raise_floor(
        &self,
        request: FloorRequest,
    ) -> impl Future<Output = Result<Head, FloorError>> + Send {
        ready(self.with(|state| state.raise_floor_now(request)))
    }

    fn have_heads(
        &self,
        namespaces: Vec<SmolStr>,
    ) -> impl Future<Output = Result<Vec<bool>, StoreError>> + Send {
        ready(Ok(self.with(|state| state.have_heads_now(&namespaces))))
    }

    fn view(&self) -> impl Future<Output = Result<Option<ViewRow>, StoreError>> + Send {
        ready(Ok(self.with(|state| state.view_row_now())))
    }

    fn change_view(
        &self,
        change: ViewChange,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send {
        ready(Ok(self.with(|state| state.change_view_now(change))))
    }

    fn birth(&self) -> UnixMillis {
        self.birth
    }
}

impl MemberStore for MemoryStore {
    fn members(&self) -> impl Future<Output = Result<Vec<MemberRow>, StoreError>> + Send {
        ready(Ok(self.with(|state| state.members_now().rows())))
    }

    fn join(&self, request: JoinRequest) -> impl Future<Output = Result<bool, StoreError>> + Send {
        ready(Ok(self.with(|state| state.members_now().join(request))))
    }

    fn heartbeat(
        &self,
        name: NodeId,
        incarnation: Incarnation,
    ) -> impl Future<Output = Result<Vec<MemberRow>, HeartbeatError>> + Send {
        ready(self.with(|state| state.members_now().heartbeat(&name, incarnation)))
    }

    fn leave(
        &self,
        name: NodeId,
        incarnation: Incarnation,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send {
        ready(Ok(
            self.with(|state| state.members_now().leave(&name, incarnation))
        ))
    }
}

impl LastSeenStore for MemoryStore {
    fn saw(
        &self,
        users: Vec<(SmolStr, UnixMillis)>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        self.with(|state| state.saw_now(users));
        ready(Ok(()))
    }

    fn last_seen(
        &self,
        users: Vec<SmolStr>,
    ) -> impl Future<Output = Result<Vec<Option<UnixMillis>>, StoreError>> + Send {
        ready(Ok(self.with(|state| state.last_seen_now(&users))))
    }
}
