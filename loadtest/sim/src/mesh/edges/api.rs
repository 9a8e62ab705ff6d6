//! The server API of an edge: it speaks as a worker without sessions.

use std::collections::BTreeMap;
use std::time::Duration;

use trunkline_edge_core::exchange::{
    Answer, RefusedBecause, Ticket, ToUpstream, ToWorker, WorkerId,
};
use trunkline_edge_core::upstream;
use trunkline_shared::{
    Channel, IdempotencyKey, Instant, Offset, Payload, Publication, Trace, UnixMillis,
};

use super::Edge;
use crate::mesh::{Covered, Mesh};
use crate::publisher::Attempt;
use crate::record::{Known, Removal, Removed, TryEnd};
use crate::scenario::CHANNELS;

/// The worker that it speaks as.
pub(super) const API: WorkerId = WorkerId(u16::MAX);

/// How long a call waits for its answer.
const DEADLINE: Duration = Duration::from_secs(4);

/// The calls of an edge's life.
#[derive(Debug, Default)]
pub(super) struct Calls {
    open: BTreeMap<Ticket, Call>,
    last: u64,
    has_rules: bool,
}

/// A call, by its place in the record.
#[derive(Clone, Copy, Debug)]
enum Call {
    RemoveHistory(usize),
    Publish(usize),
}

impl Calls {
    fn begin(&mut self, call: Call) -> Ticket {
        self.last += 1;
        let ticket = Ticket(self.last);
        self.open.insert(ticket, call);
        ticket
    }
}

impl Edge {
    /// Whether its API takes publishes: without rules it answers with error 100 by itself.
    pub(in crate::mesh) const fn takes_publishes(&self) -> bool {
        self.is_up() && self.calls.has_rules
    }

    fn deadline(&self, now: Instant) -> Instant {
        self.clock.now(now).instant + DEADLINE
    }
}

impl Mesh {
    /// Somebody calls `history_remove`.
    pub(in crate::mesh) fn remove_history(&mut self, number: usize, channel: usize) {
        let edge = &mut self.edges[number];
        if !edge.is_up() {
            return;
        }
        let call = Call::RemoveHistory(self.record.removals.len());
        let message = ToUpstream::RemoveHistory {
            ticket: edge.calls.begin(call),
            deadline: edge.deadline(self.now),
            channel: Channel::parse(CHANNELS[channel].name).expect("a good name"),
        };
        self.record.removals.push(Removal {
            edge: number,
            channel,
            sent: self.now,
            removed: None,
        });
        self.api_says(number, message);
        self.drain_edge(number);
    }

    /// A publisher calls `publish` with a key.
    pub(in crate::mesh) fn try_by_api(&mut self, number: usize, place: usize, tried: &Attempt) {
        let edge = &mut self.edges[number];
        let message = ToUpstream::Publish {
            ticket: edge.calls.begin(Call::Publish(place)),
            deadline: edge.deadline(self.now),
            channel: Channel::parse(CHANNELS[tried.channel].name).expect("a good name"),
            key: Some(IdempotencyKey::new(tried.label.key().as_bytes()).expect("a short text")),
            skip_history: false,
            publication: Publication {
                offset: Offset::ZERO,
                data: Payload::new(tried.label.payload(tried.ballast).into()),
                is_json: true,
                info: None,
                tags: Vec::new(),
                time: UnixMillis::default(),
                origin: "".into(),
                trace: Trace::default(),
            },
        };
        self.api_says(number, message);
        self.drain_edge(number);
    }

    /// The process of an edge is gone, and those who called it know that.
    pub(super) fn lose_calls(&mut self, number: usize) {
        let calls = std::mem::take(&mut self.edges[number].calls);
        for call in calls.open.into_values() {
            match call {
                Call::RemoveHistory(_) => {}
                Call::Publish(place) => self.end_try(place, TryEnd::Unanswered),
            }
        }
    }

    /// The way upstream has said something to the API.
    pub(super) fn api_takes(&mut self, number: usize, message: &ToWorker) {
        let weight = message.weight();
        self.api_says(number, ToUpstream::Consumed { weight });
        let calls = &mut self.edges[number].calls;
        match message {
            ToWorker::Rules(_) => calls.has_rules = true,
            ToWorker::Answer { ticket, answer } => match calls.open.remove(ticket) {
                Some(Call::RemoveHistory(place)) => self.history_removed(place, answer),
                Some(Call::Publish(place)) => self.tried_by_api(place, answer),
                None => self.odd(format!("an answer that no call asked for: {answer:?}")),
            },
            ToWorker::Publication(_)
            | ToWorker::Gap { .. }
            | ToWorker::EpochChanged { .. }
            | ToWorker::PresenceEvents { .. }
            | ToWorker::Isolated(_) => {}
        }
    }

    fn api_says(&mut self, number: usize, message: ToUpstream) {
        let worker = API;
        self.tell_upstream(number, upstream::Input::Worker { worker, message });
    }

    fn history_removed(&mut self, place: usize, answer: &Answer) {
        if let Answer::HistoryRemoved { epoch, floor } = answer {
            self.coverage.count(Covered::HistoryRemoved);
            self.record.removals[place].removed = Some(Removed {
                at: self.now,
                epoch: self.tamper.removal_epoch(*epoch).to_string(),
                floor: floor.0,
            });
        }
    }

    fn tried_by_api(&mut self, place: usize, answer: &Answer) {
        let end = match answer {
            Answer::Published {
                position: Some(position),
            } => TryEnd::Acked(Known {
                epoch: position.epoch.to_string(),
                offset: position.offset.0,
            }),
            Answer::Refused(RefusedBecause::Temporary) => TryEnd::Refused,
            Answer::Refused(RefusedBecause::UnknownChannel | RefusedBecause::NotAvailable)
            | Answer::Published { position: None }
            | Answer::Subscribed { .. }
            | Answer::History { .. }
            | Answer::HistoryRemoved { .. }
            | Answer::Presence(_)
            | Answer::PresenceStats { .. }
            | Answer::Info(_) => {
                self.odd(format!("a publish by the API was answered with {answer:?}"));
                TryEnd::Refused
            }
        };
        self.end_try(place, end);
    }

    fn odd(&mut self, what: String) {
        self.record.oddities.push((self.now, what));
    }
}
