//! Carries the membership's requests to the store and the answers back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::{info, warn};
use trunkline_backbone_core::membership::io::{
    MembershipAnswer, MembershipRequest, MembershipTicket,
};
use trunkline_shared::{Incarnation, NodeId};
use trunkline_store_core::{HeartbeatError, MemberStore, MessageStore, StoreError};

use super::MembershipMessage;
use crate::sink::Queue;

/// The way to the store and back.
pub(super) struct Requests<S> {
    store: Arc<S>,
    name: NodeId,
    answers: Queue<MembershipMessage>,
    /// The last request failed: said once, not every half second.
    failing: Arc<AtomicBool>,
}

impl<S: MessageStore + MemberStore> Requests<S> {
    pub(super) fn new(store: Arc<S>, name: NodeId, answers: Queue<MembershipMessage>) -> Self {
        Self {
            store,
            name,
            answers,
            failing: Arc::default(),
        }
    }

    /// Asks for a life; the answer comes as a message.
    pub(super) fn ask(
        &self,
        life: Incarnation,
        ticket: MembershipTicket,
        request: MembershipRequest,
    ) {
        let (store, name) = (Arc::clone(&self.store), self.name.clone());
        let (answers, failing) = (self.answers.clone(), Arc::clone(&self.failing));
        tokio::spawn(async move {
            let answer = perform(store.as_ref(), name, life, request).await;
            note(&failing, failure(&answer));
            answers.say(MembershipMessage::Answer(life, ticket, answer));
        });
    }
}

async fn perform(
    store: &(impl MessageStore + MemberStore),
    name: NodeId,
    life: Incarnation,
    request: MembershipRequest,
) -> MembershipAnswer {
    match request {
        MembershipRequest::Members => MembershipAnswer::Members(store.members().await),
        MembershipRequest::Join(join) => MembershipAnswer::Joined(store.join(join).await),
        MembershipRequest::Heartbeat => {
            MembershipAnswer::Heartbeat(store.heartbeat(name, life).await)
        }
        MembershipRequest::View => MembershipAnswer::View(store.view().await),
        MembershipRequest::HaveHeads(namespaces) => {
            MembershipAnswer::HaveHeads(store.have_heads(namespaces).await)
        }
        MembershipRequest::ChangeView(change) => {
            MembershipAnswer::ViewChanged(store.change_view(change).await)
        }
        MembershipRequest::Resign => MembershipAnswer::Resigned(store.leave(name, life).await),
    }
}

fn note(failing: &AtomicBool, failure: Option<&StoreError>) {
    let was_failing = failing.swap(failure.is_some(), Ordering::Relaxed);
    match failure {
        Some(error) if !was_failing => {
            warn!(%error, "the members' rows or the view can't be reached")
        }
        None if was_failing => info!("the members' rows and the view can be reached again"),
        Some(_) | None => {}
    }
}

fn failure(answer: &MembershipAnswer) -> Option<&StoreError> {
    match answer {
        MembershipAnswer::Members(result) => result.as_ref().err(),
        MembershipAnswer::Joined(result)
        | MembershipAnswer::ViewChanged(result)
        | MembershipAnswer::Resigned(result) => result.as_ref().err(),
        MembershipAnswer::View(result) => result.as_ref().err(),
        MembershipAnswer::HaveHeads(result) => result.as_ref().err(),
        MembershipAnswer::Heartbeat(Err(HeartbeatError::Store(error))) => Some(error),
        MembershipAnswer::Heartbeat(Err(HeartbeatError::Replaced) | Ok(_)) => None,
    }
}
