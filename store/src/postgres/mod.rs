//! The PostgreSQL store: tables in a database, for backbones of any size.
//!
//! Calls wait in bounded queues for connections: some append, each for its share of the slots and all that waits in one
//! call; one writes everything else; some read. A connection that is lost is made again, and until then what it would do
//! is answered "away"; an append that was in flight on it is unknown, since it may have been committed.

mod batch;
mod call;
mod connector;
mod error;
mod inbox;
mod migrate;
mod numbers;
mod open;
mod options;
mod partitions;
mod reads;
mod session;
mod settings;
mod worker;
mod writer;
mod writes;

use std::future::{Future, ready};
use std::sync::Arc;

use futures_channel::oneshot;
use futures_util::future::Either;
use tokio_util::sync::CancellationToken;
use trunkline_shared::{Channel, Epoch, PublishId, RingView, Slot, UnixMillis};
use trunkline_store_core::check::{check_append, check_claim};
use trunkline_store_core::{
    AppendOutcome, ClaimError, ClaimRequest, Claimed, FloorError, FloorRequest, Found, Head,
    MessageStore, RangeRequest, SlotPart, StoreError, StoredMessage, ViewChange,
};

use self::call::Call;
use self::error::Fault;
pub use self::error::{ConnectError, OpenError};
use self::inbox::Inbox;
pub use self::options::Options;
use self::session::Session;
use self::worker::Work;
use self::writer::Append;
use crate::queue::{Cost, Reason};
use crate::stats::{Counters, StoreStats};

/// A message store in a PostgreSQL database.
///
/// Lives on the Tokio runtime on which it was opened. Dropping it ends its connections once what waits is done.
#[derive(Debug)]
pub struct PostgresStore {
    birth: UnixMillis,
    appends: Vec<Arc<Inbox<Append>>>,
    writes: Arc<Inbox<Call>>,
    reads: Arc<Inbox<Call>>,
    counters: Arc<Counters>,
    ended: CancellationToken,
}

impl PostgresStore {
    /// Connects to the database and makes or migrates its tables.
    ///
    /// # Errors
    /// When the database can't be reached, when it is set to lose what it acknowledges, or when its tables have a later
    /// format.
    pub async fn open(options: &Options) -> Result<Self, OpenError> {
        open::open(options).await
    }

    /// What the store has done and what waits for it.
    pub fn stats(&self) -> StoreStats {
        let appends = self.appends.iter().map(|inbox| inbox.waiting());
        let writes = appends.fold(self.writes.waiting(), Cost::plus);
        self.counters.read(writes, self.reads.waiting())
    }

    /// A slot's appends always take the same connection, so that they stay in order.
    fn inbox_of(&self, parts: &[SlotPart]) -> &Inbox<Append> {
        let slot = parts.first().map_or(0, |part| part.slot.number());
        &self.appends[usize::from(slot) % self.appends.len()]
    }

    fn write<T, E, F>(
        &self,
        work: impl FnOnce(Arc<Session>) -> F + Send + 'static,
    ) -> impl Future<Output = Result<T, E>> + Send
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Future<Output = Result<Result<T, E>, Fault>> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        if let Err(refusal) = self.writes.push(Call::new(work, sender), ONE_CALL) {
            self.counters.count_refused_write(refusal.reason);
            refusal.item.answer_away(why(refusal.reason));
        }
        answered(answer)
    }

    fn read<T, F>(
        &self,
        work: impl FnOnce(Arc<Session>) -> F + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Fault>> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let work = move |session| {
            let work = work(session);
            async move { work.await.map(Ok) }
        };
        if let Err(refusal) = self.reads.push(Call::new(work, sender), ONE_CALL) {
            self.counters.count_refused_read(refusal.reason);
            refusal.item.answer_away(why(refusal.reason));
        }
        answered(answer)
    }
}

const ONE_CALL: Cost = Cost { bytes: 0, units: 1 };

const fn why(reason: Reason) -> &'static str {
    match reason {
        Reason::Closed => "there is no connection to PostgreSQL",
        Reason::Full | Reason::Stopped => reason.text(),
    }
}

async fn answered<T, E: From<StoreError>>(answer: oneshot::Receiver<Result<T, E>>) -> Result<T, E> {
    let lost = |_| StoreError::Away("PostgreSQL didn't answer in time".to_owned());
    answer.await.map_err(lost)?
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.appends.iter().for_each(|inbox| inbox.stop());
        self.writes.stop();
        self.reads.stop();
        self.ended.cancel();
    }
}

/// Each call is queued when it is made, not when its future is first polled; a future that is dropped cancels nothing.
impl MessageStore for PostgresStore {
    fn append(&self, parts: Vec<SlotPart>) -> impl Future<Output = AppendOutcome> + Send {
        if let Err(error) = check_append(&parts) {
            return Either::Left(ready(AppendOutcome::Failed(error)));
        }
        let inbox = self.inbox_of(&parts);
        let (sender, answer) = oneshot::channel();
        let append = Append::new(parts, sender);
        let cost = append.cost();
        if let Err(refusal) = inbox.push(append, cost) {
            self.counters.count_refused_write(refusal.reason);
            refusal.item.answer_away(why(refusal.reason));
        }
        let lost = |_| AppendOutcome::Unknown("its connection has ended".to_owned());
        Either::Right(async move { answer.await.unwrap_or_else(lost) })
    }

    fn claim(
        &self,
        request: ClaimRequest,
    ) -> impl Future<Output = Result<Vec<Claimed>, ClaimError>> + Send {
        let checked = check_claim(&request).and_then(|()| draw(request.slots.len()));
        match checked {
            Err(error) => Either::Left(ready(Err(error.into()))),
            Ok(epochs) => Either::Right(self.write(move |session| async move {
                writes::claim(&session, &request, &epochs).await
            })),
        }
    }

    fn heads(
        &self,
        channels: Vec<(Slot, Channel)>,
    ) -> impl Future<Output = Result<Vec<Head>, StoreError>> + Send {
        self.read(move |session| async move { reads::heads(&session, &channels).await })
    }

    fn range(
        &self,
        request: RangeRequest,
    ) -> impl Future<Output = Result<Vec<StoredMessage>, StoreError>> + Send {
        self.read(move |session| async move { reads::range(&session, &request).await })
    }

    fn find(
        &self,
        ids: Vec<(Slot, PublishId)>,
    ) -> impl Future<Output = Result<Vec<Found>, StoreError>> + Send {
        self.read(move |session| async move { reads::find(&session, &ids).await })
    }

    fn raise_floor(
        &self,
        request: FloorRequest,
    ) -> impl Future<Output = Result<Head, FloorError>> + Send {
        self.write(move |session| async move { writes::raise_floor(&session, &request).await })
    }

    fn view(&self) -> impl Future<Output = Result<Option<RingView>, StoreError>> + Send {
        self.read(move |session| async move { reads::view(&session).await })
    }

    fn change_view(
        &self,
        change: ViewChange,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send {
        self.write(move |session| async move { writes::change_view(&session, &change).await })
    }

    fn birth(&self) -> UnixMillis {
        self.birth
    }
}

/// Epochs for slots that are claimed for the first time, or anew.
fn draw(count: usize) -> Result<Vec<Epoch>, StoreError> {
    let mut bytes = vec![0; count * 8];
    getrandom::fill(&mut bytes)
        .map_err(|error| StoreError::Away(format!("randomness: {error}")))?;
    let (numbers, _) = bytes.as_chunks();
    Ok(numbers
        .iter()
        .map(|number| Epoch::new(u64::from_ne_bytes(*number)))
        .collect())
}
