//! The store that the configuration names, behind one type.

use std::future::Future;

use futures_util::future::Either;
use smol_str::SmolStr;
use tokio::sync::watch;
use trunkline_shared::rules::{Namespace, Rules};
use trunkline_shared::{Channel, Incarnation, NodeId, Slot, UnixMillis};
use trunkline_store::postgres::Renewals;
use trunkline_store::{EmbeddedStore, PostgresStore, StoreStats, embedded, postgres};
use trunkline_store_core::{
    AllFound, AppendOutcome, ClaimError, ClaimRequest, Claimed, FindRequest, FloorError,
    FloorRequest, Head, HeartbeatError, JoinRequest, MemberRow, MemberStore, MessageStore,
    RangeRequest, SlotPart, StoreError, StoredMessage, ViewChange, ViewRow,
};

use crate::config::{StoreKind, StoreSection, longest_ttl};
use crate::error::RunError;

/// One of the stores.
#[derive(Debug)]
pub(crate) enum Store {
    Embedded(EmbeddedStore),
    Postgres(PostgresStore),
}

impl Store {
    /// Opens the store of a configuration, whose namespaces may not be those of the mesh: nothing goes that has expired by them,
    /// before [`follow`](Self::follow) says which hold.
    pub(crate) async fn open(
        section: &StoreSection,
        namespaces: &[Namespace],
    ) -> Result<Self, RunError> {
        match section.kind {
            StoreKind::Embedded => {
                let options = embedded::Options::default();
                Ok(Self::Embedded(EmbeddedStore::open(&section.path, options)?))
            }
            StoreKind::Postgres => {
                let options = postgres::Options {
                    keeps_all_at_first: true,
                    ..section.postgres.options(namespaces)
                };
                Ok(Self::Postgres(PostgresStore::open(&options).await?))
            }
        }
    }

    /// Keeps messages and heads for as long as the rules of the mesh say.
    pub(crate) fn follow(&self, section: &StoreSection, rules: &Rules) {
        let namespaces: Vec<_> = rules.iter().cloned().collect();
        let heads = section.heads_kept(&namespaces);
        match self {
            Self::Embedded(store) => store.keep_heads(heads),
            Self::Postgres(store) => store.keep(longest_ttl(&namespaces), heads),
        }
    }

    /// Counts beginnings of new epochs after which the node has to join again; `None` where there can't be one while it runs.
    pub(crate) fn renewals(&self) -> Option<watch::Receiver<Renewals>> {
        match self {
            Self::Embedded(_) => None,
            Self::Postgres(store) => Some(store.renewals()),
        }
    }

    /// Counts what its database tells of changed views; `None` where only this node changes them.
    pub(crate) fn view_changes(&self) -> Option<watch::Receiver<u64>> {
        match self {
            Self::Embedded(_) => None,
            Self::Postgres(store) => Some(store.view_changes()),
        }
    }

    /// What it has done and what waits for it.
    pub(crate) fn stats(&self) -> StoreStats {
        match self {
            Self::Embedded(store) => store.stats(),
            Self::Postgres(store) => store.stats(),
        }
    }
}

/// Makes the same call of whichever store it is.
macro_rules! either {
    ($self:ident, $call:ident($($argument:expr),*)) => {
        match $self {
            Self::Embedded(store) => Either::Left(store.$call($($argument),*)),
            Self::Postgres(store) => Either::Right(store.$call($($argument),*)),
        }
    };
}

impl MessageStore for Store {
    fn append(&self, parts: Vec<SlotPart>) -> impl Future<Output = AppendOutcome> + Send {
        either!(self, append(parts))
    }

    fn claim(
        &self,
        request: ClaimRequest,
    ) -> impl Future<Output = Result<Vec<Claimed>, ClaimError>> + Send {
        either!(self, claim(request))
    }

    fn heads(
        &self,
        channels: Vec<(Slot, Channel)>,
    ) -> impl Future<Output = Result<Vec<Head>, StoreError>> + Send {
        either!(self, heads(channels))
    }

    fn range(
        &self,
        request: RangeRequest,
    ) -> impl Future<Output = Result<Vec<StoredMessage>, StoreError>> + Send {
        either!(self, range(request))
    }

    fn find(
        &self,
        request: FindRequest,
    ) -> impl Future<Output = Result<AllFound, StoreError>> + Send {
        either!(self, find(request))
    }

    fn raise_floor(
        &self,
        request: FloorRequest,
    ) -> impl Future<Output = Result<Head, FloorError>> + Send {
        either!(self, raise_floor(request))
    }

    fn have_heads(
        &self,
        namespaces: Vec<SmolStr>,
    ) -> impl Future<Output = Result<Vec<bool>, StoreError>> + Send {
        either!(self, have_heads(namespaces))
    }

    fn view(&self) -> impl Future<Output = Result<Option<ViewRow>, StoreError>> + Send {
        either!(self, view())
    }

    fn change_view(
        &self,
        change: ViewChange,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send {
        either!(self, change_view(change))
    }

    fn birth(&self) -> UnixMillis {
        match self {
            Self::Embedded(store) => store.birth(),
            Self::Postgres(store) => store.birth(),
        }
    }

    fn timeline(&self) -> u32 {
        match self {
            Self::Embedded(store) => store.timeline(),
            Self::Postgres(store) => store.timeline(),
        }
    }
}

impl MemberStore for Store {
    fn members(&self) -> impl Future<Output = Result<Vec<MemberRow>, StoreError>> + Send {
        either!(self, members())
    }

    fn join(&self, request: JoinRequest) -> impl Future<Output = Result<bool, StoreError>> + Send {
        either!(self, join(request))
    }

    fn heartbeat(
        &self,
        name: NodeId,
        incarnation: Incarnation,
    ) -> impl Future<Output = Result<Vec<MemberRow>, HeartbeatError>> + Send {
        either!(self, heartbeat(name, incarnation))
    }

    fn leave(
        &self,
        name: NodeId,
        incarnation: Incarnation,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send {
        either!(self, leave(name, incarnation))
    }
}
