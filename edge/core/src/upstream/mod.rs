//! The way upstream: one per edge, between its workers and the nodes that own channels.
//!
//! It merges the interest of all workers, so that an owner sees one subscriber per edge; keeps a ring of recent
//! publications per channel; keeps every unanswered publish and sends it again; and restates all of that from its own
//! tables when a link comes up or a slot moves. No table remembers a link: what a link was told is forgotten with it.
//!
//! Feed it by `handle_input` and `handle_timeout`, drain `poll_output` after each, and wake it at `poll_timeout`.

mod answering;
mod asking;
mod catch_up;
mod channel_state;
mod coldest;
mod config;
mod counters;
mod deliver;
mod floors;
mod frames;
mod heads;
mod holds;
mod interest;
mod invariants;
mod io;
mod judge;
mod lag;
mod leaving;
mod links;
mod news;
mod owner_clock;
mod parked;
mod positions;
mod presence;
mod publish;
mod queries;
mod readers;
mod readiness;
mod request_frames;
mod requests;
mod restating;
mod resume;
mod ring;
mod routing;
mod send;
mod snapshot;
mod subscribing;
#[cfg(test)]
mod tests;
mod timers;
mod unanswered;
mod waiters;
mod workers;

use std::collections::{BTreeMap, VecDeque};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use trunkline_shared::frame::EdgeStats;
use trunkline_shared::{Incarnation, Instant, LinkId, Now, RequestId};

pub use self::config::UpstreamConfig;
pub use self::counters::{Counters, Gauges};
use self::interest::Interest;
pub use self::io::{Input, Output};
use self::links::Link;
use self::parked::Parked;
use self::presence::Presences;
use self::publish::Message;
use self::requests::Requests;
use self::routing::Routing;
use self::timers::{Timer, Timers};
use self::unanswered::Unanswered;
use self::workers::{Asker, Workers};
use crate::exchange::{RefusedBecause, ToUpstream, ToWorker, WorkerId};

/// Interest merged over workers, rings, unanswered publishes and links of one edge.
#[derive(Debug)]
pub struct Upstream {
    config: UpstreamConfig,
    incarnation: Incarnation,
    /// When the input or timeout at hand came.
    now: Now,
    rng: ChaCha8Rng,
    last_request: u64,
    routing: Routing,
    links: BTreeMap<LinkId, Link>,
    interest: Interest,
    unanswered: Unanswered,
    requests: Requests,
    presences: Presences,
    workers: Workers,
    parked: Parked,
    timers: Timers,
    stats: Option<EdgeStats>,
    counters: Counters,
    out: VecDeque<Output>,
}

impl Upstream {
    /// Makes the way upstream of one life of an edge; it begins to dial its contacts.
    pub fn new(config: UpstreamConfig, incarnation: Incarnation, seed: u64, now: Now) -> Self {
        let workers = Workers::new(config.worker_queue_bytes);
        let mut upstream = Self {
            config,
            incarnation,
            now,
            rng: ChaCha8Rng::seed_from_u64(seed),
            last_request: 0,
            routing: Routing::default(),
            links: BTreeMap::new(),
            interest: Interest::default(),
            unanswered: Unanswered::default(),
            requests: Requests::default(),
            presences: Presences::default(),
            workers,
            parked: Parked::default(),
            timers: Timers::default(),
            stats: None,
            counters: Counters::default(),
            out: VecDeque::new(),
        };
        upstream.redial();
        upstream.watch_isolation(now.instant);
        upstream
    }

    /// The life of the edge that its publish ids name.
    pub const fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// Takes what happened; outputs follow by [`Upstream::poll_output`].
    ///
    /// # Panics
    /// When [`Input::Sent`] or [`ToUpstream::Consumed`] gives back more than was taken.
    pub fn handle_input(&mut self, now: Now, input: Input) {
        self.now = now;
        let now = now.instant;
        match input {
            Input::WorkerAdded(worker) => self.on_worker_added(worker),
            Input::Worker { worker, message } => self.on_worker(now, worker, message),
            Input::LinkUp {
                link,
                address,
                node,
                incarnation,
            } => {
                self.on_link_up(
                    now,
                    link,
                    Link::new(&self.config, address, node, incarnation),
                );
            }
            Input::LinkDown { link } => self.on_link_down(now, link),
            Input::Frame { link, frame } => self.on_frame(now, link, frame),
            Input::Sent {
                link,
                stream,
                weight,
            } => self.on_sent(now, link, stream, weight),
            Input::Stats(stats) => self.on_stats(stats),
            Input::Goodbye => self.say_goodbye(),
        }
        self.flush_presence_changes();
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Now) {
        self.now = now;
        let now = now.instant;
        while let Some(timer) = self.timers.pop_due(now) {
            self.on_timer(now, timer);
        }
    }

