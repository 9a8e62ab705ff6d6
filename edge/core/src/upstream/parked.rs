//! Requests that came before the first rules: they wait, bounded, until rules come or their time is over.

use std::collections::BTreeMap;

use trunkline_shared::Instant;

use super::{Asker, Timer, Upstream};
use crate::exchange::{RefusedBecause, ToUpstream, WorkerId};

#[derive(Debug)]
struct Entry {
    worker: WorkerId,
    message: ToUpstream,
    asked: Asked,
    bytes: usize,
}

/// What of a request matters while it waits.
#[derive(Clone, Copy, Debug)]
struct Asked {
    asker: Asker,
    deadline: Instant,
}

/// What waits for rules, in order.
#[derive(Debug, Default)]
pub(super) struct Parked {
    entries: BTreeMap<u64, Entry>,
    last: u64,
    bytes: usize,
}

impl Parked {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn remove(&mut self, number: u64) -> Option<Entry> {
        let entry = self.entries.remove(&number)?;
        self.bytes -= entry.bytes;
        Some(entry)
    }
}

impl Upstream {
    /// Lets a request wait for rules; what isn't a request can't be meant for a channel that nobody knows yet.
    pub(super) fn park(&mut self, now: Instant, worker: WorkerId, message: ToUpstream) {
        if let ToUpstream::Unsubscribe { channel } = &message {
            self.unpark(worker, channel.clone());
        }
        let Some(asked) = asked(worker, &message) else {
            return;
        };
        let bytes = bytes(&message);
        let full = self.waiting() >= self.config.waiting_max
            || self.parked.bytes + bytes > self.config.unanswered_bytes_max;
        if full {
            self.counters.requests_refused_full += 1;
            return self.refuse(asked.asker, RefusedBecause::Temporary);
        }
        self.parked.last += 1;
        self.parked.bytes += bytes;
        self.timers
            .arm(asked.deadline.max(now), Timer::Parked(self.parked.last));
        let asked = Asked {
            deadline: asked.deadline.max(now),
            ..asked
        };
        self.parked.entries.insert(
            self.parked.last,
            Entry {
                worker,
                message,
                asked,
                bytes,
            },
        );
    }

    fn unpark(&mut self, worker: WorkerId, channel: trunkline_shared::Channel) {
        let of_it = |entry: &Entry| {
            entry.worker == worker
                && matches!(&entry.message, ToUpstream::Subscribe { channel: parked, .. } if *parked == channel)
        };
        let numbers: Vec<u64> = self
            .parked
            .entries
            .iter()
            .filter(|(_, e)| of_it(e))
            .map(|(n, _)| *n)
            .collect();
        for number in numbers {
            self.refuse_parked(number);
        }
    }

    /// Does what waited, now that there are rules.
    pub(super) fn unpark_all(&mut self, now: Instant) {
        while let Some(number) = self.parked.entries.keys().next().copied() {
            let entry = self
                .parked
                .remove(number)
                .expect("its number was just read");
            self.timers
                .disarm(entry.asked.deadline, Timer::Parked(number));
            self.on_request(now, entry.worker, entry.message);
        }
    }

    pub(super) fn on_parked_expired(&mut self, number: u64) {
        self.counters.requests_expired += 1;
        self.refuse_parked(number);
    }

    fn refuse_parked(&mut self, number: u64) {
        if let Some(entry) = self.parked.remove(number) {
            self.timers
                .disarm(entry.asked.deadline, Timer::Parked(number));
            self.refuse(entry.asked.asker, RefusedBecause::Temporary);
        }
    }

    /// Requests of workers without an answer, publishes that wait for an owner apart.
    pub(super) fn waiting(&self) -> usize {
        self.parked.len() + self.interest.waiters() + self.requests.len()
    }
}

fn asked(worker: WorkerId, message: &ToUpstream) -> Option<Asked> {
    match message {
        ToUpstream::Subscribe {
            ticket, deadline, ..
        }
        | ToUpstream::Publish {
            ticket, deadline, ..
        }
        | ToUpstream::History {
            ticket, deadline, ..
        }
        | ToUpstream::RemoveHistory {
            ticket, deadline, ..
        }
        | ToUpstream::Presence {
            ticket, deadline, ..
        }
        | ToUpstream::PresenceStats {
            ticket, deadline, ..
        }
        | ToUpstream::Info { ticket, deadline } => Some(Asked {
            asker: Asker {
                worker,
                ticket: *ticket,
            },
            deadline: *deadline,
        }),
        ToUpstream::Unsubscribe { .. }
        | ToUpstream::Joined { .. }
        | ToUpstream::Left { .. }
        | ToUpstream::Consumed { .. } => None,
    }
}

fn bytes(message: &ToUpstream) -> usize {
    match message {
        ToUpstream::Publish { publication, .. } => publication.weight(),
        ToUpstream::Subscribe { .. }
        | ToUpstream::History { .. }
        | ToUpstream::RemoveHistory { .. }
        | ToUpstream::Presence { .. }
        | ToUpstream::PresenceStats { .. }
        | ToUpstream::Info { .. }
        | ToUpstream::Unsubscribe { .. }
        | ToUpstream::Joined { .. }
        | ToUpstream::Left { .. }
        | ToUpstream::Consumed { .. } => 0,
    }
}
