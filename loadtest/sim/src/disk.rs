//! The message store as a node meets it: requests take time, calls fail, outcomes stay unknown, crashes lose what wasn't
//! synced.

mod fate;
mod planted;
mod writer;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use trunkline_backbone_core::io::{PartOutcome, StoreAnswer, StoreRequest, StoreTicket};
use trunkline_shared::{Instant, RingView, Slot, UnixMillis};
use trunkline_store_core::memory::AppendTicket;
use trunkline_store_core::{
    ClaimError, ClaimRequest, FloorRequest, Generation, MemoryState, SlotPart, StoreError,
    ViewChange,
};

use crate::coverage::Coverage;
use crate::dice::Dice;
use crate::plant::Plant;
use crate::scenario::Tuning;

/// Who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// A shard of the node's life.
    Shard {
        /// Which life.
        life: u64,
        /// Which shard.
        shard: usize,
        /// Its number for the request.
        ticket: StoreTicket,
    },
    /// Somebody else, who doesn't wait for the answer.
    Foreign,
}

/// Something that the store will do later.
#[derive(Debug)]
pub(crate) enum Later {
    /// Gives an answer that is known already.
    Answer(Asker, StoreAnswer),
    /// Reads, and answers.
    Read(Asker, StoreRequest),
    /// Raises a floor; tells what came of it, or only that nobody knows.
    RaiseFloor {
        asker: Asker,
        raise: FloorRequest,
        told: bool,
    },
    /// Ends the call of this number, unless it died with its process.
    Work(u64),
    /// Ends appends whose outcome stayed unknown.
    Settle,
}

#[derive(Debug)]
enum Call {
    Append(Asker, SlotPart),
    Claim(Asker, ClaimRequest),
}

#[derive(Debug)]
enum Current {
    Append(AppendTicket, Vec<(Asker, SlotPart)>),
    Claim(Asker, ClaimRequest),
}

/// The store.
#[derive(Debug)]
pub(crate) struct Disk {
    state: MemoryState,
    queue: VecDeque<Call>,
    current: Option<Current>,
    calls: u64,
    hanging: Vec<AppendTicket>,
    away_until: Instant,
    unknown_calls: u64,
    dice: Dice,
    plant: Option<Plant>,
    generations: BTreeMap<Slot, Generation>,
    zombies: Vec<SlotPart>,
    old: Option<(Instant, MemoryState)>,
    before_claim: Option<MemoryState>,
    missed: Vec<planted::Missed>,
    later: Vec<(Duration, Later)>,
}

impl Disk {
    /// Makes an empty store.
    pub(crate) fn new(mut dice: Dice, birth: UnixMillis, plant: Option<Plant>) -> Self {
        Self {
            state: MemoryState::new(dice.seed(), birth),
            queue: VecDeque::new(),
            current: None,
            calls: 0,
            hanging: Vec::new(),
            away_until: Instant::ZERO,
            unknown_calls: 0,
            dice,
            plant,
            generations: BTreeMap::new(),
            zombies: Vec::new(),
            old: None,
            before_claim: None,
            missed: Vec::new(),
            later: Vec::new(),
        }
    }

    /// What is in it, for reading back.
    pub(crate) const fn state(&self) -> &MemoryState {
        &self.state
    }

    /// Whether it can't be reached.
    pub(crate) fn is_away(&self, now: Instant) -> bool {
        now < self.away_until
    }

    /// Can't be reached until then.
    pub(crate) fn go_away(&mut self, until: Instant) {
        self.away_until = self.away_until.max(until);
    }

    /// Can be reached, and no outcome stays unknown any more.
    pub(crate) fn heal(&mut self) {
        self.away_until = Instant::ZERO;
        self.unknown_calls = 0;
    }

    /// The next calls stay without an outcome.
    pub(crate) fn lose_outcomes(&mut self, calls: u64) {
        self.unknown_calls += calls;
    }

    /// Replaces the view; false when the store is away.
    pub(crate) fn change_view(&mut self, now: Instant, view: RingView) -> bool {
        let expected = self.state.view_now().map(|view| view.version);
        let rules = None;
        let change = ViewChange {
            expected,
            view,
            rules,
        };
        !self.is_away(now) && self.state.change_view_now(change)
    }

    /// Takes a request; what happens later is in [`Disk::take_later`].
    pub(crate) fn ask(
        &mut self,
        now: Instant,
        tuning: &Tuning,
        asker: Asker,
        request: StoreRequest,
    ) {
        match request {
            StoreRequest::Append(part) => self.queue.push_back(Call::Append(asker, part)),
            StoreRequest::Claim(claim) => self.queue.push_back(Call::Claim(asker, claim)),
            StoreRequest::Heads(_) | StoreRequest::Range(_) | StoreRequest::Find(_) => {
                return self.read_later(now, tuning, asker, request);
            }
            StoreRequest::RaiseFloor(raise) => {
                return self.raise_floor_later(now, tuning, asker, raise);
            }
        }
        self.begin(now, tuning);
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

    /// Ends the call that it works on, and begins the next.
    pub(crate) fn work(
        &mut self,
        call: u64,
        now: Instant,
        tuning: &Tuning,
        coverage: &mut Coverage,
    ) {
        if call != self.calls {
            return;
        }
        match self.current.take() {
            Some(Current::Append(ticket, parts)) => {
                self.end_append(now, tuning, ticket, parts, coverage)
            }
            Some(Current::Claim(asker, claim)) => self.end_claim(asker, &claim),
            None => {}
        }
        self.begin(now, tuning);
    }

    /// Ends appends whose outcome stayed unknown: each is taken or not.
    pub(crate) fn settle(&mut self) {
        for ticket in std::mem::take(&mut self.hanging) {
            if self.dice.permille(500) {
                drop(self.state.finish(ticket));
            } else {
                self.state.drop_append(ticket);
            }
        }
    }

    /// The node's process died: what it waited for is gone, and so is what wasn't synced, or most of it.
    pub(crate) fn crash(&mut self) {
        self.bury_current();
        self.queue.clear();
        self.current = None;
        self.calls += 1;
        self.hanging.clear();
        self.look_before_claim();
        self.state.crash(trunkline_store_core::memory::Survivors {
            appends: usize::try_from(self.dice.between(0, 2)).expect("small"),
            parts_of_next: usize::try_from(self.dice.between(0, 2)).expect("small"),
        });
        self.lose_synced();
        self.miss_earlier_lives();
    }

    fn read_later(&mut self, now: Instant, tuning: &Tuning, asker: Asker, request: StoreRequest) {
        let delay = self.delay(tuning);
        let later = if self.is_away(now) {
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
        let later = if self.is_away(now) {
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
