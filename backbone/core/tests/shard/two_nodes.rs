//! Random walks of two nodes over one store: whatever views move between them, whoever learns of them late or not at all,
//! and whatever becomes of their appends, a channel has one order in which what each edge was acknowledged is in its own,
//! and a publish is kept once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use trunkline_backbone_core::io::{Input, PartOutcome, StoreAnswer, StoreRequest, StoreTicket};
use trunkline_backbone_core::{Counters, Shard, ShardConfig};
use trunkline_shared::frame::{Publish, Refusal, ToEdge, ToNode};
use trunkline_shared::{
    Channel, Epoch, Incarnation, Offset, Position, RequestId, RingView, Slot, UnixMillis,
};
use trunkline_store_core::{
    AppendOutcome, ClaimError, MemoryState, RangeRequest, SlotPart, StoreError,
};

use crate::support::*;

const NAMES: [&str; 5] = ["chat:1", "chat:2", "pair:x:a", "pair:x:b", "live:1"];
const LIVES: [Incarnation; 2] = [ME, OTHER];

/// A publish that its edge has no answer to.
struct Kept {
    publish: Publish,
    /// The node that it was sent to and that hasn't refused it.
    sent_to: Option<usize>,
}

/// An edge with a link to both nodes; it behaves as edges do.
struct Edge {
    /// Its link to both, and its name.
    link: u8,
    view: Arc<RingView>,
    counter: u64,
    unanswered: BTreeMap<u64, Kept>,
    /// Its links to the nodes.
    wires: [Wire; 2],
}

/// What is under way on a link, each way in order.
#[derive(Default)]
struct Wire {
    up: VecDeque<Publish>,
    down: VecDeque<ToEdge>,
}

struct Walk {
    nodes: [Owner; 2],
    /// The version of the view that each node has.
    known: [usize; 2],
    store: MemoryState,
    /// Appends of which nobody knows, and which may still be taken.
    hung: Vec<SlotPart>,
    /// All views there were; each is the next one's predecessor.
    views: Vec<Arc<RingView>>,
    edges: [Edge; 2],
    dice: ChaCha8Rng,
    calm: bool,
    later_views: u64,
    acked: BTreeMap<String, (&'static str, Position)>,
    pushed: BTreeMap<(String, Epoch, u64), String>,
}

fn name_of(channel: &Channel) -> &'static str {
    let found = NAMES.iter().find(|name| **name == channel.as_str());
    found.expect("one of the walk's channels")
}

fn owner_in(view: &RingView, slot: Slot) -> usize {
    let owner = view.owner(slot).expect("every slot has an owner");
    usize::from(owner.incarnation == OTHER)
}

impl Walk {
    fn new(seed: u64) -> Self {
        let first = view(1);
        let mut nodes = [1, 2].map(|place| {
            let config = ShardConfig {
                slot_waiting_bytes_max: 2000,
                append_bytes_max: 300,
                parked_bytes_max: 1500,
                ..ShardConfig::default()
            };
            let mut node = Owner::bare(config.clone());
            // Epochs of buffered channels are drawn: each node draws its own.
            node.shard = Shard::new(config, 3 * seed + place, node.now);
            node
        });
        for (node, me) in nodes.iter_mut().zip(LIVES) {
            node.input(Input::Rules(rules()));
            let view = Arc::clone(&first);
            node.input(Input::View { view, me });
            (1..=2).for_each(|edge| node.up(edge, u64::from(edge)));
        }
        let edge = |link| Edge {
            link,
            view: Arc::clone(&first),
            counter: 0,
            unanswered: BTreeMap::new(),
            wires: Default::default(),
        };
        Self {
            nodes,
            known: [0, 0],
            store: MemoryState::new(seed, UnixMillis(0)),
            hung: Vec::new(),
            edges: [edge(1), edge(2)],
            views: vec![first],
            dice: ChaCha8Rng::seed_from_u64(seed),
            calm: false,
            later_views: 0,
            acked: BTreeMap::new(),
            pushed: BTreeMap::new(),
        }
    }

