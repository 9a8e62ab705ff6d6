//! Some nodes over one store, with a clock of their own: who is cut off, frozen or slow is said by the test.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use smol_str::SmolStr;
use trunkline_backbone_core::membership::KeptRules;
use trunkline_backbone_core::membership::io::{
    Life, MembershipAnswer, MembershipConfig, MembershipInput, MembershipOutput, MembershipRequest,
    MembershipTicket, OwnRules, StoreIdentity,
};
use trunkline_backbone_core::{Membership, propose};
use trunkline_shared::rules::Rules;
use trunkline_shared::{Incarnation, Instant, NodeId, Now, RingView, Slot, UnixMillis};
use trunkline_store_core::members::{HeartbeatError, MemberTable};
use trunkline_store_core::{StoreError, ViewChange, ViewRow};

/// Wall time at the beginning.
pub(crate) const START: u64 = 1_700_000_000_000;

pub(crate) const BIRTH: UnixMillis = UnixMillis(START - 1000);

/// What a life has said, with the milliseconds since the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Lease(bool),
    Ready,
    Rejoin,
    NameTaken,
    RulesRefused(String),
    Left,
}

/// A node's way to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Open,
    /// Every request fails at once.
    Cut,
    /// Requests are done, and fail as if their answers were lost.
    AnswersLost,
    /// Only reads of the view fail.
    ViewCut,
    /// Only questions which namespaces have heads fail.
    HeadsCut,
}

pub(crate) struct Node {
    machine: Membership,
    pub(crate) life: Incarnation,
    pub(crate) way: Way,
    pub(crate) latency: Duration,
    /// Of heartbeats' answers, which come by a connection of their own; added to the other.
    pub(crate) heartbeats_later: Duration,
    /// Of answers which namespaces have heads, likewise.
    pub(crate) heads_later: Duration,
    pub(crate) settles: bool,
    frozen: bool,
    late: Vec<MembershipInput>,
    pub(crate) said: Vec<(u64, Said)>,
    pub(crate) held: Option<Arc<RingView>>,
    pub(crate) rules: Option<Arc<KeptRules>>,
}

impl Node {
    pub(crate) fn machine(&self) -> &Membership {
        &self.machine
    }

    pub(crate) fn has_said(&self, what: &Said) -> Option<u64> {
        let mut said = self.said.iter();
        said.find(|(_, said)| said == what).map(|(at, _)| *at)
    }

    pub(crate) fn slots(&self) -> usize {
        let view = self.held.as_ref();
        view.map_or(0, |view| view.slots_of(self.life).count())
    }
}

enum Event {
    Reach(Incarnation, MembershipTicket, MembershipRequest),
    Input(Incarnation, MembershipInput),
}

/// Nodes by number; node 1 is `backbone-1`.
pub(crate) struct Mesh {
    pub(crate) nodes: BTreeMap<u8, Node>,
    pub(crate) members: MemberTable,
    pub(crate) view: Option<RingView>,
    /// What lies beside it.
    pub(crate) rules: Option<Bytes>,
    /// Namespaces that have heads.
    pub(crate) with_heads: BTreeSet<SmolStr>,
    /// Times that it was asked which namespaces have heads.
    pub(crate) heads_asked: usize,
    /// Every view that was written.
    pub(crate) written: Vec<RingView>,
    pub(crate) identity: StoreIdentity,
    /// Whether the store says that the view has changed.
    pub(crate) notifies: bool,
    /// Milliseconds by which wall clocks were set back.
    pub(crate) set_back: u64,
    now: Instant,
    events: BTreeMap<(Instant, u64), Event>,
    numbers: u64,
    lives: u8,
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn name(node: u8) -> NodeId {
    NodeId::parse(&format!("backbone-{node}")).expect("a valid name")
}

impl Mesh {
    pub(crate) fn new() -> Self {
        Self {
            nodes: BTreeMap::new(),
            members: MemberTable::default(),
            view: None,
            rules: None,
            with_heads: BTreeSet::new(),
            heads_asked: 0,
            written: Vec::new(),
            identity: StoreIdentity {
                birth: BIRTH,
                timeline: 0,
            },
            notifies: true,
            set_back: 0,
            now: Instant::ZERO,
            events: BTreeMap::new(),
            numbers: 0,
            lives: 0,
        }
    }

    /// A mesh of nodes 1 to `count`, all at rest.
    pub(crate) fn of(count: u8) -> Self {
        let mut mesh = Self::new();
        for node in 1..=count {
            mesh.start(node);
            mesh.run(millis(10_000));
        }
        mesh.expect_rest(&(1..=count).collect::<Vec<_>>());
        mesh.written.clear();
        mesh
    }

    pub(crate) fn start(&mut self, node: u8) {
        self.start_as(node, Rules::default());
    }

