//! Publishers that give each message an idempotency key: they try again, by whichever road, until it is acknowledged, and
//! sometimes use a key twice on purpose.

use std::collections::BTreeMap;

use trunkline_shared::Instant;
use trunkline_shared::limits::IDEMPOTENCY_KEY_TTL;

use crate::dice::Dice;
use crate::record::Label;
use crate::scenario::PublisherPlan;

/// Tries of one message at most.
const TRIES: u32 = 6;

/// Milliseconds for which a publisher waits for an answer at most.
const PATIENCE_MAX: u64 = 5_000;

/// Milliseconds after an acknowledgement until its key is used again, at most.
const AGAIN_MAX: u64 = 8_000;

// Keys count for five minutes: no try may come after them.
const _: () =
    assert!((TRIES as u128 * (PATIENCE_MAX + AGAIN_MAX) as u128) < IDEMPOTENCY_KEY_TTL.as_millis());

/// The first publisher's number in labels; below it are clients.
const FIRST: u32 = 100;

/// How a message reaches the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Road {
    /// The server API of an edge.
    Api {
        /// Which edge.
        edge: usize,
    },
    /// The rpc `publish` of a client that is connected.
    Rpc {
        /// Which client.
        client: usize,
    },
}

/// One try to publish a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    /// What the message says; its key is made of it.
    pub(crate) label: Label,
    /// Where to.
    pub(crate) channel: usize,
    /// Bytes of ballast in it.
    pub(crate) ballast: usize,
    /// By which way.
    pub(crate) road: Road,
}

/// A message that is still worked on.
#[derive(Debug)]
struct Message {
    channel: usize,
    ballast: usize,
    tries: u32,
    next: Instant,
    acked: bool,
    /// Its key is used once more after it was acknowledged.
    again: bool,
}

/// One publisher.
#[derive(Debug)]
pub(crate) struct Publisher {
    /// Whether it begins new messages.
    pub(crate) busy: bool,
    /// When it will be woken.
    pub(crate) armed: Option<Instant>,
    number: u32,
    plan: PublisherPlan,
    messages: BTreeMap<u32, Message>,
    sequence: u32,
    next_message: Instant,
    dice: Dice,
}

impl Publisher {
    /// Makes a publisher that begins soon.
    pub(crate) fn new(place: usize, plan: PublisherPlan, mut dice: Dice) -> Self {
        Self {
            busy: true,
            armed: None,
            number: FIRST + u32::try_from(place).expect("few publishers"),
            messages: BTreeMap::new(),
            sequence: 0,
            next_message: Instant::ZERO + dice.millis(500, 2_500),
            plan,
            dice,
        }
    }

    /// The place of the publisher of a message.
    pub(crate) fn place_of(label: Label) -> usize {
        usize::try_from(label.publisher - FIRST).expect("few publishers")
    }

    /// When it wants to be woken; `None` for never.
    pub(crate) fn wake(&self) -> Option<Instant> {
        let message = self.busy.then_some(self.next_message);
        let tries = self.messages.values().map(|message| message.next);
        tries.chain(message).min()
    }

    /// Takes the tries that are due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Vec<Attempt> {
        let is_over = |message: &Message| message.tries == TRIES || message.acked && !message.again;
        self.messages
            .retain(|_, message| message.next > now || !is_over(message));
        let is_due = |(_, message): &(&u32, &Message)| message.next <= now;
        let due = self.messages.iter().filter(is_due);
        let due: Vec<u32> = due.map(|(sequence, _)| *sequence).collect();
        let mut attempts = Vec::new();
        for sequence in due {
            let road = self.road();
            attempts.push(self.attempt(now, sequence, road));
        }
        if self.busy && self.next_message <= now {
            let pace = u64::try_from(self.plan.pace.as_millis()).expect("some seconds");
            self.next_message = now + self.dice.millis(pace / 4, pace * 2);
            self.begin_message(now, &mut attempts);
        }
        attempts
    }

    /// A message was acknowledged.
    pub(crate) fn on_acked(&mut self, now: Instant, label: Label) {
        if let Some(message) = self.messages.get_mut(&label.sequence)
            && !std::mem::replace(&mut message.acked, true)
        {
            message.next = now;
            if message.again {
                message.next = now + self.dice.millis(50, AGAIN_MAX);
            }
        }
    }

    /// A try failed, as far as its publisher knows.
    pub(crate) fn on_failed(&mut self, now: Instant, label: Label) {
        if let Some(message) = self.messages.get_mut(&label.sequence)
            && !message.acked
        {
            let pause = self.dice.millis(20, 100 << message.tries.min(5));
            message.next = message.next.min(now + pause);
        }
    }

    fn begin_message(&mut self, now: Instant, attempts: &mut Vec<Attempt>) {
        if self.messages.len() >= self.plan.window {
            return;
        }
        self.sequence += 1;
        let message = Message {
            channel: self.plan.channels[usize::from(self.sequence % 2 == 1)],
            ballast: self.dice.index(400),
            tries: 0,
            next: now,
            acked: false,
            again: self.dice.permille(self.plan.again),
        };
        self.messages.insert(self.sequence, message);
        let road = self.road();
        attempts.push(self.attempt(now, self.sequence, road));
        if self.dice.permille(self.plan.at_once) {
            let other = self.other_road(road);
            attempts.push(self.attempt(now, self.sequence, other));
        }
    }

    fn attempt(&mut self, now: Instant, sequence: u32, road: Road) -> Attempt {
        let patience = self.dice.millis(400, PATIENCE_MAX);
        let message = self
            .messages
            .get_mut(&sequence)
            .expect("a message that is tried is worked on");
        message.tries += 1;
        message.next = now + patience;
        // What was acknowledged is tried again once.
        message.again &= !message.acked;
        Attempt {
            label: Label {
                publisher: self.number,
                sequence,
            },
            channel: message.channel,
            ballast: message.ballast,
            road,
        }
    }

    fn road(&mut self) -> Road {
        if self.dice.permille(500) {
            let edge = self.dice.index(self.plan.edges);
            Road::Api { edge }
        } else {
            let client = self.dice.index(self.plan.clients);
            Road::Rpc { client }
        }
    }

    /// Another edge's API, or that of any edge beside a client's connection.
    fn other_road(&mut self, road: Road) -> Road {
        let edges = self.plan.edges;
        let edge = match road {
            Road::Api { edge } => (edge + 1) % edges,
            Road::Rpc { .. } => self.dice.index(edges),
        };
        Road::Api { edge }
    }
}
