//! `history`: what was published to a channel.

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use trunkline_shared::frame::HistoryQuery;
use trunkline_shared::{Offset, Position};

use super::answer::PublicationBody;
use super::error::ApiError;
use super::pages::{Pages, Part};
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
pub(super) struct HistoryBody(Part);

/// Asks for history: all of what is asked, or the first 16 MiB of it in the order asked.
pub(super) async fn history(
    asker: &Asker,
    request: HistoryRequest,
) -> Result<HistoryBody, ApiError> {
    let (channel, namespace) = request.target.resolve(asker)?;
    if !namespace.has_history() {
        return Err(ApiError::NotAvailable);
    }
    let pages = Pages::new(asker, &channel, request.query(namespace.history_size)?);
    let epoch = request.since.map(|since| since.epoch).unwrap_or_default();
    let wanted = |head: Position| epoch.is_empty() || epoch == head.epoch.to_string();
    Ok(HistoryBody(pages.read(wanted).await?))
}

impl HistoryRequest {
    /// The query; a limit below 0 means all, which are `history_size` at most.
    ///
    /// # Errors
    /// 100 for "what is before the first", as in the reference.
    fn query(&self, history_size: u32) -> Result<HistoryQuery, ApiError> {
        let limit = u32::try_from(self.limit).map_or(history_size, |limit| limit.min(history_size));
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

impl Serialize for HistoryBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Part {
            head, publications, ..
        } = &self.0;
        let publications: Vec<_> = publications.iter().map(PublicationBody::new).collect();
        let mut object = serializer.serialize_struct("History", 3)?;
        object.serialize_field("publications", &publications)?;
        object.serialize_field("epoch", &head.epoch.to_string())?;
        object.serialize_field("offset", &head.offset.0)?;
        object.end()
    }
}
