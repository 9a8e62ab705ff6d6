//! Random walks: whatever edges, links and the store do, the shard's tables agree, and what it promised holds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use trunkline_backbone_core::ShardConfig;
use trunkline_backbone_core::io::{Input, PartOutcome, StoreAnswer, StoreRequest, StoreTicket};
use trunkline_shared::frame::{
    HistoryQuery, PresenceChange, PresenceChanges, PresenceSnapshot, Publish, ToEdge, ToNode,
};
use trunkline_shared::{Epoch, LinkId, Offset, Position, RequestId, StreamId};
use trunkline_store_core::{ClaimError, FloorError, Refused, StoreError};

use crate::support::*;

const NAMES: [&str; 9] = [
    "chat:1",
    "chat:2",
    "few:1",
    "pair:x:a",
    "pair:x:b",
    "live:1",
    "live:2",
    "cursors:1",
    "room:1",
];

/// One walk: an owner, edges that mostly behave, and a store that often doesn't.
struct Walk {
    owner: Owner,
    dice: ChaCha8Rng,
    /// The present link of edges 1 to 3.
    links: [Option<u64>; 3],
    next_link: u64,
    counters: [u64; 3],
    unanswered: [BTreeMap<u64, Publish>; 3],
    /// What was acknowledged, by text and channel.
    acked: BTreeMap<(String, String), Position>,
    /// What was pushed, by channel, epoch and offset.
    pushed: BTreeMap<(String, Epoch, u64), String>,
    unwritten: Vec<(u64, StreamId, usize)>,
}

impl Walk {
    fn new(seed: u64) -> Self {
        let config = ShardConfig {
            lane_queue_bytes: 1500,
            ephemeral_queue_bytes: 500,
            slot_waiting_bytes_max: 3000,
            append_bytes_max: 600,
            channels_max: 6,
            ring_bytes_max: 800,
            ring_bytes_max_total: 3000,
            publish_ids_max: 50,
            keys_max: 5,
            requests_max: 20,
            presence_per_channel_max: 4,
            ..ShardConfig::default()
        };
        Self {
            owner: Owner::with(config),
            dice: ChaCha8Rng::seed_from_u64(seed),
            links: [Some(1), Some(2), Some(3)],
            next_link: 10,
            counters: [0; 3],
            unanswered: Default::default(),
            acked: BTreeMap::new(),
            pushed: BTreeMap::new(),
            unwritten: Vec::new(),
        }
    }

    fn step(&mut self) {
        let edge = self.dice.random_range(0..3);
        match self.dice.random_range(0..20) {
            0..=4 => self.publish(edge),
            5 => self.repeat(edge),
            6 | 7 => self.subscribe(edge),
            8 => self.unsubscribe(edge),
            9 | 10 => self.ask(edge),
            11 => self.presence(edge),
            12 => self.flip_link(edge),
            13 => self
                .owner
                .pass(Duration::from_millis(self.dice.random_range(1..3000))),
            14 | 15 => self.write(),
            _ => self.store(),
        }
        self.observe();
    }

