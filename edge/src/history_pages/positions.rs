//! Where channels stand: asked of their owners, once for all who come before the question is put.

use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;
use trunkline_shared::frame::HistoryQuery;
use trunkline_shared::{Channel, Instant, Offset, Position};

use super::counters::{HistoryCounters, add};
use super::flights::{Boarding, Flights, Outcome, Question, landed};
use super::trouble::Trouble;
use crate::ask::Asker;

/// Time for which pages that don't change are served without asking whether their epoch still holds.
const POSITION_LIFE: Duration = Duration::from_secs(1);

/// Channels of which it is known where they stand.
const POSITIONS_MAX: usize = 16_384;

/// Where a channel stood.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) head: Position,
    /// Nothing at or below it is kept any more.
    pub(super) floor: Offset,
    /// When the question was put.
    at: Instant,
}

/// Where the channels stand that are asked for.
#[derive(Debug)]
pub(super) struct Positions {
    asker: Asker,
    counters: Arc<HistoryCounters>,
    known: Cache<Channel, Known>,
    flights: Flights<Channel, Known>,
}

impl Positions {
    pub(super) fn new(asker: Asker, counters: Arc<HistoryCounters>) -> Self {
        Self {
            asker,
            counters,
            known: Cache::new(POSITIONS_MAX),
            flights: Flights::default(),
        }
    }

    /// Where the channel stood a moment ago, if anybody asked.
    pub(super) fn recent(&self, channel: &Channel) -> Option<Known> {
        let is_recent = |known: &Known| self.asker.now().instant.since(known.at) < POSITION_LIFE;
        self.known.get(channel).filter(is_recent)
    }

    /// Where the channel stands now: the question is put after the call.
    ///
    /// # Errors
    /// When no answer comes.
    pub(super) async fn now(self: &Arc<Self>, channel: &Channel) -> Outcome<Known> {
        match self.flights.board_next(channel) {
            Boarding::Joined(answer) => {
                add(&self.counters.waits);
                landed(answer).await
            }
            Boarding::First(answer, question) => {
                tokio::spawn(see_to(Arc::clone(self), channel.clone(), question));
                landed(answer).await
            }
        }
    }

    async fn ask(&self, channel: &Channel) -> Outcome<Known> {
        add(&self.counters.positions);
        let (at, deadline) = (self.asker.now().instant, self.asker.deadline());
        let asked = self
            .asker
            .history(deadline, channel.clone(), HistoryQuery::Position, 0);
        let past = asked.await?;
        Ok(Known {
            head: past.head,
            floor: past.floor,
            at,
        })
    }
}

/// Puts a question when the one before it is answered.
async fn see_to(positions: Arc<Positions>, channel: Channel, mut question: Question<Known>) {
    let before = match question.before.take() {
        Some(before) => landed(before).await.map(drop),
        None => Ok(()),
    };
    question.start();
    // When the question before wasn't answered in its time, this one wouldn't be in the time that is left.
    let outcome = match before {
        Err(Trouble::Away) => Err(Trouble::Away),
        Ok(()) | Err(_) => positions.ask(&channel).await,
    };
    if let Ok(known) = outcome {
        positions.known.insert(channel.clone(), known);
    }
    positions.flights.land(&channel, question, outcome);
}
