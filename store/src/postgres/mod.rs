//! The PostgreSQL store: tables in one or more databases, for backbones of any size.
//!
//! Calls wait in bounded queues for connections: some append, each for its share of the slots and all that waits in one
//! call; one writes everything else; some read. A connection that is lost is made again, and until then what it would do
//! is answered "away"; an append that was in flight on it is unknown, since it may have been committed.

mod batch;
mod birth;
mod call;
mod connector;
mod error;
mod heads;
mod inbox;
mod keeping;
mod last_seen;
mod look;
mod members;
mod migrate;
mod new_epochs;
mod nodes;
mod numbers;
mod open;
mod options;
mod partitions;
mod reads;
mod renewal;
mod server;
mod session;
mod settings;
mod split;
mod timeline;
mod worker;
mod writer;
mod writes;

use std::future::{Future, ready};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, FutureExt, TryFutureExt, join_all, try_join_all};
use smol_str::SmolStr;
use tokio::sync::watch;
use trunkline_shared::{Channel, Slot, UnixMillis};
use trunkline_store_core::check::{check_append, check_claim};
use trunkline_store_core::{
    AllFound, AppendOutcome, ClaimError, ClaimRequest, Claimed, FindRequest, FloorError,
    FloorRequest, Head, MessageStore, RangeRequest, SlotPart, StoreError, StoredMessage,
    ViewChange, ViewRow,
};

pub use self::error::{ConnectError, OpenError};
use self::keeping::Keeping;
pub use self::look::{Looked, look, look_at_view};
pub use self::new_epochs::{NewEpochsError, begin_epochs};
pub use self::options::{Options, Replication, ShardOptions};
pub use self::renewal::Renewals;
use self::server::Server;
use self::split::{Ranges, Split, in_order, join_appends, join_claims, join_found, split_find};
use crate::queue::Cost;
use crate::stats::{Counters, StoreStats};

/// A message store in one or more PostgreSQL databases.
///
/// Lives on the Tokio runtime on which it was opened. Dropping it ends its connections once what waits is done.
#[derive(Debug)]
pub struct PostgresStore {
    servers: Vec<Server>,
    ranges: Ranges,
    counters: Arc<Counters>,
    renewals: watch::Sender<Renewals>,
    keeping: watch::Sender<Keeping>,
}

impl PostgresStore {
    /// Connects to the databases and makes or migrates their tables.
    ///
    /// # Errors
    /// When a database can't be reached, when it is set to lose what it acknowledges, or when its tables have a later
    /// format or other slots.
    pub async fn open(options: &Options) -> Result<Self, OpenError> {
        open::open(options).await
    }

    /// Says how long messages are kept, and heads that nothing touches, from now on; `None`: for ever. The latter is at least the
    /// former. What has expired goes within a minute or so.
    pub fn keep(&self, messages: Option<Duration>, heads: Option<Duration>) {
        self.keeping.send_replace(Keeping::Said { messages, heads });
    }

    /// What the store has done and what waits for it.
    pub fn stats(&self) -> StoreStats {
        let waiting = self.servers.iter().map(Server::waiting);
        let none = (Cost::default(), Cost::default());
        let (writes, reads) = waiting.fold(none, |sum, (writes, reads)| {
            (sum.0.plus(writes), sum.1.plus(reads))
        });
        StoreStats {
            fail_overs: self.renewals.borrow().fail_overs,
            ..self.counters.read(writes, reads)
        }
    }

    /// Counts how often connections have met that new epochs began: after each the slots have to be claimed again.
    pub fn renewals(&self) -> watch::Receiver<Renewals> {
        self.renewals.subscribe()
    }

    /// Counts what the first database tells of changed views, once there have been heartbeats: each may stand for several, and
    /// one that comes while there is no connection for heartbeats is missed.
    pub fn view_changes(&self) -> watch::Receiver<u64> {
        self.first().view_changes.subscribe()
    }

    fn server_of(&self, slot: Slot) -> &Server {
        &self.servers[self.ranges.server_of(slot)]
    }

