//! What a seed stands for: the mesh's shape, its sizes, its clients, and what goes wrong when.

mod channels;
mod fault;
mod people;
mod tuning;

use std::time::Duration;

use trunkline_shared::{Instant, Slot};

pub(crate) use channels::{CHANNELS, rules};
pub(crate) use fault::Fault;
pub(crate) use people::{ClientPlan, PublisherPlan};
pub(crate) use tuning::Tuning;

use crate::dice::Dice;

/// Everything that a seed decides before the run begins.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    /// When each node begins.
    pub(crate) nodes: Vec<Duration>,
    /// The slot of each channel.
    pub(crate) slots: Vec<Slot>,
    /// Workers of each edge.
    pub(crate) edges: Vec<u16>,
    /// Who uses the mesh.
    pub(crate) clients: Vec<ClientPlan>,
    /// Who publishes with idempotency keys.
    pub(crate) publishers: Vec<PublisherPlan>,
    /// What goes wrong, and when.
    pub(crate) faults: Vec<(Instant, Fault)>,
    /// Sizes, delays and odds.
    pub(crate) tuning: Tuning,
    /// Whether every frame goes through its bytes.
    pub(crate) codec: bool,
    /// When the trouble ends and everything may heal.
    pub(crate) calm: Instant,
}

/// When a first message goes to every channel: what the store did behind the owner's back shows at the next append.
pub(crate) const WARMING: Duration = Duration::from_secs(10);

/// How long everything may take to heal: position checks (25 s and jitter), a dead edge's lease (10 s) and the 30 s until
/// its connections leave presence.
pub(crate) const HEALING: Duration = Duration::from_secs(70);

/// How long a last message to every channel may take.
pub(crate) const PROBING: Duration = Duration::from_secs(16);

impl Scenario {
    /// Makes the scenario of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 1);
        let length = dice.millis(20_000, 40_000);
        let count = dice.between(2, 3);
        let edges: Vec<u16> = (0..count)
            .map(|_| if dice.permille(500) { 2 } else { 1 })
            .collect();
        let clients = people::clients(&mut dice, edges.len());
        let nodes = nodes(&mut dice);
        let mut faults = fault::faults(&mut dice, edges.len(), clients.len(), length);
        if nodes.len() > 1 {
            faults.extend(fault::of_several(&mut dice, edges.len(), length));
        }
        let tuning = Tuning::new(&mut dice);
        let codec = dice.permille(200);
        let publishers = people::publishers(&mut dice, edges.len(), clients.len());
        Self {
            nodes,
            slots: channels::slots(),
            edges,
            clients,
            publishers,
            faults,
            tuning,
            codec,
            calm: Instant::ZERO + length,
        }
    }
}

/// Draws when nodes begin: one alone as often as several; of several, most with the first, and some while all is under way.
fn nodes(dice: &mut Dice) -> Vec<Duration> {
    let count = dice.pick(&[1, 1, 2, 2, 3, 3, 4]);
    let begin = |number: u64, dice: &mut Dice| {
        if number == 0 || dice.permille(600) {
            dice.millis(0, 50)
        } else {
            dice.millis(2_000, 15_000)
        }
    };
    (0..count).map(|number| begin(number, dice)).collect()
}