    fn step(&mut self) {
        let (edge, node) = (self.dice.random_range(0..2), self.dice.random_range(0..2));
        match self.dice.random_range(0..40) {
            0..=5 => self.publish(edge),
            6 => self.subscribe(edge),
            7 => self.change_view(),
            8 | 9 => self.learn(node),
            10 | 11 => self.edge_learns(edge),
            12 => self.lease(node),
            13 => {
                let time = Duration::from_millis(self.dice.random_range(1..80));
                self.nodes[node].pass(time);
            }
            14..=16 => self.send_again(edge),
            17..=24 => self.arrive_up(edge, node),
            25..=30 => self.arrive_down(edge, node),
            _ => self.work(node),
        }
        self.observe();
    }

    fn publish(&mut self, edge: usize) {
        let name = NAMES[self.dice.random_range(0..NAMES.len())];
        let edge = &mut self.edges[edge];
        edge.counter += 1;
        let text = format!("{}-{}", edge.link, edge.counter);
        let publish = publish(name, edge.counter, &text);
        let slot = publish.slot;
        let waits = |kept: &Kept| kept.publish.slot == slot && kept.sent_to.is_none();
        let behind_others = edge.unanswered.values().any(waits);
        let kept = Kept {
            publish,
            sent_to: None,
        };
        edge.unanswered.insert(edge.counter, kept);
        if !behind_others {
            let (place, counter) = (usize::from(edge.link) - 1, edge.counter);
            self.send(place, counter);
        }
    }

    fn send(&mut self, edge: usize, counter: u64) {
        let edge = &mut self.edges[edge];
        let slot = edge.unanswered[&counter].publish.slot;
        let of_slot = |kept: &&Kept| kept.publish.slot == slot;
        let oldest = edge.unanswered.values().find(of_slot);
        let oldest_unanswered = oldest.expect("this one at least").publish.request;
        let node = owner_in(&edge.view, slot);
        let kept = edge.unanswered.get_mut(&counter).expect("it is kept");
        let publish = Publish {
            view: edge.view.version,
            oldest_unanswered,
            ..kept.publish.clone()
        };
        kept.publish.repeat = true;
        kept.sent_to = Some(node);
        edge.wires[node].up.push_back(publish);
    }

    fn arrive_up(&mut self, edge: usize, node: usize) {
        let link = u64::from(self.edges[edge].link);
        if let Some(publish) = self.edges[edge].wires[node].up.pop_front() {
            self.nodes[node].publish(link, publish);
        }
    }

    fn arrive_down(&mut self, edge: usize, node: usize) {
        match self.edges[edge].wires[node].down.pop_front() {
            Some(ToEdge::Published {
                request, position, ..
            }) => self.on_published(edge, request, position),
            Some(ToEdge::Refused {
                request, refusal, ..
            }) => self.on_refused(edge, node, request, refusal),
            _ => {}
        }
    }

    /// Sends what was refused or has another owner, in order; nothing of a slot while one behind it has no answer.
    fn send_again(&mut self, edge: usize) {
        let unanswered = &self.edges[edge].unanswered;
        let is_behind = |slot: Slot, counter: u64| {
            let sent = |(later, kept): (&u64, &Kept)| {
                *later > counter && kept.publish.slot == slot && kept.sent_to.is_some()
            };
            unanswered.iter().any(sent)
        };
        let unsent = |(counter, kept): (&u64, &Kept)| {
            let may = kept.sent_to.is_none() && !is_behind(kept.publish.slot, *counter);
            may.then_some(*counter)
        };
        let unsent: Vec<u64> = unanswered.iter().filter_map(unsent).collect();
        for counter in unsent {
            self.send(edge, counter);
        }
    }

    fn subscribe(&mut self, edge: usize) {
        let name = NAMES[self.dice.random_range(0..NAMES.len())];
        let edge = &self.edges[edge];
        let node = &mut self.nodes[owner_in(&edge.view, slot(name))];
        let subscribe = trunkline_shared::frame::Subscribe {
            request: node.request(),
            slot: slot(name),
            channel: channel(name),
            view: edge.view.version,
            at: None,
        };
        node.say(u64::from(edge.link), ToNode::Subscribe(subscribe));
    }

