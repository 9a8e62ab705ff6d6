//! `history_remove`: forgets what was published to a channel; its numbering goes on.

use serde::Serialize;
use trunkline_edge_core::exchange::{Answer, ToUpstream};

use super::error::ApiError;
use super::publish::Target;
use crate::ask::Asker;

/// Nothing to say.
#[derive(Serialize)]
pub(super) struct RemovedBody {}

/// Removes a channel's history, everything that was acknowledged before the call.
///
/// # Errors
/// 108 where the namespace has no history; 100 when it isn't known to be done.
pub(super) async fn history_remove(asker: &Asker, target: Target) -> Result<RemovedBody, ApiError> {
    let deadline = asker.deadline();
    let (channel, namespace) = target.resolve(asker)?;
    if !namespace.has_history() {
        return Err(ApiError::NotAvailable);
    }
    let answer = asker
        .ask(|ticket| ToUpstream::RemoveHistory {
            ticket,
            deadline,
            channel,
        })
        .await;
    match answer {
        Answer::HistoryRemoved { .. } => Ok(RemovedBody {}),
        Answer::Subscribed { .. }
        | Answer::Published { .. }
        | Answer::History { .. }
        | Answer::Presence(_)
        | Answer::PresenceStats { .. }
        | Answer::Info(_)
        | Answer::Refused(_) => Err(ApiError::of(&answer)),
    }
}
