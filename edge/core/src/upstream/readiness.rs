//! Whom to dial, whether the edge is alone, and how full everything is.

use std::collections::BTreeSet;

use smol_str::SmolStr;
use trunkline_shared::{Instant, LinkId, NodeId};

use super::links::Link;
use super::{Gauges, Output, Timer, Upstream};
use crate::exchange::{ToWorker, WorkerId};

impl Upstream {
    /// Why the edge isn't ready; empty when it is.
    pub fn readiness(&self) -> Vec<&'static str> {
        let mut reasons = Vec::new();
        if self.routing.rules.is_none() {
            reasons.push("no rules");
        }
        if self.routing.isolated {
            reasons.push("no link to a node of the view");
        }
        reasons
    }

    /// Whether a linked node can't reach its store; the edge stays ready.
    pub fn store_away(&self) -> bool {
        self.links.values().any(|link| link.store_away)
    }

    /// The nodes that are linked, by link.
    pub fn linked_nodes(&self) -> impl Iterator<Item = (LinkId, &NodeId)> {
        self.links.iter().map(|(id, link)| (*id, &link.node))
    }

    /// How full every table and queue is.
    pub fn gauges(&self) -> Gauges {
        let sum = |of: fn(&Link) -> usize| self.links.values().map(of).sum();
        Gauges {
            isolated: self.routing.isolated,
            links: self.links.len(),
            channels: self.interest.len(),
            channels_live: self.interest.live(),
            channels_lingering: self.interest.lingering(),
            rings: self.interest.rings(),
            rings_bytes: self.interest.rings_bytes(),
            unanswered: self.unanswered.len(),
            unanswered_bytes: self.unanswered.bytes(),
            requests: self.requests.len(),
            waiters: self.interest.waiters(),
            parked: self.parked.len(),
            presences: self.presences.len(),
            lanes_bytes: sum(Link::lanes_bytes),
            ephemeral_bytes: sum(Link::ephemeral_bytes),
            control_bytes: sum(Link::control_bytes),
            answer_room_bytes: sum(Link::answer_bytes),
            workers_bytes: self.workers.bytes(),
        }
    }

    /// Dials the members of the view, and the contacts while there is no link to a member; or only ever the contacts.
    pub(super) fn redial(&mut self) {
        let wanted = self.addresses_wanted();
        let gone: Vec<SmolStr> = self.routing.dialled.difference(&wanted).cloned().collect();
        let new: Vec<SmolStr> = wanted.difference(&self.routing.dialled).cloned().collect();
        self.out
            .extend(gone.into_iter().map(|address| Output::Hangup { address }));
        self.out
            .extend(new.into_iter().map(|address| Output::Dial { address }));
        self.routing.dialled = wanted;
    }

    /// A node that is linked is wanted under the address by which it was reached, so that it isn't dialled twice, neither now
    /// nor when it comes into the view.
    fn addresses_wanted(&self) -> BTreeSet<SmolStr> {
        if !self.config.follow_view {
            return self.config.contacts.iter().cloned().collect();
        }
        let members = self.routing.view.iter().flat_map(|view| &view.members);
        let address = |member: &trunkline_shared::Member| {
            let linked = self
                .links
                .values()
                .find(|link| link.incarnation == member.incarnation);
            linked.map_or_else(|| member.address.clone(), |link| link.address.clone())
        };
        let mut wanted: BTreeSet<SmolStr> = members.map(address).collect();
        wanted.extend(self.links.values().map(|link| link.address.clone()));
        if !self.is_linked_to_member() {
            wanted.extend(self.config.contacts.iter().cloned());
        }
        wanted
    }

    fn is_linked_to_member(&self) -> bool {
        self.links
            .values()
            .any(|link| self.routing.is_member(link.incarnation))
    }

    /// Begins to measure how long the edge is alone, or ends it.
    pub(super) fn watch_isolation(&mut self, now: Instant) {
        if self.is_linked_to_member() {
            self.set_isolated(false);
            if let Some(at) = self.routing.isolated_at.take() {
                self.timers.disarm(at, Timer::Isolation);
            }
        } else if self.routing.isolated_at.is_none() && !self.routing.isolated {
            let at = now + self.config.isolation_tolerance;
            self.routing.isolated_at = Some(at);
            self.timers.arm(at, Timer::Isolation);
        }
    }
    /// Notes whether the edge has been alone for too long, and tells the workers.
    pub(super) fn set_isolated(&mut self, isolated: bool) {
        if self.routing.isolated != isolated {
            self.routing.isolated = isolated;
            let workers = self.workers.ids();
            workers
                .into_iter()
                .for_each(|worker| self.tell_isolated(worker));
        }
    }

    /// Tells a worker whether its clients are better off elsewhere, where the configuration sends them away.
    pub(super) fn tell_isolated(&mut self, worker: WorkerId) {
        if self.config.close_when_isolated {
            let message = ToWorker::Isolated(self.routing.isolated);
            self.workers.tell(&mut self.out, worker, message);
        }
    }
}