    fn change_view(&mut self) {
        let others: Vec<Slot> = NAMES
            .iter()
            .filter(|_| self.dice.random_bool(0.5))
            .map(|name| slot(name))
            .collect();
        let number = self.views.len() as u64 + 1;
        let view = view_where(version(number), |slot| others.contains(&slot));
        self.views.push(view);
    }

    /// A node learns of one of the views after its own; one that isn't told is a zombie meanwhile.
    fn learn(&mut self, node: usize) {
        let newest = self.views.len() - 1;
        if self.known[node] < newest {
            self.known[node] = self.dice.random_range(self.known[node] + 1..=newest);
            let (view, me) = (Arc::clone(&self.views[self.known[node]]), LIVES[node]);
            self.nodes[node].input(Input::View { view, me });
        }
    }

    fn edge_learns(&mut self, edge: usize) {
        let view = Arc::clone(self.views.last().expect("there is always one"));
        let edge = &mut self.edges[edge];
        let before = std::mem::replace(&mut edge.view, Arc::clone(&view));
        for kept in edge.unanswered.values_mut() {
            let slot = kept.publish.slot;
            if owner_in(&before, slot) != owner_in(&view, slot) {
                kept.sent_to = None;
            }
        }
    }

    fn lease(&mut self, node: usize) {
        let held = self.dice.random_bool(0.7);
        self.nodes[node].input(Input::Lease { held });
    }

    /// The store answers one of a node's requests, in any order.
    fn work(&mut self, node: usize) {
        let count = self.nodes[node].requests.len();
        if count == 0 {
            return;
        }
        let which = self.dice.random_range(0..count);
        let (ticket, request) = self.nodes[node].requests.remove(which).expect("counted");
        self.answer(node, ticket, request);
    }

    fn answer(&mut self, node: usize, ticket: StoreTicket, request: StoreRequest) {
        let fails = !self.calm && self.dice.random_bool(0.05);
        let away = || StoreError::Away("unplugged".to_owned());
        let answer = match request {
            StoreRequest::Append(part) => StoreAnswer::Appended(self.append(part)),
            StoreRequest::Claim(_) if fails => StoreAnswer::Claimed(Err(ClaimError::Store(away()))),
            StoreRequest::Claim(claim) => {
                self.end_hung(|slot| claim.slots.iter().any(|(claimed, _)| *claimed == slot));
                let claimed = self.store.claim_now(&claim);
                self.later_views += u64::from(claimed.is_err());
                StoreAnswer::Claimed(claimed)
            }
            StoreRequest::Heads(_) if fails => StoreAnswer::Heads(Err(away())),
            StoreRequest::Heads(channels) => {
                StoreAnswer::Heads(Ok(self.store.heads_now(&channels)))
            }
            StoreRequest::Find(_) if fails => StoreAnswer::Found(Err(away())),
            StoreRequest::Find(find) => StoreAnswer::Found(Ok(self.store.find_now(&find))),
            StoreRequest::Range(range) => StoreAnswer::Range(Ok(self.store.range_now(&range))),
            StoreRequest::RaiseFloor(_) => panic!("nobody removes history in this walk"),
        };
        self.nodes[node].answer(ticket, answer);
    }

    fn append(&mut self, part: SlotPart) -> PartOutcome {
        let is_lost = !self.calm && self.dice.random_bool(0.15);
        if !is_lost {
            return self.take(part);
        }
        if self.dice.random_bool(0.5) {
            self.take(part);
        } else {
            self.hung.push(part);
        }
        PartOutcome::Unknown
    }

