//! The machine by which nodes agree who owns which slot: rows that show who lives, and one view that a leased node changes.
//!
//! One file per idea lies in `membership/`. Safety is the store's: it changes the view by compare-and-set, and refuses who
//! appends under an older claim. What is decided here by time is only who may try.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use trunkline_shared::{Incarnation, Instant, Member, Now, RingView, ViewVersion};

mod asked;
mod counters;
mod decide;
mod heart;
pub mod io;
mod kept_rules;
mod leave;
mod naming;
mod next_view;
mod plan;
mod pulses;
mod row;
mod rules;

use asked::{Asked, Kind};
pub use counters::{MembershipCounters, MembershipGauges};
use heart::Lease;
use io::{
    Life, MembershipAnswer, MembershipConfig, MembershipInput, MembershipOutput, MembershipRequest,
    MembershipTicket,
};
pub use kept_rules::{FixedChange, KeptRules};
use leave::Leaving;
use naming::Naming;
pub use next_view::{Situation, next_view};
pub use plan::{Change, MovePlan, Ownership, PlanError, PlannedNode};
use pulses::Pulses;
use row::{Held, Row};
use rules::MeshRules;

/// One life of a node among the others.
///
/// Inputs go in by [`Membership::handle_input`] and [`Membership::handle_timeout`], the latter first of all and whenever
/// [`Membership::poll_timeout`] says; drain [`Membership::poll_output`] after each.
#[derive(Debug)]
pub struct Membership {
    config: MembershipConfig,
    life: Life,
    me: Member,
    rng: ChaCha8Rng,
    phase: Phase,
    asked: Asked,
    beat_at: Option<Instant>,
    pulses: Pulses,
    lease: Lease,
    row: Row,
    rules: MeshRules,
    /// Lives in the view whose rows are another life's, or gone.
    gone: BTreeSet<Incarnation>,
    held: Option<Held>,
    settled: ViewVersion,
    is_ready: bool,
    leaving: Option<Leaving>,
    counters: MembershipCounters,
    outputs: VecDeque<MembershipOutput>,
}

#[derive(Debug)]
enum Phase {
    /// The name isn't this life's yet.
    Naming(Naming),
    /// It is, and the node is in the view or on the way there.
    Named,
    /// The row is being removed: the last thing that is asked.
    Resigning,
    /// Nothing is done any more.
    Over,
}

impl Membership {
    /// Makes the machine of a life that begins; what nodes shouldn't do at the same time is spread by `seed`.
    pub fn new(config: MembershipConfig, life: Life, seed: u64, now: Now) -> Self {
        let me = Member {
            name: config.name.clone(),
            incarnation: life.incarnation,
            address: config.address.clone(),
        };
        Self {
            me,
            rng: ChaCha8Rng::seed_from_u64(seed),
            phase: Phase::Naming(Naming::default()),
            asked: Asked::default(),
            beat_at: Some(now.instant),
            pulses: Pulses::new(config.lease),
            lease: Lease::default(),
            row: Row::default(),
            rules: MeshRules::new(config.rules.clone()),
            gone: BTreeSet::new(),
            held: None,
            settled: ViewVersion::default(),
            is_ready: false,
            leaving: None,
            counters: MembershipCounters::default(),
            outputs: VecDeque::new(),
            config,
            life,
        }
    }

