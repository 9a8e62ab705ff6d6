//! Which link leads to the owner of each slot: rules, the newest view, links that come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smol_str::SmolStr;
use trunkline_shared::frame::ToNode;
use trunkline_shared::rules::Rules;
use trunkline_shared::{Channel, Incarnation, Instant, LinkId, RingView, Slot, ViewVersion};

use super::holds::Hold;
use super::links::Link;
use super::{Output, Upstream};

/// What is known of the mesh.
#[derive(Debug)]
pub(super) struct Routing {
    pub(super) rules: Option<Arc<Rules>>,
    pub(super) view: Option<Arc<RingView>>,
    /// For each slot the link to its owner.
    links: Vec<Option<LinkId>>,
    pub(super) holds: BTreeMap<Slot, Hold>,
    pub(super) dialled: BTreeSet<SmolStr>,
    /// Whether there has been no link to the view's nodes for too long; true at the start.
    pub(super) isolated: bool,
    /// When it will be so.
    pub(super) isolated_at: Option<Instant>,
}

impl Default for Routing {
    fn default() -> Self {
        Self {
            rules: None,
            view: None,
            links: vec![None; usize::from(trunkline_shared::limits::SLOTS)],
            holds: BTreeMap::new(),
            dialled: BTreeSet::new(),
            isolated: true,
            isolated_at: None,
        }
    }
}

impl Routing {
    /// The link on which a slot's frames may be sent now.
    pub(super) fn link_of(&self, slot: Slot) -> Option<LinkId> {
        if self.holds.contains_key(&slot) {
            None
        } else {
            self.owner_link(slot)
        }
    }

    /// The link to a slot's owner, whether or not the slot is on hold.
    pub(super) fn owner_link(&self, slot: Slot) -> Option<LinkId> {
        self.links[usize::from(slot.number())]
    }

    /// The version of the newest view; the default when there is none.
    pub(super) fn view_version(&self) -> ViewVersion {
        self.view
            .as_ref()
            .map(|view| view.version)
            .unwrap_or_default()
    }

    /// The slot of a channel; `None` when its namespace is unknown, or there are no rules.
    pub(super) fn slot_of(&self, channel: &Channel) -> Option<Slot> {
        self.rules.as_ref()?.slot_of(channel)
    }

    pub(super) fn is_member(&self, incarnation: Incarnation) -> bool {
        self.view
            .iter()
            .flat_map(|view| &view.members)
            .any(|member| member.incarnation == incarnation)
    }

    /// Finds the link of each slot anew; returns the slots whose link is another one than before.
    fn assign(&mut self, links: &BTreeMap<LinkId, Link>) -> Vec<Slot> {
        let lives: BTreeMap<Incarnation, LinkId> = links
            .iter()
            .map(|(id, link)| (link.incarnation, *id))
            .collect();
        let view = self.view.clone();
        let mut moved = Vec::new();
        for slot in Slot::all() {
            let owner = view.as_ref().and_then(|view| view.owner(slot));
            let link = owner.and_then(|member| lives.get(&member.incarnation).copied());
            let before = std::mem::replace(&mut self.links[usize::from(slot.number())], link);
            if before != link {
                moved.push(slot);
            }
        }
        moved
    }
}

impl Upstream {
    pub(super) fn on_link_up(&mut self, now: Instant, id: LinkId, link: Link) {
        let older = self
            .links
            .iter()
            .find(|(_, other)| other.incarnation == link.incarnation)
            .map(|(id, _)| *id);
        if let Some(older) = older {
            self.close_link(now, older, "the node has a newer link");
        }
        self.links.insert(id, link);
        if let Some(stats) = self.stats {
            self.send_control(id, ToNode::Stats(stats));
        }
        self.arm_position_checks(now, id);
        self.reroute(now);
    }

    pub(super) fn on_link_down(&mut self, now: Instant, id: LinkId) {
        if let Some(link) = self.links.remove(&id) {
            self.disarm_position_checks(id, &link.position_checks);
            self.reroute(now);
        }
    }

    fn close_link(&mut self, now: Instant, link: LinkId, reason: &'static str) {
        self.out.push_back(Output::CloseLink { link, reason });
        self.on_link_down(now, link);
    }

    /// Does what follows from a link or view that is new or gone.
    pub(super) fn reroute(&mut self, now: Instant) {
        for slot in self.routing.assign(&self.links) {
            self.release_hold(slot);
            self.on_slot_moved(slot);
            self.hold_until_shown(now, slot);
        }
        self.ask_lost_requests_again(now);
        self.redial();
        self.watch_isolation(now);
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        for link in links {
            self.pump_link(now, link);
        }
    }

    fn on_slot_moved(&mut self, slot: Slot) {
        self.forget_stands(slot);
        self.unanswered.unsend(slot);
        self.presences.restate(slot);
    }
}