    fn take(&mut self, part: SlotPart) -> PartOutcome {
        let ticket = self.store.begin_append(vec![part]);
        match self.store.finish(ticket) {
            AppendOutcome::Committed { refused } => {
                let refused = refused.first();
                refused.map_or(PartOutcome::Committed, |(_, why)| {
                    PartOutcome::Refused(*why)
                })
            }
            AppendOutcome::Failed(error) => PartOutcome::Failed(error),
            AppendOutcome::Unknown(_) => PartOutcome::Unknown,
        }
    }

    /// A claim waits for the appends of its slots: those that nobody knows about end here, one way or the other.
    fn end_hung(&mut self, is_claimed: impl Fn(Slot) -> bool) {
        for part in self
            .hung
            .extract_if(.., |part| is_claimed(part.slot))
            .collect::<Vec<_>>()
        {
            if self.dice.random_bool(0.5) {
                self.take(part);
            }
        }
    }

    fn observe(&mut self) {
        for node in 0..2 {
            for (link, _, frame) in std::mem::take(&mut self.nodes[node].frames) {
                let edge = usize::try_from(link).expect("two links") - 1;
                match frame {
                    ToEdge::Published { .. } | ToEdge::Refused { .. } => {
                        self.edges[edge].wires[node].down.push_back(frame);
                    }
                    ToEdge::Push(push) => {
                        let Some(epoch) = push.epoch else { continue };
                        let offset = push.publication.offset.0;
                        let place = (push.channel.to_string(), epoch, offset);
                        let text = text(&push.publication);
                        let before = self.pushed.insert(place.clone(), text.clone());
                        assert!(
                            before.is_none_or(|before| before == text),
                            "two at {place:?}"
                        );
                    }
                    ToEdge::Subscribed(_)
                    | ToEdge::Pulled(_)
                    | ToEdge::History(_)
                    | ToEdge::Presence(_)
                    | ToEdge::PresenceStats { .. }
                    | ToEdge::Positions { .. }
                    | ToEdge::Behind(_)
                    | ToEdge::HistoryRemoved { .. }
                    | ToEdge::Floor(_)
                    | ToEdge::PresenceEvents { .. }
                    | ToEdge::Reset { .. }
                    | ToEdge::View(_)
                    | ToEdge::Rules(_)
                    | ToEdge::Store { .. }
                    | ToEdge::Info { .. }
                    | ToEdge::Goodbye { .. } => {}
                }
            }
        }
    }

    fn on_published(&mut self, edge: usize, request: RequestId, position: Position) {
        let Some(kept) = self.edges[edge].unanswered.remove(&request.0) else {
            return;
        };
        let text = text(&kept.publish.publication);
        self.acked
            .insert(text, (name_of(&kept.publish.channel), position));
    }

    fn on_refused(&mut self, edge: usize, node: usize, request: RequestId, refusal: Refusal) {
        let unanswered = &mut self.edges[edge].unanswered;
        let Some(kept) = unanswered.get_mut(&request.0) else {
            return;
        };
        if kept.sent_to != Some(node) {
            return;
        }
        match refusal {
            Refusal::Moved { .. } | Refusal::StaleView => kept.sent_to = None,
            Refusal::Busy | Refusal::StoreAway => {
                unanswered.remove(&request.0);
            }
            Refusal::WrongSlot | Refusal::UnknownChannel | Refusal::NotAvailable => {
                panic!("{refusal:?} of a good publish")
            }
        }
    }

    /// Everybody learns of everything and the store answers, until nothing more happens.
    fn calm(&mut self) {
        self.calm = true;
        for (node, me) in LIVES.into_iter().enumerate() {
            let view = Arc::clone(self.views.last().expect("there is always one"));
            self.nodes[node].input(Input::View { view, me });
            self.nodes[node].input(Input::Lease { held: true });
        }
        for _ in 0..10 {
            for place in 0..2 {
                self.edge_learns(place);
                self.send_again(place);
                self.nodes[place].pass(Duration::from_millis(2000));
                self.deliver_all();
                while !self.nodes[place].requests.is_empty() {
                    self.work(place);
                }
                self.deliver_all();
            }
        }
    }

