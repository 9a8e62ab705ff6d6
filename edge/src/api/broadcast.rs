//! `broadcast`: one message to many channels at once, answered in their order.

use std::pin::pin;

use futures_util::stream::{self, StreamExt};
use serde::{Deserialize, Serialize};
use trunkline_shared::limits::{BROADCAST_BYTES_MAX, BROADCAST_CHANNELS_MAX};

use super::error::ApiError;
use super::message::{Message, MessageFields};
use super::parse::or_default;
use super::publish::{PublishBody, publish_to};
use crate::ask::Asker;

/// Publishes of one call under way at the same time.
const AT_ONCE_MAX: usize = 1024;

/// Answers after which the thread's other work has its turn.
const ANSWERS_AT_ONCE: usize = 256;

/// Which channels a call is about.
#[derive(Deserialize)]
pub(super) struct Targets {
    #[serde(default, deserialize_with = "or_default")]
    channels: Vec<String>,
}

/// What came of each publish.
#[derive(Serialize)]
pub(super) struct BroadcastBody {
    responses: Vec<ResponseBody>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum ResponseBody {
    Result(PublishBody),
    Error(ApiError),
}

impl From<Result<PublishBody, ApiError>> for ResponseBody {
    fn from(result: Result<PublishBody, ApiError>) -> Self {
        match result {
            Ok(body) => Self::Result(body),
            Err(error) => Self::Error(error),
        }
    }
}

/// Publishes to every channel; all share one deadline. What is under way at the same time has at most 4 MiB of payload.
///
/// # Errors
/// 107 without a channel or with more than 10,000, and what a message is refused for wherever it goes.
pub(super) async fn broadcast(
    asker: &Asker,
    targets: Targets,
    fields: MessageFields<'_>,
) -> Result<BroadcastBody, ApiError> {
    let deadline = asker.deadline();
    if !(1..=BROADCAST_CHANNELS_MAX).contains(&targets.channels.len()) {
        return Err(ApiError::BadRequest);
    }
    let message = &fields.check()?;
    let publishes = targets.channels.into_iter().map(|channel| async move {
        ResponseBody::from(publish_to(asker, &channel, message, deadline).await)
    });
    let mut answers = pin!(stream::iter(publishes).buffered(at_once(message)));
    let mut responses = Vec::new();
    while let Some(response) = answers.next().await {
        responses.push(response);
        if responses.len().is_multiple_of(ANSWERS_AT_ONCE) {
            tokio::task::yield_now().await;
        }
    }
    Ok(BroadcastBody { responses })
}

fn at_once(message: &Message) -> usize {
    (BROADCAST_BYTES_MAX / message.payload_bytes().max(1)).clamp(1, AT_ONCE_MAX)
}
