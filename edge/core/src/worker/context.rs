//! What all sessions of a worker share: settings, rules, timers, tables and the way out.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rand::Rng as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use smol_str::SmolStr;
use trunkline_shared::rules::Rules;
use trunkline_shared::{Channel, Instant, Now};

use super::config::ClientConfig;
use super::plan::Plan;
use super::stats::Counters;
use super::subscribers::Subscribers;
use super::timers::Timers;
use super::{ConnId, Output, Refusal};
use crate::auth::TokenVerifier;
use crate::exchange::{Ticket, ToUpstream};

/// A command that was asked upstream.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) conn: ConnId,
    /// The command's id.
    pub(super) id: u32,
    pub(super) channel: Channel,
    pub(super) asked: Asked,
}

/// What was asked, as far as the answer's reader must know.
#[derive(Debug)]
pub(super) enum Asked {
    Subscribe(Box<Plan>),
    Publish,
    /// A publish by rpc, whose answer says where it stands.
    RpcPublish,
    /// With the epoch that the client wants; empty for any.
    History(String),
    Presence,
    PresenceStats,
}

impl Pending {
    /// Whether a subscription follows from the answer.
    pub(super) const fn is_subscribe(&self) -> bool {
        matches!(self.asked, Asked::Subscribe(_))
    }
}

/// What all sessions of a worker share.
pub(super) struct Context {
    pub(super) config: ClientConfig,
    pub(super) verifier: TokenVerifier,
    /// The newest rules; none until the first have come.
    pub(super) rules: Option<Arc<Rules>>,
    pub(super) timers: Timers,
    pub(super) subscribers: Subscribers,
    pub(super) pending: BTreeMap<Ticket, Pending>,
    pub(super) outputs: VecDeque<Output>,
    /// Sessions whose outbox has something new, each once.
    pub(super) dirty: VecDeque<ConnId>,
    pub(super) counters: Counters,
    /// Connections of each user.
    pub(super) users: BTreeMap<SmolStr, usize>,
    random: ChaCha8Rng,
    next_ticket: u64,
}

impl Context {
    /// Makes the context of a worker without sessions.
    pub(super) fn new(config: ClientConfig, seed: [u8; 32]) -> Self {
        Self {
            verifier: TokenVerifier::new(&config.token.hmac_secret_key),
            config,
            rules: None,
            timers: Timers::default(),
            subscribers: Subscribers::default(),
            pending: BTreeMap::new(),
            outputs: VecDeque::new(),
            dirty: VecDeque::new(),
            counters: Counters::default(),
            users: BTreeMap::new(),
            random: ChaCha8Rng::from_seed(seed),
            next_ticket: 0,
        }
    }

    /// Tells that a client was refused something.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.outputs.push_back(Output::Refused(refusal));
    }

    /// Says something upstream.
    pub(super) fn send(&mut self, message: ToUpstream) {
        self.outputs.push_back(Output::Upstream(message));
    }

    /// Opens a ticket for a command.
    pub(super) fn ask(&mut self, pending: Pending) -> Ticket {
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        self.pending.insert(ticket, pending);
        ticket
    }

    /// When a command that came now is answered at the latest.
    pub(super) fn deadline(&self, now: Now) -> Instant {
        now.instant + self.config.command_deadline
    }

    /// Tells upstream, if it must know, that nobody here has or wants the channel.
    pub(super) fn release(&mut self, channel: &Channel) {
        if self.subscribers.release(channel) {
            self.send(ToUpstream::Unsubscribe {
                channel: channel.clone(),
            });
        }
    }

    /// Gives back room in the queue from upstream; what follows each other is said as one.
    pub(super) fn consumed(&mut self, weight: usize) {
        if let Some(Output::Upstream(ToUpstream::Consumed { weight: said })) =
            self.outputs.back_mut()
        {
            *said += weight;
        } else {
            self.send(ToUpstream::Consumed { weight });
        }
    }

    /// A random time below `end`; zero if that is zero.
    pub(super) fn random_below(&mut self, end: Duration) -> Duration {
        let micros = u64::try_from(end.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(if micros == 0 {
            0
        } else {
            self.random.random_range(0..micros)
        })
    }

    /// A fresh connection id, a UUID version 4.
    pub(super) fn client_id(&mut self) -> SmolStr {
        let uuid = uuid::Builder::from_random_bytes(self.random.random()).into_uuid();
        SmolStr::new(
            uuid.hyphenated()
                .encode_lower(&mut uuid::Uuid::encode_buffer()),
        )
    }
}
