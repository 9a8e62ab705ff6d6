//! What goes wrong in a run, and when.

use std::time::Duration;

use trunkline_shared::Instant;

use super::CHANNELS;
use super::people::SLOW;
use crate::dice::Dice;

/// One thing that goes wrong, or merely happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An edge's link breaks; one side sees it at once, the other after the idle time-out.
    HalfOpen {
        /// Whose link.
        edge: usize,
        /// The edge sees it at once.
        edge_first: bool,
    },
    /// Nothing passes between an edge and the node for a while.
    Freeze {
        /// Whose link.
        edge: usize,
        /// For how long.
        lasts: Duration,
    },
    /// The backbone process dies and comes back.
    NodeCrash {
        /// For how long it is gone.
        lasts: Duration,
        /// Edges see their links end at once.
        reset: bool,
    },
    /// An edge dies and comes back.
    EdgeCrash {
        /// Which edge.
        edge: usize,
        /// For how long it is gone.
        lasts: Duration,
        /// It said goodbye before.
        goodbye: bool,
    },
    /// The store can't be reached.
    StoreAway {
        /// For how long.
        lasts: Duration,
    },
    /// The next append calls stay without an outcome.
    Unknown {
        /// How many.
        calls: u64,
    },
    /// The node changes the view's version and claims its slots under it.
    NewView,
    /// Somebody else claims all slots, as `store new-epoch` does.
    ForeignClaim {
        /// With new epochs.
        new_epochs: bool,
    },
    /// A client publishes many messages at once.
    Storm {
        /// Which client.
        client: usize,
        /// Which channel.
        channel: usize,
        /// How many.
        messages: u64,
    },
    /// All clients publish at once to one channel.
    Crowd {
        /// Which channel.
        channel: usize,
        /// How many messages each.
        messages: u64,
    },
    /// A client's connection breaks.
    Drop {
        /// Which client.
        client: usize,
        /// Where it comes back.
        edge: usize,
        /// The edge isn't told.
        silent: bool,
    },
    /// A client reads slowly for a while.
    Slow {
        /// Which client.
        client: usize,
        /// For how long.
        lasts: Duration,
    },
    /// A client ends a subscription and comes back to it.
    Leave {
        /// Which client.
        client: usize,
        /// Which channel.
        channel: usize,
        /// After how long it is back.
        lasts: Duration,
    },
    /// A channel's history is removed through the server API.
    RemoveHistory {
        /// At which edge.
        edge: usize,
        /// Which channel.
        channel: usize,
    },
}

/// Draws what goes wrong: some of everything, more of what costs little.
pub(crate) fn faults(
    dice: &mut Dice,
    edges: usize,
    clients: usize,
    length: Duration,
) -> Vec<(Instant, Fault)> {
    let mut faults = flood(dice);
    let micros = u64::try_from(length.as_micros()).expect("some seconds");
    for (least, most, make) in MENU {
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

type Make = fn(&mut Dice, usize, usize) -> Fault;

const MENU: &[(u64, u64, Make)] = &[
    (1, 3, |dice, edges, _| Fault::HalfOpen {
        edge: dice.index(edges),
        edge_first: dice.permille(500),
    }),
    (0, 2, |dice, edges, _| Fault::Freeze {
        edge: dice.index(edges),
        lasts: dice.millis(200, 6_000),
    }),
    (0, 2, |dice, _, _| Fault::NodeCrash {
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
    (0, 2, |_, _, _| Fault::NewView),
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
