//! The trait that every store fulfils.

use std::future::Future;

use smol_str::SmolStr;
use trunkline_shared::{Channel, Slot, UnixMillis};

use crate::message::{Head, StoredMessage};
use crate::request::{
    AllFound, AppendOutcome, ClaimError, ClaimRequest, Claimed, FindRequest, FloorError,
    FloorRequest, RangeRequest, SlotPart, ViewChange, ViewRow,
};

/// Why a store did nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It can't be reached, is being opened again, or its disk is full: try later.
    #[error("message store is away: {0}")]
    Away(String),
    /// What it was given or what it holds makes no sense; trying again won't help.
    #[error("message store refused: {0}")]
    Data(String),
}

/// Remembers what durable channels were told.
///
/// All calls may run at the same time; the owner keeps one append per slot in flight. Answers are final: `Committed` only
/// after the data would survive a power cut.
pub trait MessageStore: Send + Sync + 'static {
    /// Takes each slot's part whole or refuses it whole; checks its generation and its channels' heads in the same step.
    ///
    /// Calls that wait are committed together.
    fn append(&self, parts: Vec<SlotPart>) -> impl Future<Output = AppendOutcome> + Send;

    /// Raises the generations of all slots in one step, waiting for appends in flight; returns them in the order asked.
    ///
    /// # Errors
    /// When a slot was claimed under a later view: nothing has changed then. When the store is away: the generations may
    /// have been raised, which fences and does no other harm.
    fn claim(
        &self,
        request: ClaimRequest,
    ) -> impl Future<Output = Result<Vec<Claimed>, ClaimError>> + Send;

    /// Reads heads in the order asked.
    ///
    /// A channel without a head, because it was never written to or because its head has gone, stands at its slot's mark
    /// ([`Head::at_mark`]): the default head where no head of the slot has gone. An append has to follow it there.
    ///
    /// # Errors
    /// When the store is away or damaged.
    fn heads(
        &self,
        channels: Vec<(Slot, Channel)>,
    ) -> impl Future<Output = Result<Vec<Head>, StoreError>> + Send;

    /// Reads a part of a channel's log.
    ///
    /// # Errors
    /// When the store is away or damaged.
    fn range(
        &self,
        request: RangeRequest,
    ) -> impl Future<Output = Result<Vec<StoredMessage>, StoreError>> + Send;

    /// Looks publish ids and idempotency keys up, many in one query; returns those found.
    ///
    /// A message is found by its id for at least 60 s, and by its key from `keys_not_before` on, if that is no longer ago
    /// than [`IDEMPOTENCY_KEY_TTL`](trunkline_shared::limits::IDEMPOTENCY_KEY_TTL); whatever retention says.
    ///
    /// # Errors
    /// When the store is away or damaged.
    fn find(
        &self,
        request: FindRequest,
    ) -> impl Future<Output = Result<AllFound, StoreError>> + Send;

    /// Raises a channel's floor, never lowers it; returns the head as it is then.
    ///
    /// # Errors
    /// When the slot has another generation, or the store is away.
    fn raise_floor(
        &self,
        request: FloorRequest,
    ) -> impl Future<Output = Result<Head, FloorError>> + Send;

    /// Whether any channel of these namespaces has a head, in the order asked; the empty name stands for channels without
    /// a namespace ([`Channel::namespace`]). For the start of a node: it may take a second or so.
    ///
    /// # Errors
    /// When the store is away or damaged.
    fn have_heads(
        &self,
        namespaces: Vec<SmolStr>,
    ) -> impl Future<Output = Result<Vec<bool>, StoreError>> + Send;

    /// Reads the ring view and the rules as one change left them; `None` before the first one was written.
    ///
    /// # Errors
    /// When the store is away or damaged.
    fn view(&self) -> impl Future<Output = Result<Option<ViewRow>, StoreError>> + Send;

    /// Replaces the ring view, and the rules where there are new ones, in one step; false when the view's version isn't
    /// the one expected.
    ///
    /// # Errors
    /// When the store is away; the row may have been replaced then: read it.
    fn change_view(
        &self,
        change: ViewChange,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// When the store was created, or got new epochs last; leads the version of every view.
    fn birth(&self) -> UnixMillis;

    /// The timelines of the servers together, which come next in a view's version: they grow by a fail-over that may have
    /// lost commits. 0 for a store without such servers.
    fn timeline(&self) -> u32 {
        0
    }
}
