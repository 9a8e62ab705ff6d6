//! The machine that owns the channels of some slots: it numbers, keeps, and delivers.
//!
//! One file per idea lies in `shard/`. Work of different slots never meets, so a node runs several shards without locks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use trunkline_shared::frame::ToNode;
use trunkline_shared::limits::LANES;
use trunkline_shared::rules::Rules;
use trunkline_shared::{Instant, LinkId, Now, Slot};

use crate::config::ShardConfig;
use crate::counters::Counters;
use crate::io::{Input, Output, StoreAnswer, StoreRequest, StoreTicket};

mod admission;
mod append;
mod channel;
mod claims;
mod edges;
mod fan_out;
mod gauges;
mod give_up;
mod heads;
mod history;
mod idle;
mod invariants;
mod key_memory;
mod keys;
mod lag;
mod lease;
mod life;
mod outcome;
mod parked;
mod pending;
mod presence;
mod presence_answers;
mod presence_events;
mod publish;
mod pull;
mod reading;
mod removing;
mod repeats;
mod replay;
mod requests;
mod retry;
mod rules;
mod sent_back;
mod settle;
mod slot;
mod subscribe;
mod tickets;
mod views;

use claims::Claims;
use edges::{Caller, Edges};
use heads::HeadReads;
use idle::Idle;
use key_memory::KeysDue;
use life::Lives;
use parked::Parked;
use repeats::LookUps;
use retry::Retry;
use slot::SlotState;
use tickets::{Purpose, Tickets};
use views::Views;

/// Owns channels: numbers and keeps what is published, delivers one copy per subscribed edge.
///
/// Inputs go in by [`Shard::handle_input`] and [`Shard::handle_timeout`]; drain [`Shard::poll_output`] after each, and
/// call [`Shard::handle_timeout`] at [`Shard::poll_timeout`].
#[derive(Debug)]
pub struct Shard {
    config: ShardConfig,
    rng: ChaCha8Rng,
    rules: Option<Arc<Rules>>,
    views: Views,
    /// The node's lease holds.
    is_leased: bool,
    slots: BTreeMap<Slot, SlotState>,
    edges: Edges,
    lives: Lives,
    parked: Parked,
    claims: Claims,
    heads: HeadReads,
    look_ups: LookUps,
    tickets: Tickets,
    keys_due: KeysDue,
    idle: Idle,
    totals: Totals,
    counters: Counters,
    outputs: VecDeque<Output>,
    numbers: u64,
}

/// What all slots hold together.
#[derive(Debug, Default, PartialEq, Eq)]
struct Totals {
    channels: usize,
    ring_bytes: usize,
    waiting_bytes: usize,
    publish_ids: usize,
    keys: usize,
    key_bytes: usize,
    presence: usize,
    requests: usize,
    /// Requests among them whose slot was given up.
    orphans: usize,
}

