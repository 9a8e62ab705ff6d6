//! Reads of the store for pulls and histories, and what both share.

use trunkline_shared::frame::{HistoryQuery, Refusal};
use trunkline_shared::{Epoch, Now, Offset, Publication};
use trunkline_store_core::{RangeRequest, StoreError, StoredMessage};

use super::Shard;
use super::channel::{Ask, Request};
use super::replay::Retention;
use super::tickets::Purpose;
use crate::io::StoreRequest;

/// A request whose answer is being read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) request: Request,
    /// The channel's stay in memory when the read began.
    born: u64,
    /// The numbering when the read began.
    pub(super) epoch: Epoch,
    /// The head when the read began: the read goes up to it.
    pub(super) head: Offset,
    /// The floor when the read began.
    floor: Offset,
    /// It is the second read.
    pub(super) again: bool,
}

/// The part of a log that is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) from: Offset,
    pub(super) to: Offset,
    pub(super) descending: bool,
    pub(super) limit: u32,
    pub(super) bytes_max: usize,
}

impl Shard {
    pub(super) fn read(
        &mut self,
        now: Now,
        request: Request,
        part: Part,
        retention: Retention,
        again: bool,
    ) {
        if self.totals.requests >= self.config.requests_max {
            return self.refuse(&request, Refusal::Busy);
        }
        let Some(state) = self.channel_mut(request.slot, &request.channel) else {
            return;
        };
        let Some(log) = state.log.as_ref() else {
            return;
        };
        let (born, epoch, head, floor) = (state.born, log.epoch, log.head, log.floor);
        state.reading += 1;
        self.counters.reads += 1;
        self.totals.requests += 1;
        let range = RangeRequest {
            slot: request.slot,
            channel: request.channel.clone(),
            from: part.from,
            to: part.to,
            descending: part.descending,
            limit: part.limit,
            bytes_max: part.bytes_max,
            not_before: retention.not_before(now),
        };
        let ticket = self.tickets.draw();
        self.ask_store(
            ticket,
            Purpose::Range(Reading {
                request,
                born,
                epoch,
                head,
                floor,
                again,
            }),
            StoreRequest::Range(range),
        );
    }

    pub(super) fn on_range(
        &mut self,
        now: Now,
        reading: Reading,
        answer: Result<Vec<StoredMessage>, StoreError>,
    ) {
        self.totals.requests -= 1;
        let (slot, channel) = (reading.request.slot, reading.request.channel.clone());
        let Some(state) = self
            .channel_mut(slot, &channel)
            .filter(|state| state.born == reading.born)
        else {
            // Its slot was given up meanwhile: the request starts anew and hears so.
            self.totals.orphans -= 1;
            return self.on_request(now, reading.request);
        };
        state.reading -= 1;
        let same_epoch = state.head().is_some_and(|head| head.epoch == reading.epoch);
        let same_floor = state.floor() == reading.floor;
        self.touch(slot, &channel);
        if !self.edges.is_current(reading.request.caller) {
            // Its edge asks again on its new link; this answer must not end the lag of that one.
            return;
        }
        match answer {
            Err(StoreError::Away(_)) => self.refuse(&reading.request, Refusal::StoreAway),
            Err(StoreError::Data(_)) => self.refuse(&reading.request, Refusal::Busy),
            // Positions of the old numbering mean nothing any more; what was read may have been removed meanwhile.
            Ok(_) if !same_epoch || !same_floor => self.on_request(now, reading.request),
            Ok(messages) => {
                let publications = messages
                    .into_iter()
                    .map(|message| message.publication)
                    .collect();
                self.on_read(now, reading, publications);
            }
        }
    }

    fn on_read(&mut self, now: Now, reading: Reading, publications: Vec<Publication>) {
        match reading.request.ask {
            Ask::Subscribe { .. } | Ask::RemoveHistory { .. } => {}
            Ask::Pull { after } => self.on_pull_read(now, reading, after, publications),
            Ask::History {
                query: HistoryQuery::Newest { after, limit },
                bytes_max,
            } => {
                self.on_newest_read(now, reading, after, limit, bytes_max, publications);
            }
            Ask::History {
                query:
                    HistoryQuery::Position
                    | HistoryQuery::Forward { .. }
                    | HistoryQuery::Backward { .. },
                bytes_max,
            } => self.on_history_read(&reading, bytes_max, publications),
        }
    }
}

/// Takes what fits `bytes_max`, in order; `at_least_one` comes however large it is.
pub(super) fn fitting<'a>(
    publications: impl Iterator<Item = &'a Publication>,
    bytes_max: usize,
    at_least_one: bool,
) -> Vec<Publication> {
    let mut bytes = 0;
    let mut taken = Vec::new();
    for publication in publications {
        bytes += publication.weight();
        if bytes > bytes_max && !(at_least_one && taken.is_empty()) {
            break;
        }
        taken.push(publication.clone());
    }
    taken
}
