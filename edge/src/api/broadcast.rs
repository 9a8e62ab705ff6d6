//! `broadcast`: one message to many channels at once, answered in their order.

use futures_util::stream::{self, StreamExt};
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::message::MessageFields;
use super::parse::or_default;
use super::publish::{PublishBody, publish_to};
use crate::ask::Asker;

/// Publishes of one call under way at the same time.
const AT_ONCE_MAX: usize = 1024;

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

/// Publishes to every channel; all share one deadline.
pub(super) async fn broadcast(
    asker: &Asker,
    targets: Targets,
    fields: MessageFields<'_>,
) -> Result<BroadcastBody, ApiError> {
    let deadline = asker.deadline();
    if targets.channels.is_empty() {
        return Err(ApiError::BadRequest);
    }
    let message = &fields.check()?;
    let publishes = targets.channels.into_iter().map(|channel| async move {
        ResponseBody::from(publish_to(asker, &channel, message, deadline).await)
    });
    let responses = stream::iter(publishes)
        .buffered(AT_ONCE_MAX)
        .collect()
        .await;
    Ok(BroadcastBody { responses })
}
