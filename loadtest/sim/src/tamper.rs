//! Planted bugs of the network: what it does to frames, and to messages for clients.

mod keys;
mod ring;

use std::collections::BTreeMap;

use trunkline_edge_core::exchange::ToWorker;
use trunkline_protocol::client::ServerMessage;
use trunkline_protocol::{Push, ReplyBody};
use trunkline_shared::frame::{ToEdge, ToNode};
use trunkline_shared::rules::{Namespace, Rules};
use trunkline_shared::{Epoch, Payload, Position, RequestId, Slot};

use self::ring::MixedRings;
use crate::dice::Dice;
use crate::plant::Plant;

/// A network that may have a planted bug.
#[derive(Debug)]
pub(crate) struct Tamper {
    plant: Option<Plant>,
    dice: Dice,
    renamed: BTreeMap<RequestId, RequestId>,
    publishes: u64,
    answers: BTreeMap<Slot, Position>,
    held: BTreeMap<(usize, String), ServerMessage>,
    rings: MixedRings,
}

/// What becomes of a frame for the node.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It arrives.
    Arrives(ToNode),
    /// It is lost.
    Lost,
    /// It is lost, and the network answers in the node's place.
    Answered(ToEdge),
}

impl Tamper {
    /// Makes a network with a planted bug, or none.
    pub(crate) fn new(plant: Option<Plant>, dice: Dice) -> Self {
        Self {
            plant,
            dice,
            renamed: BTreeMap::new(),
            publishes: 0,
            answers: BTreeMap::new(),
            held: BTreeMap::new(),
            rings: MixedRings::default(),
        }
    }

    /// A frame arrives at the node.
    pub(crate) fn node_frame(&mut self, mut frame: ToNode) -> Fate {
        let Some(plant) = self.plant else {
            return Fate::Arrives(frame);
        };
        if let ToNode::Publish(publish) = &mut frame {
            self.publishes += 1;
            keys::tamper(plant, publish, self.publishes);
            if plant == Plant::AnsweredForgotten {
                publish.oldest_unanswered = publish.request;
            }
        }
        match &mut frame {
            ToNode::Publish(publish) if plant == Plant::RepeatUnmarked => publish.repeat = false,
            ToNode::Publish(publish) if plant == Plant::RepeatRenamed && publish.repeat => {
                let other = RequestId(publish.request.0 + (1 << 40));
                self.renamed.insert(other, publish.request);
                publish.request = other;
            }
            ToNode::Publish(publish)
                if plant == Plant::OldAnswerNewId && self.dice.permille(20) =>
            {
                if let Some(position) = self.answers.get(&publish.slot).copied() {
                    let (request, slot) = (publish.request, publish.slot);
                    return Fate::Answered(ToEdge::Published {
                        request,
                        slot,
                        position,
                    });
                }
            }
            ToNode::Subscribe(subscribe) if plant == Plant::EpochKept => subscribe.at = None,
            ToNode::Subscribe(subscribe)
                if plant == Plant::ResubscribesSwallowed && subscribe.at.is_some() =>
            {
                return Fate::Lost;
            }
            ToNode::CheckPositions { .. } if plant == Plant::ResubscribesSwallowed => {
                return Fate::Lost;
            }
            ToNode::PresenceChanges(changes) if plant == Plant::LeavesSwallowed => {
                changes.changes.retain(|change| change.joined);
            }
            ToNode::ShowView(_)
            | ToNode::Stats(_)
            | ToNode::Info { .. }
            | ToNode::Goodbye
            | ToNode::Publish(_)
            | ToNode::PublishUnkept(_)
            | ToNode::Subscribe(_)
            | ToNode::Unsubscribe { .. }
            | ToNode::Pull(_)
            | ToNode::History(_)
            | ToNode::RemoveHistory(_)
            | ToNode::Presence { .. }
            | ToNode::PresenceStats { .. }
            | ToNode::PresenceChanges(_)
            | ToNode::PresenceSnapshot(_)
            | ToNode::CheckPositions { .. } => {}
        }
        Fate::Arrives(frame)
    }

