//! Which message has which place, by everything that was observed.

use std::collections::{BTreeMap, BTreeSet};

use trunkline_shared::Instant;

use crate::record::{Label, Message, Record, Seen};

/// A place: channel, epoch, offset.
pub(super) type Place = (usize, String, u64);

/// Every place that was observed, with every message that was seen there, and when first.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    /// By place.
    pub(super) places: BTreeMap<Place, BTreeMap<Label, Instant>>,
    /// By message: its places.
    pub(super) labels: BTreeMap<Label, BTreeSet<Place>>,
}

impl Numbering {
    /// Collects what was observed.
    pub(super) fn of(record: &Record) -> Self {
        let mut numbering = Self::default();
        for ((_, channel), events) in &record.seen {
            numbering.add_events(*channel, events);
        }
        let end = Instant::from_micros(u64::MAX);
        for (channel, log) in &record.histories {
            for message in &log.messages {
                numbering.add(end, *channel, &log.epoch, *message);
            }
        }
        numbering
    }

    fn add_events(&mut self, channel: usize, events: &[(Instant, Seen)]) {
        let mut epoch = String::new();
        for (at, seen) in events {
            match seen {
                Seen::Subscribed(reply) => {
                    epoch.clone_from(&reply.epoch);
                    for message in &reply.publications {
                        self.add(*at, channel, &epoch, *message);
                    }
                }
                Seen::Publication(message) => self.add(*at, channel, &epoch, *message),
                Seen::Refused { .. } | Seen::Unsubscribed { .. } | Seen::Left | Seen::Lost => {}
            }
        }
    }

    fn add(&mut self, at: Instant, channel: usize, epoch: &str, message: Message) {
        if message.offset > 0 && !epoch.is_empty() {
            let place = (channel, epoch.to_owned(), message.offset);
            self.places
                .entry(place.clone())
                .or_default()
                .entry(message.label)
                .or_insert(at);
            self.labels.entry(message.label).or_default().insert(place);
        }
    }
}
