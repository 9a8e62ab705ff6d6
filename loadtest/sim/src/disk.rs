//! The message store as nodes meet it: requests take time, calls fail, outcomes stay unknown, crashes lose what wasn't
//! synced, and each node has connections of its own that can be cut.

mod death;
mod fate;
mod later;
mod members;
mod planted;
mod witness;
mod writer;

use std::collections::BTreeMap;
use std::time::Duration;

use trunkline_backbone_core::io::{PartOutcome, StoreAnswer, StoreRequest};
use trunkline_backbone_core::membership::io::StoreIdentity;
use trunkline_shared::{Instant, Slot, UnixMillis};
use trunkline_store_core::memory::AppendTicket;
use trunkline_store_core::{
    ClaimError, FloorRequest, Generation, MemoryState, SlotPart, StoreError,
};

use crate::dice::Dice;
use crate::plant::Plant;
use crate::scenario::Tuning;
pub(crate) use later::{Asker, Later, Member};
pub(crate) use witness::{Committed, Witness};
use writer::{Call, Writer};

/// An append of which nobody knows.
#[derive(Debug)]
struct Hanging {
    ticket: AppendTicket,
    parts: Vec<(Asker, SlotPart)>,
}

/// The store.
#[derive(Debug)]
pub(crate) struct Disk {
    state: MemoryState,
    timeline: u32,
    /// One for each node, and one for others.
    writers: Vec<Writer>,
    hanging: Vec<Hanging>,
    unknown_calls: u64,
    dice: Dice,
    plant: Option<Plant>,
    generations: BTreeMap<Slot, Generation>,
    zombies: Vec<(Asker, SlotPart)>,
    old: Option<(Instant, MemoryState)>,
    before_claim: Option<MemoryState>,
    missed: Vec<planted::Missed>,
    witness: Witness,
    later: Vec<(Duration, Later)>,
}

impl Disk {
    /// Makes an empty store for some nodes.
    pub(crate) fn new(
        mut dice: Dice,
        birth: UnixMillis,
        nodes: usize,
        plant: Option<Plant>,
    ) -> Self {
        Self {
            state: MemoryState::new(dice.seed(), birth),
            timeline: 0,
            writers: (0..=nodes).map(|_| Writer::default()).collect(),
            hanging: Vec::new(),
            unknown_calls: 0,
            dice,
            plant,
            generations: BTreeMap::new(),
            zombies: Vec::new(),
            old: None,
            before_claim: None,
            missed: Vec::new(),
            witness: Witness::default(),
            later: Vec::new(),
        }
    }

    /// What is in it, for reading back.
    pub(crate) const fn state(&self) -> &MemoryState {
        &self.state
    }

    /// What leads the versions of its views.
    pub(crate) const fn identity(&self) -> StoreIdentity {
        StoreIdentity {
            birth: self.state.birth(),
            timeline: self.timeline,
        }
    }

    /// Another server serves it from now on, and nothing is lost.
    pub(crate) const fn fail_over(&mut self) {
        self.timeline += 1;
    }

    /// What it has granted and taken.
    pub(crate) const fn witness(&self) -> &Witness {
        &self.witness
    }

    /// Whether an asker can't reach it.
    pub(crate) fn is_away(&self, now: Instant, asker: Asker) -> bool {
        self.is_away_for(now, self.writer_of(asker))
    }

    fn is_away_for(&self, now: Instant, writer: usize) -> bool {
        now < self.writers[writer].away_until
    }

    /// Can't be reached by what appends and claims for a node until then.
    pub(crate) fn go_away(&mut self, node: usize, until: Instant) {
        let away_until = &mut self.writers[node].away_until;
        *away_until = until.max(*away_until);
    }

    /// Can't be reached by a node's membership until then.
    pub(crate) fn go_away_for_member(&mut self, node: usize, until: Instant) {
        let away_until = &mut self.writers[node].member_away_until;
        *away_until = until.max(*away_until);
    }

    /// Can't be reached by anybody until then.
    pub(crate) fn go_away_for_all(&mut self, until: Instant) {
        for writer in 0..self.writers.len() {
            self.go_away(writer, until);
            self.go_away_for_member(writer, until);
        }
    }

    /// A node's membership is answered slowly until then.
    pub(crate) fn slow_members(&mut self, node: usize, until: Instant) {
        self.writers[node].slow_until = until;
    }