impl Shard {
    /// Makes a shard that owns nothing yet; it draws the epochs of buffered channels from `seed`.
    ///
    /// # Panics
    /// When the configuration has no shards, more than lanes, or an index beyond them.
    pub fn new(config: ShardConfig, seed: u64, _now: Now) -> Self {
        assert!(
            config.index < config.shards && config.shards <= usize::from(LANES),
            "a shard has lanes of its own"
        );
        let retry = || Retry::new(config.retry_min, config.retry_max);
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            rules: None,
            views: Views::default(),
            is_leased: true,
            slots: BTreeMap::new(),
            edges: Edges::default(),
            lives: Lives::default(),
            parked: Parked::default(),
            claims: Claims::new(retry()),
            heads: HeadReads::new(retry()),
            look_ups: LookUps::default(),
            tickets: Tickets::default(),
            keys_due: KeysDue::default(),
            idle: Idle::default(),
            totals: Totals::default(),
            counters: Counters::default(),
            outputs: VecDeque::new(),
            numbers: 0,
            config,
        }
    }

    /// Takes an input.
    pub fn handle_input(&mut self, now: Now, input: Input) {
        self.look_ups.tell_time(now);
        match input {
            Input::LinkUp { link, edge } => self.on_link_up(now, link, edge),
            Input::LinkDown { link, goodbye } => self.on_link_down(now, link, goodbye),
            Input::Frame { link, frame } => self.on_frame(now, link, frame),
            Input::Sent {
                link,
                stream,
                weight,
            } => self.on_sent(link, stream, weight),
            Input::View { view, me } => self.on_view(now, view, me),
            Input::Lease { held } => self.on_lease(now, held),
            Input::Rules(rules) => self.on_rules(rules),
            Input::Store(ticket, answer) => self.on_store(now, ticket, answer),
        }
        self.tell_settled();
        self.settle_touched();
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Now) {
        self.look_ups.tell_time(now);
        self.forget_keys(now);
        self.on_lives_due(now);
        self.on_claim_retry(now);
        self.on_heads_retry(now);
        self.refuse_late_parked(now);
        self.settle_touched();
    }

    /// When to call [`Shard::handle_timeout`], and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let life = self
            .lives
            .due
            .first()
            .map(|(when, _)| (*when, "an edge's absence or return"));
        let claim = self
            .claims
            .retry
            .at()
            .map(|when| (when, "a claim is tried again"));
        let heads = self
            .heads
            .retry
            .at()
            .map(|when| (when, "heads are read again"));
        let parked = self
            .parked
            .at()
            .map(|when| (when, "what waits for a view has no time left"));
        [life, claim, heads, parked]
            .into_iter()
            .flatten()
            .min_by_key(|(when, _)| *when)
    }

    /// The next output.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// What has been counted.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    fn is_mine(&self, slot: Slot) -> bool {
        usize::from(slot.lane(LANES)) % self.config.shards == self.config.index
    }

    fn on_frame(&mut self, now: Now, link: LinkId, frame: ToNode) {
        let Some(caller) = self.edges.caller(link) else {
            self.counters.ignored_frames += 1;
            return;
        };
        match frame.slot() {
            Some(slot) if self.is_mine(slot) => self.dispatch(now, caller, frame),
            Some(_) => self.close(link, "a slot on another slot's lane"),
            None => self.close(link, "a frame without a slot on a lane"),
        }
    }

    fn dispatch(&mut self, now: Now, caller: Caller, frame: ToNode) {
        match frame {
            ToNode::Publish(publish) => self.on_publish(now, caller, publish),
            ToNode::PublishUnkept(publish) => self.on_publish_unkept(now, caller, publish),
            ToNode::Subscribe(subscribe) => self.on_subscribe(now, caller, subscribe),
            ToNode::Unsubscribe { slot, channel } => self.on_unsubscribe(caller, slot, &channel),
            ToNode::Pull(pull) => self.on_pull(now, caller, pull),
            ToNode::History(history) => self.on_history(now, caller, history),
            ToNode::RemoveHistory(remove) => self.on_remove_history(now, caller, remove),
            ToNode::Presence {
                request,
                slot,
                channel,
            } => self.on_presence(caller, request, slot, &channel),
            ToNode::PresenceStats {
                request,
                slot,
                channel,
            } => self.on_presence_stats(caller, request, slot, &channel),
            ToNode::PresenceChanges(changes) => self.on_presence_changes(caller, changes),
            ToNode::PresenceSnapshot(snapshot) => self.on_presence_snapshot(caller, snapshot),
            ToNode::CheckPositions { request, channels } => {
                self.on_check_positions(caller, request, channels)
            }
            ToNode::ShowView(_) | ToNode::Stats(_) | ToNode::Info { .. } | ToNode::Goodbye => {}
        }
    }

    fn on_store(&mut self, now: Now, ticket: StoreTicket, answer: StoreAnswer) {
        let Some(purpose) = self.tickets.close(ticket) else {
            return;
        };
        match (purpose, answer) {
            (Purpose::Append(slot), StoreAnswer::Appended(outcome)) => {
                self.on_appended(now, slot, ticket, outcome)
            }
            (Purpose::Claim(asked), StoreAnswer::Claimed(answer)) => {
                self.on_claimed(now, asked, answer)
            }
            (Purpose::Heads(asked), StoreAnswer::Heads(answer)) => {
                self.on_heads(now, ticket, asked, answer)
            }
            (Purpose::Find(slots), StoreAnswer::Found(answer)) => {
                self.on_found(now, ticket, slots, answer)
            }
            (Purpose::Range(reading), StoreAnswer::Range(answer)) => {
                self.on_range(now, reading, answer)
            }
            (Purpose::Floor(removing), StoreAnswer::FloorRaised(answer)) => {
                self.on_floor_raised(now, removing, answer)
            }
            (purpose, answer) => {
                panic!("the store was asked for {purpose:?} and answers {answer:?}")
            }
        }
    }

    fn ask_store(&mut self, ticket: StoreTicket, purpose: Purpose, request: StoreRequest) {
        self.tickets.open(ticket, purpose);
        self.outputs.push_back(Output::Store(ticket, request));
    }

    /// A number larger than all before: turns, and the order in which presence was stated.
    const fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn random(&mut self) -> u64 {
        self.rng.next_u64()
    }
}
