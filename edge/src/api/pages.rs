//! A part of a channel's history, put together from answers of 1 MiB each.

use trunkline_edge_core::exchange::Answer;
use trunkline_shared::frame::HistoryQuery;
use trunkline_shared::limits::{ANSWER_BYTES_MAX, API_HISTORY_BYTES_MAX};
use trunkline_shared::{Channel, Instant, Position, Publication};

use super::error::ApiError;
use crate::ask::Asker;

/// More than any publication weighs: an answer with so much room left was not cut.
const PUBLICATION_WEIGHT_MAX: usize = ANSWER_BYTES_MAX / 2;

/// What was read so far, in the order asked.
pub(super) struct Part {
    /// Where the channel stood at the first answer; nothing above it is shown.
    pub(super) head: Position,
    pub(super) publications: Vec<Publication>,
    bytes: usize,
}

/// Reads one part of a channel's history after the other.
pub(super) struct Pages<'a> {
    asker: &'a Asker,
    channel: &'a Channel,
    query: HistoryQuery,
    deadline: Instant,
}

impl<'a> Pages<'a> {
    /// All that `query` asks of a channel, with one deadline for all answers.
    pub(super) fn new(asker: &'a Asker, channel: &'a Channel, query: HistoryQuery) -> Self {
        Self {
            asker,
            channel,
            query,
            deadline: asker.deadline(),
        }
    }

    /// Reads the first answer and then, if its numbering is one that is `wanted`, as many more as it takes: what is
    /// asked, or the first 16 MiB of it. What leaves the history meanwhile is left out.
    ///
    /// # Errors
    /// 112 when the numbering isn't wanted; 100 when it changes on the way, or an answer doesn't come.
    pub(super) async fn read(
        &self,
        wanted: impl FnOnce(Position) -> bool,
    ) -> Result<Part, ApiError> {
        let (head, publications) = self.ask(self.query, ANSWER_BYTES_MAX).await?;
        if !wanted(head) {
            return Err(ApiError::UnrecoverablePosition);
        }
        let mut part = Part {
            head,
            publications: Vec::new(),
            bytes: 0,
        };
        let mut more = part.append(publications, ANSWER_BYTES_MAX);
        while more && let Some(query) = part.rest(self.query) {
            let room = ANSWER_BYTES_MAX.min(API_HISTORY_BYTES_MAX.saturating_sub(part.bytes));
            let (now, publications) = self.ask(query, room).await?;
            if now.epoch != head.epoch {
                return Err(ApiError::Internal);
            }
            more = part.append(publications, room);
        }
        Ok(part)
    }

    async fn ask(
        &self,
        query: HistoryQuery,
        bytes_max: usize,
    ) -> Result<(Position, Vec<Publication>), ApiError> {
        let channel = self.channel.clone();
        let past = self
            .asker
            .history(self.deadline, channel, query, bytes_max)
            .await
            .map_err(|because| ApiError::of(&Answer::Refused(because)))?;
        Ok((past.head, past.publications))
    }
}

/// Whether an answer of at most `room` bytes may lack some of what was asked for.
pub(crate) fn may_be_cut(publications: &[Publication], room: usize) -> bool {
    !publications.is_empty() && weight(publications) + PUBLICATION_WEIGHT_MAX > room
}

fn weight(publications: &[Publication]) -> usize {
    publications.iter().map(Publication::weight).sum()
}

impl Part {
    /// Adds an answer of at most `room` bytes; says whether it may have been cut.
    fn append(&mut self, publications: Vec<Publication>, room: usize) -> bool {
        if self.is_behind(&publications) {
            self.publications.clear();
            self.bytes = 0;
        }
        let was_cut = may_be_cut(&publications, room);
        self.bytes += weight(&publications);
        let top = self.head.offset;
        let shown = publications
            .into_iter()
            .filter(|publication| publication.offset <= top);
        self.publications.extend(shown);
        was_cut
    }

    /// Whether what was read has left the history, with some that follows it: what comes next doesn't continue it.
    fn is_behind(&self, publications: &[Publication]) -> bool {
        let (Some(last), Some(next)) = (self.publications.last(), publications.first()) else {
            return false;
        };
        last.offset.0.abs_diff(next.offset.0) != 1
    }

    /// What is still to be asked; `None` when there is nothing.
    fn rest(&self, query: HistoryQuery) -> Option<HistoryQuery> {
        let last = self.publications.last()?.offset;
        let have = u32::try_from(self.publications.len()).unwrap_or(u32::MAX);
        let left = |limit: u32| limit.checked_sub(have).filter(|left| *left > 0);
        match query {
            HistoryQuery::Forward { limit, .. } if last < self.head.offset => {
                let (after, limit) = (last, left(limit)?);
                Some(HistoryQuery::Forward { after, limit })
            }
            HistoryQuery::Backward { limit, .. } if last.0 > 1 => {
                let (before, limit) = (Some(last), left(limit)?);
                Some(HistoryQuery::Backward { before, limit })
            }
            HistoryQuery::Position
            | HistoryQuery::Forward { .. }
            | HistoryQuery::Backward { .. }
            | HistoryQuery::Newest { .. } => None,
        }
    }
}
