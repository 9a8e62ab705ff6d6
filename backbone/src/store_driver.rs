//! Carries a shard's requests to the store and the answers back.

use std::sync::{Arc, Mutex, PoisonError};

use trunkline_backbone_core::ControlInput;
use trunkline_backbone_core::io::{PartOutcome, StoreAnswer, StoreRequest};
use trunkline_store_core::{
    AppendOutcome, ClaimError, FloorError, MessageStore, SlotPart, StoreError,
};

use crate::control_task::ControlMessage;
use crate::sink::Queue;

/// The store, and what is known of its health.
pub(crate) struct StoreDriver<S> {
    store: Arc<S>,
    /// Held while it is told, so that the last thing told is the last thing seen.
    away: Mutex<bool>,
    control: Queue<ControlMessage>,
}

impl<S: MessageStore> StoreDriver<S> {
    pub(crate) fn new(store: Arc<S>, control: Queue<ControlMessage>) -> Self {
        Self {
            store,
            away: Mutex::new(false),
            control,
        }
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
        self.note_health(away_because(&answer));
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

    fn note_health(&self, reason: Option<String>) {
        let mut known = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        let away = reason.is_some();
        if *known == away {
            return;
        }
        *known = away;
        if let Some(error) = reason {
            tracing::error!(
                error,
                "message store is away: durable publishes fail until it is back"
            );
        } else {
            tracing::info!("message store is back");
        }
        self.control
            .say(ControlMessage::Input(ControlInput::Store { away }));
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