    /// Starts a process with a configuration.
    pub(crate) fn start_as(&mut self, node: u8, rules: Rules) {
        self.start_with(node, None, |config| {
            config.rules = OwnRules::Configured(rules);
        });
    }

    pub(crate) fn start_alone(&mut self, node: u8) {
        self.start_alone_as(node, Rules::default());
    }

    pub(crate) fn start_alone_as(&mut self, node: u8, rules: Rules) {
        self.start_with(node, None, |config| {
            config.alone = true;
            config.rules = OwnRules::Configured(rules);
        });
    }

    fn start_with(
        &mut self,
        node: u8,
        former: Option<Incarnation>,
        configure: impl FnOnce(&mut MembershipConfig),
    ) {
        self.lives += 1;
        let life = Incarnation([self.lives; 16]);
        let address = SmolStr::new(format!("10.0.0.{node}:7443"));
        let mut config = MembershipConfig::new(name(node), address);
        configure(&mut config);
        let old = self.nodes.remove(&node);
        let held = old.as_ref().and_then(|old| old.held.clone());
        let held = held.filter(|_| former.is_some());
        let rules = old.as_ref().and_then(|old| old.rules.clone());
        let rules = rules.filter(|_| former.is_some());
        let begun = Life {
            incarnation: life,
            former,
            seen: held.as_ref().map(|view| view.version),
            store: self.identity,
        };
        let machine = Membership::new(config, begun, u64::from(self.lives), self.time());
        let said = old.map_or_else(Vec::new, |old| old.said);
        let fresh = Node {
            machine,
            life,
            way: Way::Open,
            latency: millis(2),
            heartbeats_later: millis(0),
            heads_later: millis(0),
            settles: true,
            frozen: false,
            late: Vec::new(),
            said: if former.is_some() { said } else { Vec::new() },
            held,
            rules,
        };
        self.nodes.insert(node, fresh);
    }

    /// Ends a process without a word.
    pub(crate) fn kill(&mut self, node: u8) {
        self.nodes.remove(&node).expect("a node that runs");
    }

    pub(crate) fn freeze(&mut self, node: u8) {
        self.node(node).frozen = true;
    }

    pub(crate) fn thaw(&mut self, node: u8) {
        let frozen = self.node(node);
        frozen.frozen = false;
        let late = std::mem::take(&mut frozen.late);
        late.into_iter().for_each(|input| self.input(node, input));
    }

    pub(crate) fn leave(&mut self, node: u8) {
        self.input(node, MembershipInput::Leave);
    }

    pub(crate) fn node(&mut self, node: u8) -> &mut Node {
        self.nodes.get_mut(&node).expect("a node that runs")
    }

    pub(crate) fn set_identity(&mut self, identity: StoreIdentity) {
        self.identity = identity;
        let nodes: Vec<_> = self.nodes.keys().copied().collect();
        for node in nodes {
            self.input(node, MembershipInput::Store(identity));
        }
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.next().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.happen();
        }
        self.now = end;
    }

    /// Lets time pass until something is so; says how long that took.
    pub(crate) fn run_until(
        &mut self,
        limit: Duration,
        is_so: impl Fn(&mut Self) -> bool,
    ) -> Duration {
        let (begin, end) = (self.now, self.now + limit);
        while !is_so(self) {
            let next = self.next().filter(|next| *next <= end);
            let next = next.unwrap_or_else(|| panic!("not so after {limit:?}"));
            self.now = self.now.max(next);
            self.happen();
        }
        self.now.since(begin)
    }

    /// Names rules in the view that nobody wrote, as a program that knows of none beside it does.
    pub(crate) fn name_other_rules(&mut self) {
        let view = self.view.as_mut().expect("a view");
        view.version.number += 1;
        view.rules_version += 1;
    }

    /// Puts earlier rules into the row, under a later version that somebody wrote on top of them.
    pub(crate) fn set_back_rules(&mut self, rules: Bytes) {
        let kept = KeptRules::read(&rules).expect("rules that can be read");
        let view = self.view.as_mut().expect("a view");
        view.version.number += 1;
        view.rules_version = kept.version();
        self.rules = Some(rules);
    }

    /// Milliseconds since the beginning.
    pub(crate) fn millis(&self) -> u64 {
        self.now.as_micros() / 1000
    }

    /// As [`expect_rest`] of the row, and each of these nodes holds it.
    pub(crate) fn expect_rest(&mut self, nodes: &[u8]) {
        let view = self.view.clone().expect("a view");
        expect_rest(&view, nodes);
        for number in nodes {
            let node = self.node(*number);
            let held = node.held.as_ref().expect("a view held");
            assert_eq!(
                held.version, view.version,
                "backbone-{number} holds the view"
            );
            assert!(view.has(node.life));
        }
    }

