//! Pulls: a lagging edge catches up piece by piece, and the piece that reaches the head ends the lag.
//!
//! Whether a piece reaches the head is decided in the step that sends it, so no push can fall between.

use trunkline_shared::frame::{Pulled, Refusal, ToEdge};
use trunkline_shared::limits::PIECE_BYTES_MAX;
use trunkline_shared::{Now, Offset, Position, Publication};

use super::Shard;
use super::channel::Request;
use super::reading::{Part, Reading, fitting};
use super::replay::{Log, Retention};

impl Shard {
    pub(super) fn pull(&mut self, now: Now, request: Request, after: Position) {
        let Ok(rules) = self.rules_of(&request.channel) else {
            return self.refuse(&request, Refusal::UnknownChannel);
        };
        let Some(state) = self.channel_mut(request.slot, &request.channel) else {
            return;
        };
        if !state.subscribers.contains_key(&request.caller.edge) {
            return self.refuse(&request, Refusal::Busy);
        }
        let Some(log) = state.log.as_ref() else {
            return;
        };
        if after.epoch != log.epoch {
            return self.pulled(request, Vec::new(), true);
        }
        let first = log.first_kept(after.offset, rules.retention);
        if log.covers(now, first, rules.retention) {
            let (publications, reached) = from_ring(log, now, first, rules.retention, None);
            return self.pulled(request, publications, reached);
        }
        let part = Part {
            from: first,
            to: log.head,
            descending: false,
            limit: u32::MAX,
            bytes_max: PIECE_BYTES_MAX,
        };
        self.read(now, request, part, rules.retention, false);
    }

    /// Joins what the store had with what has come since, where no hole lies between.
    pub(super) fn on_pull_read(
        &mut self,
        now: Now,
        reading: Reading,
        after: Position,
        mut read: Vec<Publication>,
    ) {
        let request = reading.request;
        let Ok(rules) = self.rules_of(&request.channel) else {
            return self.refuse(&request, Refusal::UnknownChannel);
        };
        let Some(state) = self.channel_mut(request.slot, &request.channel) else {
            return;
        };
        if !state.subscribers.contains_key(&request.caller.edge) {
            return self.refuse(&request, Refusal::Busy);
        }
        let Some(log) = state.log.as_ref() else {
            return;
        };
        let next = read
            .last()
            .map_or(reading.head, |last| last.offset)
            .max(after.offset)
            .next();
        let mut reached = next > log.head;
        if !reached && log.covers(now, next, rules.retention) {
            let taken = read.iter().map(Publication::weight).sum();
            let (more, at_head) = from_ring(
                log,
                now,
                next,
                rules.retention,
                (!read.is_empty()).then_some(taken),
            );
            reached = at_head;
            read.extend(more);
        }
        self.pulled(request, read, reached);
    }

    fn pulled(&mut self, request: Request, publications: Vec<Publication>, reached_head: bool) {
        let Request {
            caller,
            id,
            slot,
            channel,
            ..
        } = request;
        let Some(state) = self.channel_mut(slot, &channel) else {
            return;
        };
        let (Some(head), floor) = (state.head(), state.floor()) else {
            return;
        };
        if reached_head {
            self.end_lag(slot, &channel, caller.edge);
        }
        self.counters.pulls += 1;
        let pulled = Pulled {
            request: id,
            slot,
            head,
            floor,
            publications,
            reached_head,
        };
        self.answer(caller, ToEdge::Pulled(pulled));
    }
}

/// A piece of the ring, and whether nothing kept follows it; `taken` are the bytes that the piece has already.
fn from_ring(
    log: &Log,
    now: Now,
    first: Offset,
    retention: Retention,
    taken: Option<usize>,
) -> (Vec<Publication>, bool) {
    let room = PIECE_BYTES_MAX.saturating_sub(taken.unwrap_or(0));
    let piece = fitting(log.from(now, first, retention), room, taken.is_none());
    let next = piece.last().map_or(first, |last| last.offset.next());
    let reached = log.from(now, next, retention).next().is_none();
    (piece, reached)
}
