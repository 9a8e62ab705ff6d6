//! Publishers with idempotency keys, and what they try.

use super::event::Event;
use super::{Covered, Mesh};
use crate::client::Conn;
use crate::publisher::{Attempt, Publisher, Road};
use crate::record::{Try, TryEnd};

impl Mesh {
    pub(super) fn arm_publisher(&mut self, number: usize) {
        let publisher = &mut self.publishers[number];
        let Some(at) = publisher.wake().map(|at| at.max(self.now)) else {
            return;
        };
        if publisher.armed.is_none_or(|armed| at < armed) {
            publisher.armed = Some(at);
            let event = Event::Publisher { publisher: number };
            self.agenda.plan(at, event);
        }
    }

    pub(super) fn wake_publisher(&mut self, number: usize) {
        if self.publishers[number].armed != Some(self.now) {
            return;
        }
        self.publishers[number].armed = None;
        for attempt in self.publishers[number].take_due(self.now) {
            self.attempt(number, &attempt);
        }
        self.arm_publisher(number);
    }

    fn attempt(&mut self, number: usize, attempt: &Attempt) {
        let (edge, open) = match attempt.road {
            Road::Api { edge } => (edge, self.edges[edge].takes_publishes()),
            Road::Rpc { client } => {
                let client = &self.clients[client];
                (client.edge, client.conn == Conn::Connected)
            }
        };
        if !open {
            return self.publishers[number].on_failed(self.now, attempt.label);
        }
        self.note(|| format!("publisher {number} tries {attempt:?}"));
        let begun = Try {
            label: attempt.label,
            road: attempt.road,
            edge,
            sent: self.now,
            ended: None,
        };
        self.count_try(&begun);
        let place = self.record.begin_try(attempt.channel, begun);
        match attempt.road {
            Road::Api { edge } => self.try_by_api(edge, place, attempt),
            Road::Rpc { client } => self.with_client(client, |client, around| {
                client.try_by_rpc(around, place, attempt);
            }),
        }
    }

    fn count_try(&mut self, begun: &Try) {
        let of_message = |other: &&Try| other.label == begun.label;
        let before: Vec<&Try> = self.record.tries.iter().filter(of_message).collect();
        let at_edge = before.iter().any(|other| other.edge == begun.edge);
        let event = match before.last() {
            None => return,
            Some(_) if at_edge => Covered::KeyTriedAgain,
            Some(last) if last.sent == begun.sent => Covered::KeyTriedAtOnce,
            Some(_) => Covered::KeyTriedElsewhere,
        };
        self.coverage.count(event);
    }

    /// A try is over, and its publisher learns it.
    pub(super) fn end_try(&mut self, place: usize, end: TryEnd) {
        let label = self.record.tries[place].label;
        let number = Publisher::place_of(label);
        let publisher = &mut self.publishers[number];
        match end {
            TryEnd::Acked(_) => publisher.on_acked(self.now, label),
            TryEnd::Refused | TryEnd::Unanswered => publisher.on_failed(self.now, label),
        }
        self.record.end_try(self.now, place, end);
        self.arm_publisher(number);
    }
}