    fn name(&mut self) -> &'static str {
        NAMES[self.dice.random_range(0..NAMES.len())]
    }

    fn publish(&mut self, edge: usize) {
        let name = self.name();
        self.counters[edge] += 1;
        let counter = self.counters[edge];
        // Few keys, so that publishes with one key meet each other; a message with a key says no more than that.
        let key = Some(self.dice.random_range(1..13_u8)).filter(|key| *key < 4);
        let text = key.map_or_else(|| format!("{edge}-{counter}"), |key| format!("key {key}"));
        let oldest = self.unanswered[edge]
            .values()
            .filter(|p| p.slot == slot(name))
            .map(|p| p.request)
            .next();
        let time_left_ms = self.dice.random_range(0..5000);
        let oldest_unanswered = oldest.unwrap_or(RequestId(counter));
        let publish = Publish {
            time_left_ms,
            oldest_unanswered,
            key: key.map(|key| vec![key]),
            ..publish(name, counter, &text)
        };
        if !name.starts_with("cursors") {
            self.unanswered[edge].insert(
                counter,
                Publish {
                    repeat: true,
                    ..publish.clone()
                },
            );
        }
        if let Some(link) = self.links[edge] {
            self.owner.publish(link, publish);
        }
    }

    fn repeat(&mut self, edge: usize) {
        let Some(link) = self.links[edge] else { return };
        for publish in self.unanswered[edge]
            .values()
            .take(5)
            .cloned()
            .collect::<Vec<_>>()
        {
            self.owner.publish(
                link,
                Publish {
                    time_left_ms: 4000,
                    oldest_unanswered: RequestId(1),
                    ..publish
                },
            );
        }
    }

    fn subscribe(&mut self, edge: usize) {
        let name = self.name();
        let offset = Offset(self.dice.random_range(0..8));
        let at = self.dice.random_bool(0.5).then_some(Position {
            epoch: EPOCH,
            offset,
        });
        if let Some(link) = self.links[edge] {
            self.owner.subscribe(link, name, at);
        }
    }

    fn unsubscribe(&mut self, edge: usize) {
        let name = self.name();
        if let Some(link) = self.links[edge] {
            self.owner.say(
                link,
                ToNode::Unsubscribe {
                    slot: slot(name),
                    channel: channel(name),
                },
            );
        }
    }

    fn ask(&mut self, edge: usize) {
        let name = self.name();
        let Some(link) = self.links[edge] else { return };
        let number = Offset(self.dice.random_range(0..10));
        match self.dice.random_range(0..6) {
            5 => {
                self.owner.remove_history(link, name);
            }
            0 => self.owner.history(
                link,
                name,
                HistoryQuery::Newest {
                    after: number,
                    limit: 4,
                },
                700,
            ),
            1 => self.owner.history(
                link,
                name,
                HistoryQuery::Backward {
                    before: Some(number),
                    limit: 4,
                },
                700,
            ),
            2 => self.owner.history(
                link,
                name,
                HistoryQuery::Forward {
                    after: number,
                    limit: 4,
                },
                700,
            ),
            _ => self.owner.pull(link, name, EPOCH, number.0),
        }
    }

    fn presence(&mut self, edge: usize) {
        let Some(link) = self.links[edge] else { return };
        let who = client(&format!("user-{}", self.dice.random_range(0..6)));
        let slot = slot("room:1");
        let frame = if self.dice.random_bool(0.7) {
            let joined = self.dice.random_bool(0.6);
            let changes = vec![PresenceChange {
                channel: channel("room:1"),
                client: who,
                joined,
            }];
            ToNode::PresenceChanges(PresenceChanges { slot, changes })
        } else {
            let (first, last) = (self.dice.random_bool(0.6), self.dice.random_bool(0.6));
            ToNode::PresenceSnapshot(PresenceSnapshot {
                slot,
                first,
                last,
                entries: vec![(channel("room:1"), who)],
            })
        };
        self.owner.say(link, frame);
    }

    fn flip_link(&mut self, edge: usize) {
        match self.links[edge].take() {
            Some(link) => {
                let goodbye = self.dice.random_bool(0.1);
                self.owner.input(Input::LinkDown {
                    link: LinkId(link),
                    goodbye,
                });
            }
            None => {
                self.next_link += 1;
                self.owner
                    .up(u8::try_from(edge).expect("three edges") + 1, self.next_link);
                self.links[edge] = Some(self.next_link);
            }
        }
    }

    fn write(&mut self) {
        for _ in 0..4 {
            if !self.unwritten.is_empty() {
                let (link, stream, weight) = self.unwritten.remove(0);
                self.owner.written(link, stream, weight);
            }
        }
    }

    fn store(&mut self) {
        if self.owner.requests.is_empty() {
            return;
        }
        let which = self.dice.random_range(0..self.owner.requests.len());
        let (ticket, request) = self.owner.requests.remove(which).expect("it is there");
        let answer = match self.dice.random_range(0..10) {
            0 => self.fail(&request),
            1 => self.lose(&request),
            _ => self.owner.disk.answer(&request),
        };
        self.answer(ticket, answer);
    }

    fn answer(&mut self, ticket: StoreTicket, answer: StoreAnswer) {
        self.owner.answer(ticket, answer);
    }

    fn fail(&mut self, request: &StoreRequest) -> StoreAnswer {
        let error = if self.dice.random_bool(0.8) {
            away()
        } else {
            StoreError::Data("nonsense".to_owned())
        };
        match request {
            StoreRequest::Append(_) => StoreAnswer::Appended(PartOutcome::Failed(error)),
            StoreRequest::Claim(_) => StoreAnswer::Claimed(Err(ClaimError::Store(error))),
            StoreRequest::Heads(_) => StoreAnswer::Heads(Err(error)),
            StoreRequest::Range(_) => StoreAnswer::Range(Err(error)),
            StoreRequest::Find(_) => StoreAnswer::Found(Err(error)),
            StoreRequest::RaiseFloor(_) => StoreAnswer::FloorRaised(Err(error.into())),
        }
    }

    /// An append whose outcome nobody learns, or a call that another claim has fenced.
    fn lose(&mut self, request: &StoreRequest) -> StoreAnswer {
        if let StoreRequest::RaiseFloor(_) = request {
            return StoreAnswer::FloorRaised(Err(FloorError::Generation));
        }
        let StoreRequest::Append(part) = request else {
            return self.owner.disk.answer(request);
        };
        match self.dice.random_range(0..3) {
            0 => {
                self.owner.disk.take(part);
                StoreAnswer::Appended(PartOutcome::Unknown)
            }
            1 => StoreAnswer::Appended(PartOutcome::Unknown),
            _ => StoreAnswer::Appended(PartOutcome::Refused(Refused::Generation)),
        }
    }

    fn observe(&mut self) {
        for (link, stream, frame) in std::mem::take(&mut self.owner.frames) {
            self.unwritten.push((link, stream, frame.weight()));
            match frame {
                ToEdge::Published {
                    request, position, ..
                } => self.on_published(link, request, position),
                ToEdge::Push(push) => self.on_push(push),
                ToEdge::Refused { request, .. } => {
                    let edge = self.edge_of(link);
                    self.unanswered[edge].remove(&request.0);
                }
                ToEdge::Subscribed(_)
                | ToEdge::Pulled(_)
                | ToEdge::History(_)
                | ToEdge::Presence(_)
                | ToEdge::PresenceStats { .. }
                | ToEdge::Positions { .. }
                | ToEdge::Behind(_)
                | ToEdge::HistoryRemoved { .. }
                | ToEdge::Floor(_)
                | ToEdge::PresenceEvents { .. }
                | ToEdge::Reset { .. }
                | ToEdge::View(_)
                | ToEdge::Rules(_)
                | ToEdge::Store { .. }
                | ToEdge::Info { .. }
                | ToEdge::Goodbye { .. } => {}
            }
        }
        let links: BTreeSet<u64> = self.links.iter().flatten().copied().collect();
        self.unwritten.retain(|(link, _, _)| links.contains(link));
    }

    fn edge_of(&self, link: u64) -> usize {
        self.links
            .iter()
            .position(|known| *known == Some(link))
            .expect("frames go to links that are up")
    }

    fn on_published(&mut self, link: u64, request: RequestId, position: Position) {
        let edge = self.edge_of(link);
        let Some(publish) = self.unanswered[edge].remove(&request.0) else {
            return;
        };
        let name = publish.channel.to_string();
        self.acked
            .insert((text(&publish.publication), name), position);
    }

    fn on_push(&mut self, push: trunkline_shared::frame::Push) {
        let Some(epoch) = push.epoch else { return };
        let text = text(&push.publication);
        let place = (push.channel.to_string(), epoch, push.publication.offset.0);
        let before = self.pushed.insert(place.clone(), text.clone());
        assert!(
            before.is_none_or(|before| before == text),
            "two messages at {place:?}"
        );
    }

    /// Every acknowledged durable message lies where it was acknowledged, once; what was pushed is what is stored.
    fn check(&self) {
        for ((text, name), position) in &self.acked {
            let stored = self.owner.disk.texts(name);
            if self.is_durable(name) {
                let index = usize::try_from(position.offset.0).expect("small offsets") - 1;
                assert_eq!(stored.get(index), Some(text), "{name} at {position:?}");
                assert_eq!(
                    stored.iter().filter(|stored| *stored == text).count(),
                    1,
                    "{text} in {name}"
                );
            }
        }
        for ((name, epoch, offset), text) in &self.pushed {
            if self.is_durable(name) {
                let index = usize::try_from(*offset).expect("small offsets") - 1;
                assert_eq!(
                    self.owner.disk.texts(name).get(index),
                    Some(text),
                    "{name} {epoch} {offset}"
                );
            }
        }
    }

    fn is_durable(&self, name: &str) -> bool {
        ["chat", "few", "pair"]
            .iter()
            .any(|namespace| name.starts_with(namespace))
    }
}

