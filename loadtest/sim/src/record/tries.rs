//! Tries of messages that have idempotency keys, and what came of each.

use trunkline_shared::Instant;

use super::{Known, Label, Outcome, Published, Record};
use crate::publisher::Road;

/// One try to publish a message under its key.
#[derive(Clone, Debug)]
pub(crate) struct Try {
    /// The message.
    pub(crate) label: Label,
    /// The way that it went.
    pub(crate) road: Road,
    /// The edge at the beginning of the way.
    pub(crate) edge: usize,
    /// When it was sent.
    pub(crate) sent: Instant,
    /// What came of it, when it is over.
    pub(crate) ended: Option<(Instant, TryEnd)>,
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TryEnd {
    /// Acknowledged: the message stands there.
    Acked(Known),
    /// Answered with error 100.
    Refused,
    /// The connection ended, or the client gave up.
    Unanswered,
}

impl Record {
    /// Notes that a message is tried under its key; returns the place of the try.
    pub(crate) fn begin_try(&mut self, channel: usize, begun: Try) -> usize {
        let first = Published {
            channel,
            connection: None,
            sent: begun.sent,
            answer: None,
        };
        self.publishes.entry(begun.label).or_insert(first);
        self.tries.push(begun);
        self.tries.len() - 1
    }

    /// Notes what came of a try.
    pub(crate) fn end_try(&mut self, at: Instant, place: usize, end: TryEnd) {
        let answer = match end {
            TryEnd::Acked(_) => Some(Outcome::Acked),
            TryEnd::Refused => Some(Outcome::Refused(100)),
            TryEnd::Unanswered => None,
        };
        let publish = self
            .publishes
            .get_mut(&self.tries[place].label)
            .expect("it was tried");
        let is_acked = matches!(publish.answer, Some((_, Outcome::Acked)));
        if let Some(outcome) = answer.filter(|_| !is_acked) {
            publish.answer = Some((at, outcome));
        }
        self.tries[place].ended = Some((at, end));
    }

    /// Acknowledgements of tries: when, and where the message stands by them.
    pub(crate) fn keyed_acks(&self) -> impl Iterator<Item = (&Try, Instant, &Known)> {
        self.tries.iter().filter_map(|tried| match &tried.ended {
            Some((at, TryEnd::Acked(known))) => Some((tried, *at, known)),
            Some((_, TryEnd::Refused | TryEnd::Unanswered)) | None => None,
        })
    }
}
