//! The machine of a node's control streams: what names no slot, one per node.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use trunkline_shared::frame::{EdgeReport, EdgeStats, ToEdge, ToNode};
use trunkline_shared::queue::QueueAccount;
use trunkline_shared::rules::Rules;
use trunkline_shared::{Incarnation, Instant, LinkId, Now, Payload, RequestId, RingView};

use crate::control_io::{ControlConfig, ControlCounters, ControlInput, ControlOutput};
use crate::io::EdgeIdentity;

/// Says views, rules and the store's state to every edge and knows which edges there are.
///
/// Inputs go in by [`Control::handle_input`] and [`Control::handle_timeout`]; drain [`Control::poll_output`] after each.
#[derive(Debug)]
pub struct Control {
    config: ControlConfig,
    view: Option<Arc<RingView>>,
    rules: Option<(u64, ToEdge)>,
    store_away: bool,
    edges: BTreeMap<Incarnation, KnownEdge>,
    links: BTreeMap<LinkId, Incarnation>,
    leases: BTreeSet<(Instant, Incarnation)>,
    outputs: VecDeque<ControlOutput>,
    counters: ControlCounters,
}

#[derive(Debug)]
struct KnownEdge {
    identity: EdgeIdentity,
    stats: EdgeStats,
    link: Option<(LinkId, QueueAccount)>,
    goodbye: bool,
    lease_ends: Option<Instant>,
}

impl Control {
    /// Makes the machine of a node that knows nothing yet and whose store is there. It draws nothing at random.
    pub fn new(config: ControlConfig, _seed: u64, _now: Now) -> Self {
        Self {
            config,
            view: None,
            rules: None,
            store_away: false,
            edges: BTreeMap::new(),
            links: BTreeMap::new(),
            leases: BTreeSet::new(),
            outputs: VecDeque::new(),
            counters: ControlCounters::default(),
        }
    }

    /// Takes an input.
    pub fn handle_input(&mut self, now: Now, input: ControlInput) {
        match input {
            ControlInput::LinkUp { link, edge } => self.on_link_up(link, edge),
            ControlInput::LinkDown { link } => self.on_link_down(now, link),
            ControlInput::Frame { link, frame } => self.on_frame(link, frame),
            ControlInput::Sent { link, weight } => self.on_sent(link, weight),
            ControlInput::View(view) => self.on_view(view),
            ControlInput::Rules(rules) => self.on_rules(&rules),
            ControlInput::Store { away } => self.on_store(away),
        }
    }