    /// When to call [`Upstream::handle_timeout`], and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.timers.next()
    }

    /// The next output; to be drained after every `handle_*`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// What has happened since the start.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    fn on_worker_added(&mut self, worker: WorkerId) {
        self.workers.add(worker);
        if let Some(rules) = self.routing.rules.clone() {
            self.workers
                .tell(&mut self.out, worker, ToWorker::Rules(rules));
        }
        if self.routing.isolated {
            self.tell_isolated(worker);
        }
    }

    fn on_worker(&mut self, now: Instant, worker: WorkerId, message: ToUpstream) {
        if !self.workers.is_known(worker) {
            return;
        }
        if let ToUpstream::Consumed { weight } = message {
            self.on_consumed(worker, weight);
        } else if self.routing.rules.is_none() {
            self.park(now, worker, message);
        } else {
            self.on_request(now, worker, message);
        }
    }

    /// Takes what needs rules, which are there.
    fn on_request(&mut self, now: Instant, worker: WorkerId, message: ToUpstream) {
        match message {
            ToUpstream::Subscribe {
                ticket,
                deadline,
                channel,
                recover,
            } => {
                self.on_subscribe(now, Asker { worker, ticket }, deadline, channel, recover);
            }
            ToUpstream::Unsubscribe { channel } => self.on_unsubscribe(now, worker, &channel),
            ToUpstream::Publish {
                ticket,
                deadline,
                channel,
                key,
                skip_history,
                publication,
            } => {
                let asker = Asker { worker, ticket };
                let message = Message {
                    channel,
                    key,
                    skip_history,
                    publication,
                };
                self.on_publish(now, asker, deadline, message);
            }
            ToUpstream::History {
                ticket,
                deadline,
                channel,
                query,
                bytes_max,
            } => {
                self.on_history_wanted(
                    now,
                    Asker { worker, ticket },
                    deadline,
                    channel,
                    query,
                    bytes_max,
                );
            }
            ToUpstream::RemoveHistory {
                ticket,
                deadline,
                channel,
            } => {
                self.on_removal_wanted(now, Asker { worker, ticket }, deadline, channel);
            }
            ToUpstream::Presence {
                ticket,
                deadline,
                channel,
            } => {
                self.on_presence_wanted(now, Asker { worker, ticket }, deadline, channel);
            }
            ToUpstream::PresenceStats {
                ticket,
                deadline,
                channel,
            } => {
                self.on_presence_stats_wanted(now, Asker { worker, ticket }, deadline, channel);
            }
            ToUpstream::Info { ticket, deadline } => {
                self.on_info_wanted(now, Asker { worker, ticket }, deadline)
            }
            ToUpstream::Joined { channel, client } => {
                self.on_presence_change(channel, client, true)
            }
            ToUpstream::Left { channel, client } => self.on_presence_change(channel, client, false),
            ToUpstream::Consumed { weight } => self.on_consumed(worker, weight),
        }
    }

    fn on_timer(&mut self, now: Instant, timer: Timer) {
        match timer {
            Timer::Parked(number) => self.on_parked_expired(number),
            Timer::Publish(id) => self.on_publish_expired(now, id),
            Timer::Request(id) => self.on_request_expired(now, id),
            Timer::Waiter(channel, worker, ticket) => {
                self.on_waiter_expired(now, &channel, Asker { worker, ticket })
            }
            Timer::Retry(channel) => self.on_retry(now, &channel),
            Timer::Linger(channel) => self.on_linger_over(&channel),
            Timer::Hold(slot) => self.on_hold_over(now, slot),
            Timer::Positions(link, lane) => self.on_position_check(now, link, lane),
            Timer::Isolation => self.set_isolated(true),
        }
    }

    fn next_request(&mut self) -> RequestId {
        self.last_request += 1;
        RequestId(self.last_request)
    }

    /// A random duration between none and `whole`.
    fn random_part(&mut self, whole: std::time::Duration) -> std::time::Duration {
        whole.mul_f64(f64::from(self.rng.next_u32()) / f64::from(u32::MAX))
    }

    fn refuse(&mut self, asker: Asker, because: RefusedBecause) {
        self.workers.refuse(&mut self.out, asker, because);
    }
}