#[test]
fn whatever_happens_tables_agree_and_promises_hold() {
    let mut counted = trunkline_backbone_core::Counters::default();
    for seed in 0..200 {
        let mut walk = Walk::new(seed);
        (0..400).for_each(|_| walk.step());
        walk.check();
        let counters = walk.owner.shard.counters();
        counted.lags += counters.lags;
        counted.appends_unknown += counters.appends_unknown;
        counted.appends_refused += counters.appends_refused;
        counted.repeats_found += counters.repeats_found;
        counted.keys_found += counters.keys_found;
        counted.keys_held += counters.keys_held;
        counted.keys_refused_full += counters.keys_refused_full;
        counted.unknown_kept += counters.unknown_kept;
        counted.epochs_begun += counters.epochs_begun;
        counted.evicted += counters.evicted;
        counted.histories_removed += counters.histories_removed;
        counted.busy += counters.busy;
    }
    let seen = [
        counted.lags,
        counted.appends_unknown,
        counted.appends_refused,
        counted.repeats_found,
        counted.keys_found,
        counted.keys_held,
        counted.keys_refused_full,
        counted.unknown_kept,
        counted.epochs_begun,
        counted.evicted,
        counted.histories_removed,
        counted.busy,
    ];
    assert!(
        seen.iter().all(|count| *count > 0),
        "a walk in which something never happened: {counted:?}"
    );
}
