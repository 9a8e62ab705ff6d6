//! `publish`: one message to one channel.

use serde::{Deserialize, Serialize};
use trunkline_edge_core::exchange::{Answer, ToUpstream};
use trunkline_shared::rules::Namespace;
use trunkline_shared::{Channel, Instant, Position};

use super::error::ApiError;
use super::message::{Message, MessageFields};
use super::parse::or_default;
use crate::ask::Asker;

/// Which channel a call is about.
#[derive(Deserialize)]
pub(super) struct Target {
    #[serde(default, deserialize_with = "or_default")]
    channel: String,
}

/// Where a publication stands; nothing is shown where no history keeps it.
#[derive(Serialize)]
pub(super) struct PublishBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<String>,
}

impl Target {
    /// The channel and the options of its namespace.
    ///
    /// # Errors
    /// 107 for a name that can't be one, 102 without a namespace, 100 before the first rules.
    pub(super) fn resolve(&self, asker: &Asker) -> Result<(Channel, Namespace), ApiError> {
        resolve(asker, &self.channel)
    }
}

/// Publishes.
pub(super) async fn publish(
    asker: &Asker,
    target: Target,
    fields: MessageFields<'_>,
) -> Result<PublishBody, ApiError> {
    let deadline = asker.deadline();
    let (channel, namespace) = target.resolve(asker)?;
    let message = fields.check()?;
    send(asker, channel, &namespace, &message, deadline).await
}

/// Publishes a message to a channel by its name.
pub(super) async fn publish_to(
    asker: &Asker,
    channel: &str,
    message: &Message,
    deadline: Instant,
) -> Result<PublishBody, ApiError> {
    let (channel, namespace) = resolve(asker, channel)?;
    send(asker, channel, &namespace, message, deadline).await
}

fn resolve(asker: &Asker, channel: &str) -> Result<(Channel, Namespace), ApiError> {
    let channel = Channel::parse(channel).map_err(|_| ApiError::BadRequest)?;
    let rules = asker.rules().ok_or(ApiError::Internal)?;
    let namespace = rules.of(&channel).ok_or(ApiError::UnknownChannel)?.clone();
    Ok((channel, namespace))
}

async fn send(
    asker: &Asker,
    channel: Channel,
    namespace: &Namespace,
    message: &Message,
    deadline: Instant,
) -> Result<PublishBody, ApiError> {
    if !message.fits(namespace.publication_data_format) {
        return Err(ApiError::BadRequest);
    }
    let publication = message.publication(asker.now());
    let answer = asker
        .ask(|ticket| ToUpstream::Publish {
            ticket,
            deadline,
            channel,
            key: message.key(),
            skip_history: message.skips_history(),
            publication,
        })
        .await;
    match answer {
        Answer::Published { position } => Ok(PublishBody::new(position)),
        Answer::Subscribed { .. }
        | Answer::History { .. }
        | Answer::HistoryRemoved { .. }
        | Answer::Presence(_)
        | Answer::PresenceStats { .. }
        | Answer::Info(_)
        | Answer::Refused(_) => Err(ApiError::of(&answer)),
    }
}

impl PublishBody {
    fn new(position: Option<Position>) -> Self {
        Self {
            offset: position.map(|position| position.offset.0),
            epoch: position.map(|position| position.epoch.to_string()),
        }
    }
}