    /// Takes an input.
    pub fn handle_input(&mut self, now: Now, input: MembershipInput) {
        if matches!(self.phase, Phase::Over) {
            return;
        }
        // A process that was frozen may meet what has come before it meets the time.
        self.end_lease(now);
        match input {
            MembershipInput::Answer(ticket, answer) => self.on_answer(now, ticket, answer),
            MembershipInput::Notified => self.read_view(now),
            MembershipInput::ViewShown(view) => self.on_shown(now, view),
            MembershipInput::NeedView(version) => self.on_need(now, version),
            MembershipInput::Settled(version) => self.on_settled(now, version),
            MembershipInput::Store(identity) => {
                self.life.store = identity;
                self.decide(now);
            }
            MembershipInput::Leave => self.on_leave(now),
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Now) {
        if matches!(self.phase, Phase::Over) {
            return;
        }
        self.end_lease(now);
        self.end_leave(now);
        if self.beat_at.take_if(|at| *at <= now.instant).is_some() {
            self.beat(now);
        }
        self.pass_over(now);
    }

    /// When to call [`Membership::handle_timeout`], and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        if matches!(self.phase, Phase::Over) {
            return None;
        }
        let times = [
            self.beat_at.map(|at| (at, "the next heartbeat")),
            self.lease.ends().map(|at| (at, "the lease ends")),
            self.step_at().map(|at| (at, "a step is passed over")),
            self.leave_ends().map(|at| (at, "a leave takes too long")),
        ];
        times.into_iter().flatten().min()
    }

    /// The next output.
    pub fn poll_output(&mut self) -> Option<MembershipOutput> {
        self.outputs.pop_front()
    }

    /// What has been counted.
    pub const fn counters(&self) -> &MembershipCounters {
        &self.counters
    }

    /// What is held now.
    pub fn gauges(&self) -> MembershipGauges {
        let view = self.held.as_ref().map(|held| &held.view);
        MembershipGauges {
            version: view.map_or_else(ViewVersion::default, |view| view.version),
            members: view.map_or(0, |view| view.members.len()),
            alive: if self.config.alone {
                1
            } else {
                self.pulses.alive()
            },
            moves: view.map_or(0, |view| view.joining.len() + view.leaving.len()),
            slots: view.map_or(0, |view| view.slots_of(self.me.incarnation).count()),
            lease_held: self.lease.is_held(),
            rules_version: self.rules.given(),
        }
    }

    fn on_answer(&mut self, now: Now, ticket: MembershipTicket, answer: MembershipAnswer) {
        let Some(question) = self.asked.close(ticket) else {
            return;
        };
        let sent = question.sent;
        match answer {
            MembershipAnswer::Members(rows) => self.on_members(now, sent, rows),
            MembershipAnswer::Joined(joined) => self.on_joined(now, sent, joined),
            MembershipAnswer::Heartbeat(rows) => self.on_heartbeat(now, sent, rows),
            MembershipAnswer::View(view) => self.on_view(now, sent, view),
            MembershipAnswer::HaveHeads(found) => {
                self.on_have_heads(now, sent, question.kind, found);
            }
            MembershipAnswer::ViewChanged(changed) => self.on_changed(now, question.kind, changed),
            // Whether it is gone or not: others see that it doesn't move any more.
            MembershipAnswer::Resigned(_) => self.end_as_meant(),
        }
    }

    /// Asks for what moves a life on: its name first, then heartbeats.
    fn beat(&mut self, now: Now) {
        match self.phase {
            Phase::Naming(_) if self.config.alone => self.on_named(now, Some(now.instant)),
            Phase::Naming(_) => self.ask(now, Kind::Members, MembershipRequest::Members),
            Phase::Named if self.config.alone => self.read_view(now),
            Phase::Named => self.ask(now, Kind::Heartbeat, MembershipRequest::Heartbeat),
            Phase::Resigning | Phase::Over => {}
        }
    }

    /// The next heartbeat, one interval after one that was sent.
    fn beat_after(&mut self, now: Now, sent: Instant) {
        self.beat_at = Some((sent + self.config.heartbeat).max(now.instant));
    }

    /// Asks the store, unless a question of this kind is open.
    fn ask(&mut self, now: Now, kind: Kind, request: MembershipRequest) {
        if self.asked.has(|open| *open == kind) {
            return;
        }
        let ticket = self.asked.open(now.instant, kind);
        self.outputs
            .push_back(MembershipOutput::Ask(ticket, request));
    }

    fn end(&mut self, output: MembershipOutput) {
        self.phase = Phase::Over;
        self.outputs.push_back(output);
    }

    fn is_in(&self, view: &RingView) -> bool {
        view.has(self.me.incarnation)
    }

    /// The view held.
    fn view(&self) -> Option<&Arc<RingView>> {
        self.held.as_ref().map(|held| &held.view)
    }
}
