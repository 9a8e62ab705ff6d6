//! What a node keeps beside messages: its membership and when users were last seen.

use std::future::{Future, ready};
use std::sync::MutexGuard;

use smol_str::SmolStr;
use trunkline_shared::{Incarnation, NodeId, UnixMillis};
use trunkline_store_core::members::MemberTable;
use trunkline_store_core::{
    HeartbeatError, JoinRequest, LastSeenStore, MemberRow, MemberStore, StoreError,
};

use super::EmbeddedStore;
use super::command::Command;

impl EmbeddedStore {
    fn member_table(&self) -> MutexGuard<'_, MemberTable> {
        self.members
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

/// In memory: the directory's lock is the lease of the one process that can be a member, and ends with it.
impl MemberStore for EmbeddedStore {
    fn members(&self) -> impl Future<Output = Result<Vec<MemberRow>, StoreError>> + Send {
        ready(Ok(self.member_table().rows()))
    }

    fn join(&self, request: JoinRequest) -> impl Future<Output = Result<bool, StoreError>> + Send {
        ready(Ok(self.member_table().join(request)))
    }

    fn heartbeat(
        &self,
        name: NodeId,
        incarnation: Incarnation,
    ) -> impl Future<Output = Result<Vec<MemberRow>, HeartbeatError>> + Send {
        ready(self.member_table().heartbeat(&name, incarnation))
    }

    fn leave(
        &self,
        name: NodeId,
        incarnation: Incarnation,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send {
        ready(Ok(self.member_table().leave(&name, incarnation)))
    }
}

impl LastSeenStore for EmbeddedStore {
    fn saw(
        &self,
        users: Vec<(SmolStr, UnixMillis)>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        self.write(
            |answer| Command::Saw { users, answer },
            |why| Err(StoreError::Away(why)),
        )
    }

    fn last_seen(
        &self,
        users: Vec<SmolStr>,
    ) -> impl Future<Output = Result<Vec<Option<UnixMillis>>, StoreError>> + Send {
        self.read(move |disk| disk.last_seen(&users))
    }
}