    /// Forgets edges whose lease is over.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some((when, life)) = self.leases.first().copied() {
            if when > now.instant {
                break;
            }
            self.leases.remove(&(when, life));
            self.edges.remove(&life);
        }
    }

    /// When to call [`Control::handle_timeout`], and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.leases
            .first()
            .map(|(when, _)| (*when, "an edge's lease ends"))
    }

    /// The next output.
    pub fn poll_output(&mut self) -> Option<ControlOutput> {
        self.outputs.pop_front()
    }

    /// What has been counted.
    pub const fn counters(&self) -> &ControlCounters {
        &self.counters
    }

    /// Edges that are known, with or without a link.
    pub fn edges(&self) -> usize {
        self.edges.len()
    }

    fn on_link_up(&mut self, link: LinkId, identity: EdgeIdentity) {
        let life = identity.incarnation;
        let known = self.edges.remove(&life);
        if known.is_none() && self.edges.len() >= self.config.edges_max {
            return self.close(link, "too many edges");
        }
        let mut stats = EdgeStats::default();
        if let Some(known) = known {
            stats = known.stats;
            known.link.map(|(old, _)| self.links.remove(&old));
            known
                .lease_ends
                .map(|when| self.leases.remove(&(when, life)));
        }
        let account = QueueAccount::new(self.config.queue_bytes);
        let edge = KnownEdge {
            identity,
            stats,
            link: Some((link, account)),
            goodbye: false,
            lease_ends: None,
        };
        self.edges.insert(life, edge);
        self.links.insert(link, life);
        self.welcome(link);
    }

    fn welcome(&mut self, link: LinkId) {
        let view = self.view.as_deref().cloned().map(ToEdge::View);
        let rules = self.rules.as_ref().map(|(_, frame)| frame.clone());
        let store = ToEdge::Store {
            away: self.store_away,
        };
        for frame in view.into_iter().chain(rules).chain([store]) {
            self.send(link, frame);
        }
    }

    fn on_link_down(&mut self, now: Now, link: LinkId) {
        let Some(life) = self.links.remove(&link) else {
            return;
        };
        let edge = self
            .edges
            .get_mut(&life)
            .expect("a link in the table has its edge");
        edge.link = None;
        if edge.goodbye {
            self.edges.remove(&life);
        } else {
            let when = now.instant + self.config.edge_lease;
            edge.lease_ends = Some(when);
            self.leases.insert((when, life));
        }
    }

    fn on_frame(&mut self, link: LinkId, frame: ToNode) {
        let Some(edge) = self
            .links
            .get(&link)
            .and_then(|life| self.edges.get_mut(life))
        else {
            return;
        };
        match frame {
            ToNode::ShowView(view) => self.on_view_shown(link, view),
            ToNode::Stats(stats) => edge.stats = stats,
            ToNode::Info { request } => self.on_info(link, request),
            ToNode::Goodbye => {
                edge.goodbye = true;
                self.outputs.push_back(ControlOutput::Goodbye { link });
            }
            ToNode::Publish(_)
            | ToNode::PublishUnkept(_)
            | ToNode::Subscribe(_)
            | ToNode::Unsubscribe { .. }
            | ToNode::Pull(_)
            | ToNode::History(_)
            | ToNode::RemoveHistory(_)
            | ToNode::Presence { .. }
            | ToNode::PresenceStats { .. }
            | ToNode::PresenceChanges(_)
            | ToNode::PresenceSnapshot(_)
            | ToNode::CheckPositions { .. } => {
                self.close(link, "a lane's frame on the control stream")
            }
        }
    }

    fn on_view_shown(&mut self, link: LinkId, view: RingView) {
        if view.check().is_err() {
            return self.close(link, "an unusable ring view");
        }
        if self
            .view
            .as_ref()
            .is_none_or(|ours| ours.version < view.version)
        {
            self.counters.newer_views_shown += 1;
            self.outputs
                .push_back(ControlOutput::NewerView(Box::new(view)));
        }
    }

    fn on_info(&mut self, link: LinkId, request: RequestId) {
        self.counters.info_answers += 1;
        let report = |edge: &KnownEdge| EdgeReport {
            incarnation: edge.identity.incarnation,
            edge: edge.identity.edge.clone(),
            region: edge.identity.region.clone(),
            stats: edge.stats,
        };
        let edges = self.edges.values().map(report).collect();
        self.send(link, ToEdge::Info { request, edges });
    }

    fn on_sent(&mut self, link: LinkId, weight: usize) {
        let edge = self
            .links
            .get(&link)
            .and_then(|life| self.edges.get_mut(life));
        if let Some((_, account)) = edge.and_then(|edge| edge.link.as_mut()) {
            account.give_back(weight);
        }
    }

    fn on_view(&mut self, view: Arc<RingView>) {
        if self
            .view
            .as_ref()
            .is_some_and(|ours| ours.version >= view.version)
        {
            return;
        }
        self.send_all(&ToEdge::View((*view).clone()));
        self.view = Some(view);
    }

    fn on_rules(&mut self, rules: &Rules) {
        if self
            .rules
            .as_ref()
            .is_some_and(|(version, _)| *version >= rules.version)
        {
            return;
        }
        let json = serde_json::to_vec(rules).expect("rules have text keys and plain values");
        let frame = ToEdge::Rules(Payload::new(json.into()));
        self.send_all(&frame);
        self.rules = Some((rules.version, frame));
    }

    fn on_store(&mut self, away: bool) {
        if self.store_away != away {
            self.store_away = away;
            self.send_all(&ToEdge::Store { away });
        }
    }

    fn send_all(&mut self, frame: &ToEdge) {
        let links: Vec<_> = self.links.keys().copied().collect();
        for link in links {
            self.send(link, frame.clone());
        }
    }

    fn send(&mut self, link: LinkId, frame: ToEdge) {
        let edge = self
            .links
            .get(&link)
            .and_then(|life| self.edges.get_mut(life));
        let Some((_, account)) = edge.and_then(|edge| edge.link.as_mut()) else {
            return;
        };
        if account.try_take(frame.weight()) {
            self.outputs.push_back(ControlOutput::Send { link, frame });
        } else {
            self.close(link, "its control stream is not read");
        }
    }

    fn close(&mut self, link: LinkId, reason: &'static str) {
        self.counters.closed += 1;
        self.outputs
            .push_back(ControlOutput::Close { link, reason });
    }
}
