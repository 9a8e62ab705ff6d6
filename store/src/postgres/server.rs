//! One database with its connections.

use std::future::{Future, ready};
use std::sync::Arc;

use futures_channel::oneshot;
use futures_util::future::Either;
use smol_str::SmolStr;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use trunkline_shared::{Channel, Epoch, Slot};
use trunkline_store_core::{
    AllFound, AppendOutcome, ClaimError, ClaimRequest, Claimed, FindRequest, FloorError,
    FloorRequest, Head, RangeRequest, SlotPart, StoreError, StoredMessage, ViewChange, ViewRow,
};

use super::birth::Birth;
use super::call::Call;
use super::error::Fault;
use super::inbox::Inbox;
use super::members::Heartbeats;
use super::session::Session;
use super::timeline::Timelines;
use super::worker::Work;
use super::writer::Append;
use super::{reads, writes};
use crate::queue::{Cost, Reason};
use crate::stats::Counters;

/// Some slots of a store, in one database.
///
/// Each call is queued when it is made, not when its future is first polled.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) timelines: Arc<Timelines>,
    pub(super) view_changes: watch::Sender<u64>,
    pub(super) birth: Arc<Birth>,
    pub(super) appends: Vec<Arc<Inbox<Append>>>,
    pub(super) writes: Arc<Inbox<Call>>,
    pub(super) reads: Arc<Inbox<Call>>,
    pub(super) heartbeats: Heartbeats,
    pub(super) counters: Arc<Counters>,
    pub(super) ended: CancellationToken,
}

impl Server {
    /// Writes and reads that wait.
    pub(super) fn waiting(&self) -> (Cost, Cost) {
        let appends = self.appends.iter().map(|inbox| inbox.waiting());
        let writes = appends.fold(self.writes.waiting(), Cost::plus);
        (writes, self.reads.waiting())
    }

    /// The timeline under which its slots are; 0 where replication is synchronous.
    pub(super) fn timeline(&self) -> u32 {
        self.timelines.latest()
    }

    pub(super) fn append(
        &self,
        parts: Vec<SlotPart>,
    ) -> impl Future<Output = AppendOutcome> + use<> {
        // A slot's appends always take the same connection, so that they stay in order.
        let slot = parts.first().map_or(0, |part| part.slot.number());
        let inbox = &self.appends[usize::from(slot) % self.appends.len()];
        let (sender, answer) = oneshot::channel();
        let append = Append::new(parts, sender);
        let cost = append.cost();
        if let Err(refusal) = inbox.push(append, cost) {
            self.counters.count_refused_write(refusal.reason);
            refusal.item.answer_away(why(refusal.reason));
        }
        let lost = |_| AppendOutcome::Unknown("its connection has ended".to_owned());
        async move { answer.await.unwrap_or_else(lost) }
    }

    pub(super) fn claim(
        &self,
        request: ClaimRequest,
    ) -> impl Future<Output = Result<Vec<Claimed>, ClaimError>> + use<> {
        match draw(request.slots.len()) {
            Err(error) => Either::Left(ready(Err(error.into()))),
            Ok(epochs) => Either::Right(self.write(move |session| async move {
                writes::claim(&session, &request, &epochs).await
            })),
        }
    }

    pub(super) fn heads(
        &self,
        channels: Vec<(Slot, Channel)>,
    ) -> impl Future<Output = Result<Vec<Head>, StoreError>> + use<> {
        self.read(move |session| async move { reads::heads(&session, &channels).await })
    }

    pub(super) fn range(
        &self,
        request: RangeRequest,
    ) -> impl Future<Output = Result<Vec<StoredMessage>, StoreError>> + use<> {
        self.read(move |session| async move { reads::range(&session, &request).await })
    }

    pub(super) fn find(
        &self,
        request: FindRequest,
    ) -> impl Future<Output = Result<AllFound, StoreError>> + use<> {
        self.read(move |session| async move { reads::find(&session, &request).await })
    }

    pub(super) fn raise_floor(
        &self,
        request: FloorRequest,
    ) -> impl Future<Output = Result<Head, FloorError>> + use<> {
        self.write(move |session| async move { writes::raise_floor(&session, &request).await })
    }

    pub(super) fn have_heads(
        &self,
        namespaces: Vec<SmolStr>,
    ) -> impl Future<Output = Result<Vec<bool>, StoreError>> + use<> {
        self.read(move |session| async move { reads::have_heads(&session, &namespaces).await })
    }

    pub(super) fn view(&self) -> impl Future<Output = Result<Option<ViewRow>, StoreError>> + use<> {
        self.read(move |session| async move { reads::view(&session).await })
    }

    pub(super) fn change_view(
        &self,
        change: ViewChange,
    ) -> impl Future<Output = Result<bool, StoreError>> + use<> {
        self.write(move |session| async move { writes::change_view(&session, &change).await })
    }

    pub(super) fn write<T, E, F, W>(
        &self,
        work: W,
    ) -> impl Future<Output = Result<T, E>> + use<T, E, F, W>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Future<Output = Result<Result<T, E>, Fault>> + Send + 'static,
        W: FnOnce(Arc<Session>) -> F + Send + 'static,
    {
        self.write_on(&self.writes, work)
    }

    pub(super) fn write_on<T, E, F, W>(
        &self,
        inbox: &Inbox<Call>,
        work: W,
    ) -> impl Future<Output = Result<T, E>> + use<T, E, F, W>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Future<Output = Result<Result<T, E>, Fault>> + Send + 'static,
        W: FnOnce(Arc<Session>) -> F + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let call = Call::new(work, sender, Arc::clone(&self.counters));
        if let Err(refusal) = inbox.push(call, ONE_CALL) {
            self.counters.count_refused_write(refusal.reason);
            refusal.item.answer_away(why(refusal.reason));
        }
        answered(answer)
    }

    pub(super) fn read<T, F, W>(
        &self,
        work: W,
    ) -> impl Future<Output = Result<T, StoreError>> + use<T, F, W>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Fault>> + Send + 'static,
        W: FnOnce(Arc<Session>) -> F + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let work = move |session| {
            let work = work(session);
            async move { work.await.map(Ok) }
        };
        let call = Call::new(work, sender, Arc::clone(&self.counters));
        if let Err(refusal) = self.reads.push(call, ONE_CALL) {
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

impl Drop for Server {
    fn drop(&mut self) {
        self.appends.iter().for_each(|inbox| inbox.stop());
        self.writes.stop();
        self.reads.stop();
        self.ended.cancel();
    }
}
