//! What nodes keep beside messages, in the first database: who is a member, and when users were last seen.

use std::future::Future;

use smol_str::SmolStr;
use trunkline_shared::{Incarnation, NodeId, UnixMillis};
use trunkline_store_core::{
    HeartbeatError, JoinRequest, LastSeenStore, MemberRow, MemberStore, StoreError,
};

use super::{PostgresStore, last_seen, members};

/// A heartbeat goes on a connection of its own, which the first one makes; its call is queued once that is there.
impl MemberStore for PostgresStore {
    fn members(&self) -> impl Future<Output = Result<Vec<MemberRow>, StoreError>> + Send {
        self.first()
            .read(|session| async move { members::members(&session).await })
    }

    fn join(&self, request: JoinRequest) -> impl Future<Output = Result<bool, StoreError>> + Send {
        self.first()
            .write(move |session| async move { members::join(&session, &request).await })
    }

    async fn heartbeat(
        &self,
        name: NodeId,
        incarnation: Incarnation,
    ) -> Result<Vec<MemberRow>, HeartbeatError> {
        let first = self.first();
        let inbox = first.heartbeats.inbox().await?;
        first
            .write_on(inbox, move |session| async move {
                members::heartbeat(&session, &name, incarnation).await
            })
            .await
    }

    fn leave(
        &self,
        name: NodeId,
        incarnation: Incarnation,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send {
        self.first()
            .write(move |session| async move { members::leave(&session, &name, incarnation).await })
    }
}

/// A batch is one statement: all of it is remembered, or nothing.
impl LastSeenStore for PostgresStore {
    fn saw(
        &self,
        users: Vec<(SmolStr, UnixMillis)>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        self.first()
            .write(move |session| async move { last_seen::saw(&session, &users).await })
    }

    fn last_seen(
        &self,
        users: Vec<SmolStr>,
    ) -> impl Future<Output = Result<Vec<Option<UnixMillis>>, StoreError>> + Send {
        self.first()
            .read(move |session| async move { last_seen::last_seen(&session, &users).await })
    }
}
