//! Carries a shard's requests to the store and the answers back.

use std::sync::Arc;

use trunkline_backbone_core::io::{PartOutcome, StoreAnswer, StoreRequest};
use trunkline_store_core::{
    AppendOutcome, ClaimError, FloorError, MessageStore, SlotPart, StoreError,
};

use crate::health::Health;

/// The store, and what is known of its health.
pub(crate) struct StoreDriver<S> {
    store: Arc<S>,
    health: Arc<Health>,
}

impl<S: MessageStore> StoreDriver<S> {
    pub(crate) const fn new(store: Arc<S>, health: Arc<Health>) -> Self {
        Self { store, health }
    }

    pub(crate) async fn ask(&self, request: StoreRequest) -> StoreAnswer {
        let answer = match request {
            StoreRequest::Append(part) => StoreAnswer::Appended(self.append(part).await),
            StoreRequest::Claim(request) => StoreAnswer::Claimed(self.store.claim(request).await),
            StoreRequest::Heads(channels) => StoreAnswer::Heads(self.store.heads(channels).await),
            StoreRequest::Range(request) => StoreAnswer::Range(self.store.range(request).await),
            StoreRequest::Find(request) => StoreAnswer::Found(self.store.find(request).await),
            StoreRequest::RaiseFloor(request) => {
                StoreAnswer::FloorRaised(self.store.raise_floor(request).await)
            }
        };
        self.health.note_store(away_because(&answer));
        answer
    }

    async fn append(&self, part: SlotPart) -> PartOutcome {
        match self.store.append(vec![part]).await {
            AppendOutcome::Committed { refused } => {
                refused.first().map_or(PartOutcome::Committed, |(_, why)| {
                    PartOutcome::Refused(*why)
                })
            }
            AppendOutcome::Failed(error) => PartOutcome::Failed(error),
            AppendOutcome::Unknown(reason) => {
                tracing::warn!(reason, "append of unknown outcome");
                PartOutcome::Unknown
            }
        }
    }
}

/// Why the store is away, as an answer shows it; `None` when the answer came from it.
fn away_because(answer: &StoreAnswer) -> Option<String> {
    let of = |error: &StoreError| {
        if let StoreError::Away(reason) = error {
            Some(reason.to_string())
        } else {
            None
        }
    };
    match answer {
        StoreAnswer::Appended(PartOutcome::Failed(error)) => of(error),
        StoreAnswer::Appended(PartOutcome::Unknown) => {
            Some("an append has no known outcome".to_owned())
        }
        StoreAnswer::Appended(PartOutcome::Committed | PartOutcome::Refused(_)) => None,
        StoreAnswer::Claimed(result) => match result {
            Err(ClaimError::Store(error)) => of(error),
            Err(ClaimError::LaterView(_)) | Ok(_) => None,
        },
        StoreAnswer::Heads(result) => result.as_ref().err().and_then(of),
        StoreAnswer::Range(result) => result.as_ref().err().and_then(of),
        StoreAnswer::Found(result) => result.as_ref().err().and_then(of),
        StoreAnswer::FloorRaised(result) => match result {
            Err(FloorError::Store(error)) => of(error),
            Err(FloorError::Generation) | Ok(_) => None,
        },
    }
}