    /// Can be reached, and no outcome stays unknown any more.
    pub(crate) fn heal(&mut self) {
        for writer in &mut self.writers {
            writer.away_until = Instant::ZERO;
            writer.member_away_until = Instant::ZERO;
            writer.slow_until = Instant::ZERO;
        }
        self.unknown_calls = 0;
    }

    /// The next calls stay without an outcome.
    pub(crate) const fn lose_outcomes(&mut self, calls: u64) {
        self.unknown_calls += calls;
    }

    fn writer_of(&self, asker: Asker) -> usize {
        match asker {
            Asker::Shard { node, .. } => node,
            Asker::Foreign => self.writers.len() - 1,
        }
    }

    /// Takes a request; what happens later is in [`Disk::take_later`].
    pub(crate) fn ask(
        &mut self,
        now: Instant,
        tuning: &Tuning,
        asker: Asker,
        request: StoreRequest,
    ) {
        let writer = self.writer_of(asker);
        let queue = &mut self.writers[writer].queue;
        match request {
            StoreRequest::Append(part) => queue.push_back(Call::Append(asker, part)),
            StoreRequest::Claim(claim) => queue.push_back(Call::Claim(asker, claim)),
            StoreRequest::Heads(_) | StoreRequest::Range(_) | StoreRequest::Find(_) => {
                return self.read_later(now, tuning, asker, request);
            }
            StoreRequest::RaiseFloor(raise) => {
                return self.raise_floor_later(now, tuning, asker, raise);
            }
        }
        self.begin(now, tuning, writer);
    }

    /// Takes what it will do later, with the time until then.
    pub(crate) fn take_later(&mut self) -> Vec<(Duration, Later)> {
        std::mem::take(&mut self.later)
    }

    /// Reads for an answer.
    pub(crate) fn read(&mut self, request: &StoreRequest) -> StoreAnswer {
        match request {
            StoreRequest::Heads(channels) => {
                let heads = self.state.heads_now(channels);
                StoreAnswer::Heads(Ok(self.tamper_heads(heads)))
            }
            StoreRequest::Range(range) => StoreAnswer::Range(Ok(self.state.range_now(range))),
            StoreRequest::Find(request) => StoreAnswer::Found(Ok(self.tampered_find(request))),
            StoreRequest::Append(_) | StoreRequest::Claim(_) | StoreRequest::RaiseFloor(_) => {
                unreachable!("writes go their own ways")
            }
        }
    }

    fn read_later(&mut self, now: Instant, tuning: &Tuning, asker: Asker, request: StoreRequest) {
        let delay = self.delay(tuning);
        let later = if self.is_away(now, asker) {
            Later::Answer(asker, away(&request))
        } else if self.dice.permille(500) {
            Later::Read(asker, request)
        } else {
            let answer = self.read(&request);
            Later::Answer(asker, answer)
        };
        self.later.push((delay, later));
    }

    fn raise_floor_later(
        &mut self,
        now: Instant,
        tuning: &Tuning,
        asker: Asker,
        raise: FloorRequest,
    ) {
        let delay = self.delay(tuning);
        let later = if self.is_away(now, asker) {
            Later::Answer(asker, away(&StoreRequest::RaiseFloor(raise)))
        } else {
            let told = !self.dice.permille(tuning.unknown);
            Later::RaiseFloor { asker, raise, told }
        };
        self.later.push((delay, later));
    }

    /// Raises a floor for an answer.
    pub(crate) fn raise_floor(&mut self, raise: FloorRequest, told: bool) -> StoreAnswer {
        let lost = away(&StoreRequest::RaiseFloor(raise.clone()));
        let raised = StoreAnswer::FloorRaised(self.tampered_floor(raise));
        if told { raised } else { lost }
    }

    fn delay(&mut self, tuning: &Tuning) -> Duration {
        self.dice.micros(tuning.store_delay.0, tuning.store_delay.1)
    }
}

fn away(request: &StoreRequest) -> StoreAnswer {
    let error = StoreError::Away("by the scenario".to_owned());
    match request {
        StoreRequest::Append(_) => StoreAnswer::Appended(PartOutcome::Failed(error)),
        StoreRequest::Claim(_) => StoreAnswer::Claimed(Err(ClaimError::Store(error))),
        StoreRequest::Heads(_) => StoreAnswer::Heads(Err(error)),
        StoreRequest::Range(_) => StoreAnswer::Range(Err(error)),
        StoreRequest::Find(_) => StoreAnswer::Found(Err(error)),
        StoreRequest::RaiseFloor(_) => StoreAnswer::FloorRaised(Err(error.into())),
    }
}