    fn deliver_all(&mut self) {
        for (edge, node) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            while !self.edges[edge].wires[node].up.is_empty() {
                self.arrive_up(edge, node);
            }
            self.observe();
            while !self.edges[edge].wires[node].down.is_empty() {
                self.arrive_down(edge, node);
            }
        }
    }

    fn stored(&self, name: &str) -> Vec<String> {
        let range = RangeRequest {
            slot: slot(name),
            channel: channel(name),
            from: Offset(1),
            to: Offset(u64::MAX),
            descending: false,
            limit: u32::MAX,
            bytes_max: usize::MAX,
            not_before: UnixMillis(0),
        };
        let messages = self.store.range_now(&range);
        let stored = messages.iter().map(|message| text(&message.publication));
        stored.collect()
    }

    fn check(&self) {
        for (place, edge) in self.edges.iter().enumerate() {
            assert!(
                edge.unanswered.is_empty(),
                "edge {place} is left without answers"
            );
        }
        let last = self.views.len() as u64;
        for node in &self.nodes {
            assert_eq!(node.settled.last(), Some(&last));
            assert_eq!(node.shard.gauges().moving, 0);
            assert_eq!(node.shard.gauges().parked_bytes, 0);
        }
        for name in NAMES.into_iter().filter(|name| !name.starts_with("live")) {
            let stored = self.stored(name);
            let mut once = stored.clone();
            once.sort();
            once.dedup();
            assert_eq!(
                once.len(),
                stored.len(),
                "a publish is kept twice in {name}"
            );
            for edge in &self.edges {
                // One that was answered by an error may come later.
                let acked = |text: &&String| self.acked.contains_key(*text);
                let own = |text: &String| {
                    let (link, counter) = text.split_once('-')?;
                    (link == edge.link.to_string()).then(|| counter.parse::<u64>().ok())?
                };
                let own: Vec<u64> = stored.iter().filter(acked).filter_map(own).collect();
                assert!(
                    own.is_sorted(),
                    "an edge's publishes in {name} aren't in its order: {own:?}"
                );
            }
            for (text, (_, position)) in self.acked.iter().filter(|(_, (at, _))| *at == name) {
                let index = usize::try_from(position.offset.0).expect("small offsets") - 1;
                assert_eq!(stored.get(index), Some(text), "{name} at {position:?}");
            }
            for ((_, _, offset), text) in self.pushed.iter().filter(|((at, ..), _)| at == name) {
                let index = usize::try_from(*offset).expect("small offsets") - 1;
                assert_eq!(stored.get(index), Some(text), "{name} at {offset}");
            }
        }
    }
}

fn add(sum: &mut Counters, counters: &Counters) {
    sum.given_up += counters.given_up;
    sum.parked += counters.parked;
    sum.moved += counters.moved;
    sum.stale_views += counters.stale_views;
    sum.out_of_order += counters.out_of_order;
    sum.repeats_found += counters.repeats_found;
    sum.appends_refused += counters.appends_refused;
    sum.appends_unknown += counters.appends_unknown;
    sum.unknown_kept += counters.unknown_kept;
    sum.store_away += counters.store_away;
    sum.published += counters.published;
}

#[test]
fn two_nodes_never_take_one_publish_twice_nor_lose_one() {
    let (mut sum, mut later_views) = (Counters::default(), 0);
    for seed in 0..60 {
        let mut walk = Walk::new(seed);
        (0..500).for_each(|_| walk.step());
        walk.calm();
        walk.check();
        later_views += walk.later_views;
        for node in &walk.nodes {
            add(&mut sum, node.shard.counters());
        }
    }
    let seen = [
        sum.given_up,
        sum.parked,
        sum.moved,
        sum.stale_views,
        sum.out_of_order,
        sum.repeats_found,
        sum.appends_refused,
        sum.appends_unknown,
        sum.unknown_kept,
        sum.store_away,
        sum.published,
        later_views,
    ];
    assert!(
        seen.iter().all(|count| *count > 0),
        "a walk in which something never happened: {sum:?}, later views: {later_views}"
    );
}
