//! Who uses the mesh in a run.

use std::time::Duration;

use trunkline_protocol::Encoding;

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
