//! `history`: what was published to a channel.

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use trunkline_edge_core::exchange::{Answer, ToUpstream};
use trunkline_shared::frame::HistoryQuery;
use trunkline_shared::limits::ANSWER_BYTES_MAX;
use trunkline_shared::{Channel, Offset, Position, Publication};

use super::answer::PublicationBody;
use super::error::ApiError;
use super::parse::or_default;
use super::publish::Target;
use crate::ask::Asker;

/// What is asked.
#[derive(Deserialize)]
pub(super) struct HistoryRequest {
    #[serde(flatten)]
    target: Target,
    #[serde(default, deserialize_with = "or_default")]
    limit: i64,
    #[serde(default)]
    since: Option<Since>,
    #[serde(default, deserialize_with = "or_default")]
    reverse: bool,
}

#[derive(Deserialize)]
struct Since {
    #[serde(default, deserialize_with = "or_default")]
    offset: u64,
    #[serde(default, deserialize_with = "or_default")]
    epoch: String,
}

/// A part of a channel's history; all fields are always shown.
pub(super) struct HistoryBody {
    head: Position,
    publications: Vec<Publication>,
}

/// Asks for history: as much of what is asked as fits an answer of 1 MiB.
pub(super) async fn history(
    asker: &Asker,
    request: HistoryRequest,
) -> Result<HistoryBody, ApiError> {
    let (channel, namespace) = request.target.resolve(asker)?;
    if !namespace.has_history() {
        return Err(ApiError::NotAvailable);
    }
    let (head, publications) = ask(asker, channel, request.query()?).await?;
    let epoch = request.since.map(|since| since.epoch).unwrap_or_default();
    if !epoch.is_empty() && epoch != head.epoch.to_string() {
        return Err(ApiError::UnrecoverablePosition);
    }
    Ok(HistoryBody { head, publications })
}

impl HistoryRequest {
    /// The query; a limit below 0 means all.
    ///
    /// # Errors
    /// 100 for "what is before the first", as in the reference.
    fn query(&self) -> Result<HistoryQuery, ApiError> {
        let limit = if self.limit < 0 {
            u32::MAX
        } else {
            u32::try_from(self.limit).unwrap_or(u32::MAX)
        };
        let since = self.since.as_ref().map(|since| Offset(since.offset));
        match (limit, self.reverse) {
            (_, true) if since == Some(Offset::ZERO) => Err(ApiError::Internal),
            (0, _) => Ok(HistoryQuery::Position),
            (_, true) => Ok(HistoryQuery::Backward {
                before: since,
                limit,
            }),
            (_, false) => Ok(HistoryQuery::Forward {
                after: since.unwrap_or(Offset::ZERO),
                limit,
            }),
        }
    }
}

async fn ask(
    asker: &Asker,
    channel: Channel,
    query: HistoryQuery,
) -> Result<(Position, Vec<Publication>), ApiError> {
    let (deadline, bytes_max) = (asker.deadline(), ANSWER_BYTES_MAX as u32);
    let answer = asker
        .ask(|ticket| ToUpstream::History {
            ticket,
            deadline,
            channel,
            query,
            bytes_max,
        })
        .await;
    match answer {
        Answer::History { head, publications } => Ok((head, publications)),
        Answer::Subscribed { .. }
        | Answer::Published { .. }
        | Answer::Presence(_)
        | Answer::PresenceStats { .. }
        | Answer::Info(_)
        | Answer::Refused(_) => Err(ApiError::of(&answer)),
    }
}

impl Serialize for HistoryBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let publications: Vec<_> = self.publications.iter().map(PublicationBody::new).collect();
        let mut object = serializer.serialize_struct("History", 3)?;
        object.serialize_field("publications", &publications)?;
        object.serialize_field("epoch", &self.head.epoch.to_string())?;
        object.serialize_field("offset", &self.head.offset.0)?;
        object.end()
    }
}
