//! History: a part of a channel's log, from the ring when it is all there, else from the store.
//!
//! All pieces of an answer leave in one step and name one head, and what they hold is complete up to that head.

use std::collections::VecDeque;

use trunkline_shared::frame::{HistoryPiece, HistoryQuery, Refusal, ToEdge};
use trunkline_shared::limits::{ANSWER_BYTES_MAX, PIECE_BYTES_MAX};
use trunkline_shared::{Now, Offset, Position, Publication};

use super::Shard;
use super::channel::Request;
use super::reading::{Part, Reading, fitting};
use super::replay::{Log, Retention};

impl Shard {
    pub(super) fn history(
        &mut self,
        now: Now,
        request: Request,
        query: HistoryQuery,
        bytes_max: usize,
    ) {
        let Ok(rules) = self.rules_of(&request.channel) else {
            return self.refuse(&request, Refusal::UnknownChannel);
        };
        let Some(log) = self
            .channel_mut(request.slot, &request.channel)
            .and_then(|state| state.log.as_ref())
        else {
            return self.refuse(&request, Refusal::NotAvailable);
        };
        let bytes_max = bytes_max.min(ANSWER_BYTES_MAX);
        let head = log.position();
        let part = part(log, query, rules.retention, bytes_max);
        if let Some(part) = part.filter(|part| !is_covered(log, now, *part, rules.retention)) {
            return self.read(now, request, part, rules.retention, false);
        }
        let publications = part
            .map(|part| from_ring(log, now, part, rules.retention))
            .unwrap_or_default();
        let is_recovery = matches!(query, HistoryQuery::Newest { .. });
        self.counters.recoveries_from_ring += u64::from(is_recovery);
        self.answer_history(&request, head, in_order(query, publications));
    }

    /// Answers what was read forward or backward; it names the head up to which it was read.
    pub(super) fn on_history_read(
        &mut self,
        reading: &Reading,
        bytes_max: usize,
        read: Vec<Publication>,
    ) {
        let head = Position {
            epoch: reading.epoch,
            offset: reading.head,
        };
        let publications = fitting(read.iter(), bytes_max.min(ANSWER_BYTES_MAX), false);
        self.answer_history(&reading.request, head, publications);
    }

    /// Puts what has come during the read before what was read (newest first).
    pub(super) fn on_newest_read(
        &mut self,
        now: Now,
        reading: Reading,
        after: Offset,
        limit: u32,
        bytes_max: usize,
        read: Vec<Publication>,
    ) {
        let request = reading.request;
        let Ok(rules) = self.rules_of(&request.channel) else {
            return self.refuse(&request, Refusal::UnknownChannel);
        };
        let Some(log) = self
            .channel_mut(request.slot, &request.channel)
            .and_then(|state| state.log.as_ref())
        else {
            return;
        };
        let bytes_max = bytes_max.min(ANSWER_BYTES_MAX);
        let since = reading.head.next();
        let joined = log.covers(now, since, rules.retention);
        let query = HistoryQuery::Newest { after, limit };
        if !joined
            && !reading.again
            && let Some(part) = part(log, query, rules.retention, bytes_max)
        {
            return self.read(now, request, part, rules.retention, true);
        }
        let first = if joined {
            log.first_kept(after, rules.retention)
        } else {
            Offset::ZERO
        };
        let offset = if joined { log.head } else { reading.head };
        let newer = log
            .from(now, since, rules.retention)
            .rev()
            .filter(|_| joined);
        let all = newer
            .chain(&read)
            .filter(|publication| publication.offset >= first);
        let publications = fitting(all.take(limit as usize), bytes_max, false);
        let head = Position {
            epoch: reading.epoch,
            offset,
        };
        self.counters.recoveries_from_store += 1;
        self.answer_history(&request, head, in_order(query, publications));
    }

    fn answer_history(
        &mut self,
        request: &Request,
        head: Position,
        publications: Vec<Publication>,
    ) {
        let Request {
            caller,
            id,
            slot,
            channel,
            ..
        } = request;
        let floor = self
            .channel_mut(*slot, channel)
            .map(|state| state.floor())
            .unwrap_or_default();
        self.counters.histories += 1;
        let mut rest = VecDeque::from(publications);
        loop {
            let publications = piece(&mut rest);
            let last = rest.is_empty();
            let frame = HistoryPiece {
                request: *id,
                slot: *slot,
                head,
                floor,
                publications,
                last,
            };
            self.answer(*caller, ToEdge::History(frame));
            if last {
                return;
            }
        }
    }
}

/// Cuts a query to what is kept; `None` when nothing is asked for.
fn part(log: &Log, query: HistoryQuery, retention: Retention, bytes_max: usize) -> Option<Part> {
    let head = log.head;
    let (after, to, descending, limit) = match query {
        HistoryQuery::Position => return None,
        HistoryQuery::Forward { after, limit } => (after, head, false, limit),
        HistoryQuery::Backward { before, limit } => {
            let below = before.map_or(head, |before| Offset(before.0.saturating_sub(1)));
            (Offset::ZERO, below.min(head), true, limit)
        }
        HistoryQuery::Newest { after, limit } => (after, head, true, limit),
    };
    let from = log.first_kept(after, retention);
    (limit > 0 && from <= to).then_some(Part {
        from,
        to,
        descending,
        limit,
        bytes_max,
    })
}

fn is_covered(log: &Log, now: Now, part: Part, retention: Retention) -> bool {
    let lowest = if part.descending {
        part.from.max(Offset(
            (part.to.0 + 1).saturating_sub(u64::from(part.limit)),
        ))
    } else {
        part.from
    };
    log.covers(now, lowest, retention)
}

fn from_ring(log: &Log, now: Now, part: Part, retention: Retention) -> Vec<Publication> {
    let kept = log
        .from(now, part.from, retention)
        .filter(|publication| publication.offset <= part.to);
    let limit = part.limit as usize;
    if part.descending {
        fitting(kept.rev().take(limit), part.bytes_max, false)
    } else {
        fitting(kept.take(limit), part.bytes_max, false)
    }
}

/// The newest ones are read downwards and answered upwards.
fn in_order(query: HistoryQuery, mut publications: Vec<Publication>) -> Vec<Publication> {
    match query {
        HistoryQuery::Newest { .. } => publications.reverse(),
        HistoryQuery::Position | HistoryQuery::Forward { .. } | HistoryQuery::Backward { .. } => {}
    }
    publications
}

fn piece(rest: &mut VecDeque<Publication>) -> Vec<Publication> {
    let piece = fitting(rest.iter(), PIECE_BYTES_MAX, true);
    rest.drain(..piece.len());
    piece
}