    /// Checks that each view since the last look that moved slots between living members was a step.
    pub(crate) fn expect_steps(&self, before: &RingView) {
        let mut before = before;
        for view in &self.written {
            let moved = moved(before, view);
            let receivers: BTreeSet<_> =
                moved.iter().filter_map(|slot| owner(view, *slot)).collect();
            assert!(
                moved.len() <= 64 && receivers.len() <= 1,
                "{} slots to {receivers:?}",
                moved.len()
            );
            before = view;
        }
    }

    pub(crate) fn time(&self) -> Now {
        Now {
            instant: self.now,
            unix: UnixMillis(START + self.now.as_micros() / 1000 - self.set_back),
        }
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn next(&self) -> Option<Instant> {
        let event = self.events.keys().next().map(|(at, _)| *at);
        let awake = self.nodes.values().filter(|node| !node.frozen);
        let timers = awake.filter_map(|node| node.machine.poll_timeout().map(|(at, _)| at));
        timers.chain(event).min()
    }

    fn happen(&mut self) {
        let is_due = |node: &Node| {
            let at = node.machine.poll_timeout().map(|(at, _)| at);
            !node.frozen && at.is_some_and(|at| at <= self.now)
        };
        let nodes = self.nodes.iter();
        let due: Vec<u8> = nodes
            .filter(|(_, node)| is_due(node))
            .map(|(number, _)| *number)
            .collect();
        for number in due {
            let now = self.time();
            self.node(number).machine.handle_timeout(now);
            self.drain(number);
        }
        let first = self.events.keys().next().copied();
        if let Some(key) = first.filter(|(at, _)| *at <= self.now) {
            let event = self.events.remove(&key).expect("it is there");
            self.perform(event);
        }
    }

    fn perform(&mut self, event: Event) {
        match event {
            Event::Reach(life, ticket, request) => {
                if let Some(number) = self.of_life(life) {
                    let answer = self.store(number, request);
                    let mut latency = self.node(number).latency / 2;
                    if matches!(answer, MembershipAnswer::Heartbeat(_)) {
                        latency += self.node(number).heartbeats_later;
                    }
                    if matches!(answer, MembershipAnswer::HaveHeads(_)) {
                        latency += self.node(number).heads_later;
                    }
                    let input = MembershipInput::Answer(ticket, answer);
                    self.later(latency, Event::Input(life, input));
                }
            }
            Event::Input(life, input) => {
                if let Some(number) = self.of_life(life) {
                    self.input(number, input);
                }
            }
        }
    }

    fn of_life(&self, life: Incarnation) -> Option<u8> {
        let mut nodes = self.nodes.iter();
        nodes
            .find(|(_, node)| node.life == life)
            .map(|(number, _)| *number)
    }

    pub(crate) fn input(&mut self, number: u8, input: MembershipInput) {
        let now = self.time();
        let node = self.node(number);
        if node.frozen {
            return node.late.push(input);
        }
        node.machine.handle_input(now, input);
        self.drain(number);
    }

    fn drain(&mut self, number: u8) {
        let at = self.millis();
        while let Some(output) = self.node(number).machine.poll_output() {
            let node = self.node(number);
            match output {
                MembershipOutput::Ask(ticket, request) => {
                    let (life, latency) = (node.life, node.latency / 2);
                    self.later(latency, Event::Reach(life, ticket, request));
                }
                MembershipOutput::View(view) => self.on_view(number, view),
                MembershipOutput::Rules(kept) => {
                    let before = node.rules.replace(Arc::clone(&kept));
                    let before = before.map(|before| before.version());
                    assert!(before < Some(kept.version()), "rules only go on");
                }
                MembershipOutput::RulesRefused(lines) => {
                    node.said.push((at, Said::RulesRefused(lines)));
                }
                MembershipOutput::Lease { held } => node.said.push((at, Said::Lease(held))),
                MembershipOutput::Ready => node.said.push((at, Said::Ready)),
                MembershipOutput::Left => node.said.push((at, Said::Left)),
                MembershipOutput::NameTaken(line) => {
                    assert!(line.contains(name(number).as_str()), "{line}");
                    node.said.push((at, Said::NameTaken));
                }
                MembershipOutput::Rejoin => {
                    node.said.push((at, Said::Rejoin));
                    let former = node.life;
                    let held = node.rules.clone().map(OwnRules::Held);
                    return self.start_with(number, Some(former), |config| {
                        config.rules = held.unwrap_or_default();
                    });
                }
            }
        }
    }

    fn on_view(&mut self, number: u8, view: Arc<RingView>) {
        let node = self.node(number);
        let (version, life) = (view.version, node.life);
        let is_later = node.held.as_ref().is_none_or(|held| held.version < version);
        assert!(is_later, "views only go on");
        node.held = Some(view);
        if node.settles {
            let settled = MembershipInput::Settled(version);
            self.later(millis(3), Event::Input(life, settled));
        }
    }

    fn later(&mut self, time: Duration, event: Event) {
        let key = (self.now + time, self.number());
        self.events.insert(key, event);
    }

    fn store(&mut self, number: u8, request: MembershipRequest) -> MembershipAnswer {
        let way = self.node(number).way;
        let is_cut = match way {
            Way::Cut => true,
            Way::ViewCut => request == MembershipRequest::View,
            Way::HeadsCut => matches!(request, MembershipRequest::HaveHeads(_)),
            Way::Open | Way::AnswersLost => false,
        };
        if is_cut {
            return away(&request);
        }
        let (name, life) = (name(number), self.node(number).life);
        let answer = match request.clone() {
            MembershipRequest::Members => MembershipAnswer::Members(Ok(self.members.rows())),
            MembershipRequest::Join(join) => MembershipAnswer::Joined(Ok(self.members.join(join))),
            MembershipRequest::Heartbeat => {
                MembershipAnswer::Heartbeat(self.members.heartbeat(&name, life))
            }
            MembershipRequest::View => {
                let rules = self.rules.clone();
                let row = self.view.clone().map(|view| ViewRow { view, rules });
                MembershipAnswer::View(Ok(row))
            }
            MembershipRequest::HaveHeads(names) => {
                self.heads_asked += 1;
                let has = |name: &SmolStr| self.with_heads.contains(name);
                MembershipAnswer::HaveHeads(Ok(names.iter().map(has).collect()))
            }
            MembershipRequest::ChangeView(change) => {
                MembershipAnswer::ViewChanged(Ok(self.change_view(change)))
            }
            MembershipRequest::Resign => {
                MembershipAnswer::Resigned(Ok(self.members.leave(&name, life)))
            }
        };
        if way == Way::AnswersLost {
            return away(&request);
        }
        answer
    }

    fn change_view(&mut self, change: ViewChange) -> bool {
        if self.view.as_ref().map(|view| view.version) != change.expected {
            return false;
        }
        let before = self.view.as_ref().map(|view| view.version);
        assert!(Some(change.view.version) > before, "versions only grow");
        if let Some(rules) = change.rules {
            let kept = KeptRules::read(&rules).expect("written as it is read");
            assert_eq!(kept.version(), change.view.rules_version);
            self.rules = Some(rules);
        }
        self.view = Some(change.view.clone());
        self.written.push(change.view);
        if self.notifies {
            let lives: Vec<_> = self.nodes.values().map(|node| node.life).collect();
            for life in lives {
                self.later(millis(1), Event::Input(life, MembershipInput::Notified));
            }
        }
        true
    }
}

pub(crate) fn owner(view: &RingView, slot: Slot) -> Option<Incarnation> {
    view.owner(slot).map(|member| member.incarnation)
}

/// Slots whose owner changed.
pub(crate) fn moved(before: &RingView, after: &RingView) -> Vec<Slot> {
    let has_moved = |slot: &Slot| owner(before, *slot) != owner(after, *slot);
    Slot::all().filter(has_moved).collect()
}

fn away(request: &MembershipRequest) -> MembershipAnswer {
    let error = StoreError::Away("cut".to_owned());
    match request {
        MembershipRequest::Members => MembershipAnswer::Members(Err(error)),
        MembershipRequest::Join(_) => MembershipAnswer::Joined(Err(error)),
        MembershipRequest::Heartbeat => {
            MembershipAnswer::Heartbeat(Err(HeartbeatError::Store(error)))
        }
        MembershipRequest::View => MembershipAnswer::View(Err(error)),
        MembershipRequest::HaveHeads(_) => MembershipAnswer::HaveHeads(Err(error)),
        MembershipRequest::ChangeView(_) => MembershipAnswer::ViewChanged(Err(error)),
        MembershipRequest::Resign => MembershipAnswer::Resigned(Err(error)),
    }
}

/// Checks that exactly these nodes are members of a view, that nobody joins or leaves, and that its table is the proposal.
pub(crate) fn expect_rest(view: &RingView, nodes: &[u8]) {
    assert!(
        view.joining.is_empty() && view.leaving.is_empty(),
        "{:?} {:?}",
        view.joining,
        view.leaving
    );
    let members: BTreeSet<_> = view
        .members
        .iter()
        .map(|member| member.name.clone())
        .collect();
    assert_eq!(members, nodes.iter().map(|node| name(*node)).collect());
    let names: Vec<_> = view
        .members
        .iter()
        .map(|member| member.name.clone())
        .collect();
    assert_eq!(
        view.table(),
        propose(&names),
        "the table is what is proposed for {names:?}"
    );
}