    fn split<T>(&self, things: Vec<T>, slot: impl Fn(&T) -> Slot) -> Split<T> {
        Split::new(things, |thing| self.ranges.server_of(slot(thing)))
    }

    /// The one that has members, view and birth.
    fn first(&self) -> &Server {
        self.servers.first().expect("a store has a server")
    }
}

/// Each call is queued when it is made, not when its future is first polled; a future that is dropped cancels nothing.
///
/// A call that several servers share is made by each for itself: an append that not all of them took is unknown, and a
/// claim that one of them refuses may have raised generations of another, which fences and does no other harm.
impl MessageStore for PostgresStore {
    fn append(&self, parts: Vec<SlotPart>) -> impl Future<Output = AppendOutcome> + Send {
        if let Err(error) = check_append(&parts) {
            return Either::Left(ready(AppendOutcome::Failed(error)));
        }
        let split = self.split(parts, |part| part.slot);
        let calls = split.shares.into_iter();
        let calls: Vec<_> = calls
            .map(|(server, parts)| self.servers[server].append(parts))
            .collect();
        Either::Right(join_all(calls).map(join_appends))
    }

    fn claim(
        &self,
        request: ClaimRequest,
    ) -> impl Future<Output = Result<Vec<Claimed>, ClaimError>> + Send {
        if let Err(error) = check_claim(&request) {
            return Either::Left(ready(Err(error.into())));
        }
        let view = request.view;
        let Split { shares, order } = self.split(request.slots, |(slot, _)| *slot);
        let calls = shares.into_iter();
        let calls: Vec<_> = calls
            .map(|(server, slots)| self.servers[server].claim(ClaimRequest { view, slots }))
            .collect();
        Either::Right(join_all(calls).map(move |answers| join_claims(&order, answers)))
    }

    fn heads(
        &self,
        channels: Vec<(Slot, Channel)>,
    ) -> impl Future<Output = Result<Vec<Head>, StoreError>> + Send {
        let Split { shares, order } = self.split(channels, |(slot, _)| *slot);
        let calls = shares.into_iter();
        let calls: Vec<_> = calls
            .map(|(server, channels)| self.servers[server].heads(channels))
            .collect();
        try_join_all(calls).map_ok(move |answers| in_order(&order, answers))
    }

    fn range(
        &self,
        request: RangeRequest,
    ) -> impl Future<Output = Result<Vec<StoredMessage>, StoreError>> + Send {
        self.server_of(request.slot).range(request)
    }

    fn find(
        &self,
        request: FindRequest,
    ) -> impl Future<Output = Result<AllFound, StoreError>> + Send {
        let shares = split_find(request, self.servers.len(), |slot| {
            self.ranges.server_of(slot)
        });
        let calls = shares.into_iter();
        let calls: Vec<_> = calls
            .map(|(server, share)| self.servers[server].find(share))
            .collect();
        try_join_all(calls).map_ok(join_found)
    }

    fn raise_floor(
        &self,
        request: FloorRequest,
    ) -> impl Future<Output = Result<Head, FloorError>> + Send {
        self.server_of(request.slot).raise_floor(request)
    }

    async fn have_heads(&self, namespaces: Vec<SmolStr>) -> Result<Vec<bool>, StoreError> {
        let servers = self.servers.iter();
        let answers = try_join_all(servers.map(|server| server.have_heads(namespaces.clone())));
        let any = |all: Vec<bool>, more: Vec<bool>| {
            all.iter()
                .zip(more)
                .map(|(one, other)| *one || other)
                .collect()
        };
        let none = vec![false; namespaces.len()];
        Ok(answers.await?.into_iter().fold(none, any))
    }

    fn view(&self) -> impl Future<Output = Result<Option<ViewRow>, StoreError>> + Send {
        self.first().view()
    }

    fn change_view(
        &self,
        change: ViewChange,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send {
        self.first().change_view(change)
    }

    fn birth(&self) -> UnixMillis {
        self.first().birth.latest()
    }

    fn timeline(&self) -> u32 {
        // Of all together, so that a fail-over of any of them leads to another view, and its slots are claimed again.
        self.servers.iter().map(Server::timeline).sum()
    }
}
