//! Who uses the mesh in a run.

use std::time::Duration;

use trunkline_protocol::Encoding;

use trunkline_shared::rules::Class;

use super::CHANNELS;
use crate::dice::Dice;

/// What one client does all day.
#[derive(Clone, Debug)]
pub(crate) struct ClientPlan {
    /// The edge where it begins.
    pub(crate) edge: usize,
    /// How it speaks.
    pub(crate) encoding: Encoding,
    /// Channels that it listens to.
    pub(crate) listens: Vec<usize>,
    /// Channels that it publishes to.
    pub(crate) publishes: Vec<usize>,
    /// Time between two publishes, on average.
    pub(crate) pace: Duration,
    /// Publishes that it has unanswered at most.
    pub(crate) window: usize,
    /// Bytes of ballast in each message at most.
    pub(crate) ballast: u64,
    /// Whether it reads slowly now and then.
    pub(crate) slow: bool,
}

/// What a publisher does that gives its messages idempotency keys.
#[derive(Clone, Debug)]
pub(crate) struct PublisherPlan {
    /// Edges of the run.
    pub(crate) edges: usize,
    /// Clients of the run.
    pub(crate) clients: usize,
    /// Two channels that it publishes to in turn.
    pub(crate) channels: [usize; 2],
    /// Time between two messages, on average.
    pub(crate) pace: Duration,
    /// Messages that it works on at most.
    pub(crate) window: usize,
    /// Messages out of a thousand that are sent by two roads at once.
    pub(crate) at_once: u64,
    /// Messages out of a thousand whose key is used again after they were acknowledged.
    pub(crate) again: u64,
}

/// The client that reads slowly in every run.
pub(super) const SLOW: usize = 1;

/// Draws the clients of a run; the first two listen to everything, the first one never reads slowly.
pub(crate) fn clients(dice: &mut Dice, edges: usize) -> Vec<ClientPlan> {
    let count = usize::try_from(dice.between(5, 9)).expect("small");
    (0..count)
        .map(|number| client(dice, edges, number))
        .collect()
}

fn client(dice: &mut Dice, edges: usize, number: usize) -> ClientPlan {
    let all = 0..CHANNELS.len();
    let listens = all
        .clone()
        .filter(|_| number <= SLOW || dice.permille(600))
        .collect();
    let publishes: Vec<usize> = all.filter(|_| dice.permille(500)).collect();
    ClientPlan {
        edge: dice.index(edges),
        encoding: dice.pick(&Encoding::ALL),
        listens,
        publishes: if publishes.is_empty() {
            vec![0]
        } else {
            publishes
        },
        pace: dice.millis(80, 600),
        window: usize::try_from(dice.pick(&[1, 1, 4, 16])).expect("small"),
        ballast: dice.pick(&[0, 100, 600, 1500]),
        slow: number == SLOW || (number > 0 && dice.permille(300)),
    }
}

/// Draws the publishers of a run that use keys: few, and not hasty, so that most publishes are plain ones.
pub(crate) fn publishers(dice: &mut Dice, edges: usize, clients: usize) -> Vec<PublisherPlan> {
    (0..dice.between(1, 2))
        .map(|_| publisher(dice, edges, clients))
        .collect()
}

/// A publisher whose keys count: in channels where messages are numbered.
fn publisher(dice: &mut Dice, edges: usize, clients: usize) -> PublisherPlan {
    let is_numbered = |channel: &usize| CHANNELS[*channel].class != Class::Ephemeral;
    let mut numbered: Vec<usize> = (0..CHANNELS.len()).filter(is_numbered).collect();
    let first = numbered.swap_remove(dice.index(numbered.len()));
    PublisherPlan {
        edges,
        clients,
        channels: [first, dice.pick(&numbered)],
        pace: dice.millis(200, 1_000),
        window: usize::try_from(dice.between(2, 8)).expect("small"),
        at_once: dice.between(0, 400),
        again: dice.between(0, 400),
    }
}