    /// A frame arrives at an edge: as what.
    pub(crate) fn edge_frame(&mut self, mut frame: ToEdge) -> Vec<ToEdge> {
        let Some(plant) = self.plant else {
            return vec![frame];
        };
        match &mut frame {
            ToEdge::Published {
                request,
                slot,
                position,
            } => {
                if let Some(original) = self.renamed.get(request) {
                    *request = *original;
                }
                self.answers.insert(*slot, *position);
            }
            ToEdge::Refused { request, .. } => {
                if let Some(original) = self.renamed.get(request) {
                    *request = *original;
                }
            }
            ToEdge::Push(push) if plant == Plant::EphemeralTwice && push.epoch.is_none() => {
                return vec![frame.clone(), frame];
            }
            ToEdge::Rules(json) if plant == Plant::RingBeyondSize => *json = enlarge(json),
            ToEdge::Floor(_) if plant == Plant::RingBelowFloor => return Vec::new(),
            ToEdge::HistoryRemoved { epoch, .. } => *epoch = self.removal_epoch(*epoch),
            ToEdge::Push(_)
            | ToEdge::View(_)
            | ToEdge::Rules(_)
            | ToEdge::Store { .. }
            | ToEdge::Info { .. }
            | ToEdge::Goodbye { .. }
            | ToEdge::Subscribed(_)
            | ToEdge::Pulled(_)
            | ToEdge::History(_)
            | ToEdge::Presence(_)
            | ToEdge::PresenceStats { .. }
            | ToEdge::Positions { .. }
            | ToEdge::Behind(_)
            | ToEdge::Floor(_)
            | ToEdge::PresenceEvents { .. }
            | ToEdge::Reset { .. } => {}
        }
        vec![frame]
    }

    /// The epoch that an edge is told of a removal: another one, so that its ring doesn't take the floor; and back again,
    /// for whoever called.
    pub(crate) fn removal_epoch(&self, epoch: Epoch) -> Epoch {
        if self.plant == Some(Plant::RingBelowFloor) {
            Epoch {
                id: !epoch.id,
                ..epoch
            }
        } else {
            epoch
        }
    }

    /// A message goes from the way upstream of an edge to one of its workers: as what.
    pub(crate) fn worker_message(&mut self, edge: usize, message: &mut ToWorker) {
        if self.plant == Some(Plant::RingAcrossEpochs) {
            self.rings.mix(edge, message);
        }
    }

    /// A message arrives at a client: as what.
    pub(crate) fn client_message(
        &mut self,
        client: usize,
        message: ServerMessage,
    ) -> Vec<ServerMessage> {
        let Some(plant) = self.plant else {
            return vec![message];
        };
        if let Some(held) = self.release(client, &message) {
            return vec![message, held];
        }
        if !self.dice.permille(20) {
            return vec![message];
        }
        match (plant, message) {
            (Plant::PushSwallowed, message) if is_publication(&message) => Vec::new(),
            (Plant::PushTwice, message) if is_publication(&message) => {
                vec![message.clone(), message]
            }
            (
                Plant::PushesSwapped,
                ServerMessage::Push {
                    channel,
                    push: Push::Publication(publication),
                },
            ) => {
                let held = ServerMessage::Push {
                    channel: channel.clone(),
                    push: Push::Publication(publication),
                };
                self.held.insert((client, channel), held);
                Vec::new()
            }
            (Plant::RepliesSwallowed, ServerMessage::Reply(reply))
                if reply.body == ReplyBody::Publish =>
            {
                Vec::new()
            }
            (Plant::RecoverySwallowed, message) => vec![shorten(message)],
            (Plant::UnrecoveredAsRecovered, message) => vec![recovered(message)],
            (_, message) => vec![message],
        }
    }

    /// What was held back comes after the next publication of its channel.
    fn release(&mut self, client: usize, message: &ServerMessage) -> Option<ServerMessage> {
        let ServerMessage::Push {
            channel,
            push: Push::Publication(_),
        } = message
        else {
            return None;
        };
        self.held.remove(&(client, channel.clone()))
    }
}

fn is_publication(message: &ServerMessage) -> bool {
    matches!(
        message,
        ServerMessage::Push {
            push: Push::Publication(_),
            ..
        }
    )
}

fn shorten(mut message: ServerMessage) -> ServerMessage {
    if let ServerMessage::Reply(reply) = &mut message
        && let ReplyBody::Subscribe(result) = &mut reply.body
        && !result.publications.is_empty()
    {
        result.publications.remove(0);
    }
    message
}

fn recovered(mut message: ServerMessage) -> ServerMessage {
    if let ServerMessage::Reply(reply) = &mut message
        && let ReplyBody::Subscribe(result) = &mut reply.body
    {
        result.recovered = result.was_recovering;
    }
    message
}

/// The same rules, of namespaces that keep a thousand messages.
fn enlarge(json: &Payload) -> Payload {
    let rules: Rules = serde_json::from_slice(json.bytes()).expect("a node's rules are JSON");
    let large = |namespace: &Namespace| Namespace {
        history_size: namespace.history_size.saturating_mul(1000).min(1000),
        ..namespace.clone()
    };
    let namespaces = rules.iter().map(large).collect();
    let rules = Rules::new(rules.version, namespaces).expect("larger rules are good");
    Payload::new(serde_json::to_vec(&rules).expect("rules are JSON").into())
}
