//! How often each thing goes wrong.

use std::time::Duration;

use trunkline_shared::Instant;

use super::Fault;
use crate::dice::Dice;
use crate::scenario::CHANNELS;
use crate::scenario::people::SLOW;

/// Draws what goes wrong: some of everything, more of what costs little.
pub(in crate::scenario) fn faults(
    dice: &mut Dice,
    edges: usize,
    clients: usize,
    length: Duration,
) -> Vec<(Instant, Fault)> {
    let mut faults = flood(dice);
    faults.extend(draw(dice, MENU, (edges, clients), length));
    faults
}

/// Draws what goes wrong where there are several nodes.
pub(in crate::scenario) fn of_several(
    dice: &mut Dice,
    edges: usize,
    length: Duration,
) -> Vec<(Instant, Fault)> {
    draw(dice, MENU_OF_SEVERAL, (edges, 0), length)
}

fn draw(
    dice: &mut Dice,
    menu: &[(u64, u64, Make)],
    (edges, clients): (usize, usize),
    length: Duration,
) -> Vec<(Instant, Fault)> {
    let mut faults = Vec::new();
    let micros = u64::try_from(length.as_micros()).expect("some seconds");
    for (least, most, make) in menu {
        for _ in 0..dice.between(*least, *most) {
            let at = Instant::from_micros(dice.between(3_000_000, micros - 1_000_000));
            faults.push((at, make(dice, edges, clients)));
        }
    }
    faults
}

/// What fills every queue in every run, twice: everybody publishes while one client hardly reads.
fn flood(dice: &mut Dice) -> Vec<(Instant, Fault)> {
    let begin = dice.between(4_000, 7_000);
    let mut faults = Vec::new();
    for begin in [begin, begin + 8_000] {
        let at = |millis| Instant::from_micros((begin + millis) * 1_000);
        let lasts = dice.millis(6_000, 7_000);
        faults.push((
            at(0),
            Fault::Slow {
                client: SLOW,
                lasts,
            },
        ));
        for number in 0..8 {
            let channel = FLOODED[usize::from(number % 2 == 1)];
            let messages = dice.between(6, 12);
            faults.push((at(200 + 700 * number), Fault::Crowd { channel, messages }));
        }
    }
    faults
}

/// Channels that everybody publishes to at once.
const FLOODED: [usize; 2] = [4, 5];

/// A multiple of every number of nodes.
const NODES: usize = 12;

type Make = fn(&mut Dice, usize, usize) -> Fault;

const MENU: &[(u64, u64, Make)] = &[
    (1, 3, |dice, edges, _| Fault::HalfOpen {
        edge: dice.index(edges),
        node: dice.index(NODES),
        edge_first: dice.permille(500),
    }),
    (0, 2, |dice, edges, _| Fault::Freeze {
        edge: dice.index(edges),
        node: dice.index(NODES),
        lasts: dice.millis(200, 6_000),
    }),
    (0, 2, |dice, _, _| Fault::NodeCrash {
        node: dice.index(NODES),
        lasts: dice.millis(50, 3_000),
        reset: dice.permille(700),
    }),
    (0, 1, |dice, edges, _| Fault::EdgeCrash {
        edge: dice.index(edges),
        lasts: dice.millis(100, 3_000),
        goodbye: dice.permille(300),
    }),
    (0, 2, |dice, _, _| Fault::StoreAway {
        lasts: dice.millis(100, 5_000),
    }),
    (1, 3, |dice, _, _| Fault::Unknown {
        calls: dice.between(1, 3),
    }),
    (0, 2, |_, _, _| Fault::FailOver),
    (0, 1, |dice, _, _| Fault::ForeignClaim {
        new_epochs: dice.permille(300),
    }),
    (3, 5, |dice, _, _| Fault::Crowd {
        channel: dice.index(CHANNELS.len() - 1),
        messages: dice.between(5, 15),
    }),
    (3, 6, |dice, _, clients| Fault::Storm {
        client: dice.index(clients),
        channel: dice.index(CHANNELS.len()),
        messages: dice.between(20, 80),
    }),
    (1, 5, |dice, edges, clients| Fault::Drop {
        client: dice.index(clients),
        edge: dice.index(edges),
        silent: dice.permille(300),
    }),
    (1, 3, |dice, _, clients| Fault::Slow {
        client: dice.index(clients),
        lasts: dice.millis(2_000, 10_000),
    }),
    (0, 3, |dice, _, clients| Fault::Leave {
        client: dice.index(clients),
        channel: dice.index(CHANNELS.len()),
        lasts: dice.millis(0, 3_000),
    }),
    (1, 4, |dice, edges, _| Fault::RemoveHistory {
        edge: dice.index(edges),
        channel: dice.index(CHANNELS.len() - 1),
    }),
];

const MENU_OF_SEVERAL: &[(u64, u64, Make)] = &[
    (0, 1, |dice, _, _| Fault::AllCrash {
        lasts: dice.millis(50, 2_000),
    }),
    (0, 2, |dice, _, _| Fault::NodeLeave {
        node: dice.index(NODES),
        both: dice.permille(300),
        lasts: dice.millis(50, 4_000),
    }),
    (0, 2, |dice, _, _| Fault::NodeCrash {
        node: dice.index(NODES),
        lasts: dice.millis(50, 5_000),
        reset: dice.permille(500),
    }),
    (0, 2, |dice, _, _| Fault::Zombie {
        node: dice.index(NODES),
        lasts: dice.millis(1_000, 6_000),
    }),
    (0, 2, |dice, _, _| Fault::StoreCut {
        node: dice.index(NODES),
        but_members: dice.permille(500),
        lasts: dice.millis(500, 6_000),
    }),
    (0, 1, |dice, _, _| Fault::SlowHeartbeats {
        node: dice.index(NODES),
        lasts: dice.millis(2_000, 6_000),
    }),
    (0, 1, |dice, edges, _| Fault::EdgesCut {
        node: dice.index(NODES),
        edges: dice.index(edges),
        lasts: dice.millis(500, 8_000),
    }),
];
