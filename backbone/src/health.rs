//! Whether edges are told that the store is away: it doesn't answer, or the node's lease is over.

use std::sync::{Mutex, MutexGuard, PoisonError};

use trunkline_backbone_core::ControlInput;

use crate::control_task::ControlMessage;
use crate::sink::Queue;

/// What is known of the store's health, by those who ask it.
pub(crate) struct Health {
    known: Mutex<Known>,
    control: Queue<ControlMessage>,
}

/// Held while it is told, so that the last thing told is the last thing seen.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Known {
    away: bool,
    lease_over: bool,
}

impl Known {
    const fn is_away(self) -> bool {
        self.away || self.lease_over
    }
}

impl Health {
    pub(crate) fn new(control: Queue<ControlMessage>) -> Self {
        Self {
            known: Mutex::default(),
            control,
        }
    }

    /// A request was answered, or failed for this reason.
    pub(crate) fn note_store(&self, reason: Option<String>) {
        let mut known = self.known();
        let away = reason.is_some();
        if known.away == away {
            return;
        }
        if let Some(error) = reason {
            tracing::error!(
                error,
                "message store is away: durable publishes fail until it is back"
            );
        } else {
            tracing::info!("message store is back");
        }
        self.change(&mut known, |known| known.away = away);
    }

    /// The node's lease is held, or over.
    pub(crate) fn note_lease(&self, held: bool) {
        let mut known = self.known();
        if known.lease_over != held {
            return;
        }
        if held {
            tracing::info!("the node's lease is held again");
        } else {
            tracing::error!(
                "the node's lease is over: durable publishes fail until a heartbeat gets through"
            );
        }
        self.change(&mut known, |known| known.lease_over = !held);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, known: &mut Known, change: impl FnOnce(&mut Known)) {
        let before = known.is_away();
        change(known);
        let away = known.is_away();
        if away != before {
            self.control
                .say(ControlMessage::Input(ControlInput::Store { away }));
        }
    }
}
