//! Slots on hold: nothing of them is sent until a view has come, or until their owner has shown that it has ours.
//!
//! The end of a hold is the end of the pause that clients see when a slot moves, so it comes with the event that was
//! waited for; the time is only there for what never comes.

use std::collections::BTreeSet;
use std::time::Duration;

use trunkline_shared::{Instant, LinkId, Slot, ViewVersion};

use super::{Timer, Upstream};

/// A slot of which nothing is sent for now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hold {
    awaited: Awaited,
    until: Instant,
}

/// What ends a hold before its time.
#[derive(Clone, Copy, Debug)]
enum Awaited {
    /// A view of at least this version.
    View(ViewVersion),
    /// That the slot's owner shows a view of at least this version.
    Shown(ViewVersion),
    Nothing,
}

impl Upstream {
    /// The node at the end of a link says that a slot isn't its own in the view of a version.
    pub(super) fn on_moved(
        &mut self,
        now: Instant,
        link: LinkId,
        slot: Slot,
        version: ViewVersion,
    ) {
        let ours = self.routing.view_version();
        let (awaited, wait) = if version > ours {
            (Awaited::View(version), self.config.ask_timeout)
        } else if version == ours {
            (Awaited::Nothing, self.config.retry_delay)
        } else if self.has_shown(link, ours) {
            // It has taken our view since.
            (Awaited::Nothing, Duration::ZERO)
        } else {
            (Awaited::Shown(ours), self.config.retry_delay)
        };
        self.hold(now, slot, awaited, wait);
    }

    /// Holds a slot that has a new owner in our view, if that one is known to have an older view: it would take neither
    /// presence nor questions.
    pub(super) fn hold_until_shown(&mut self, now: Instant, slot: Slot) {
        let ours = self.routing.view_version();
        let owner = self.routing.owner_link(slot);
        let shown = owner.and_then(|link| self.links.get(&link)?.view);
        if shown.is_some_and(|shown| shown < ours) {
            self.hold(now, slot, Awaited::Shown(ours), self.config.ask_timeout);
        }
    }

    /// A new link's node shows its view for the first time: presence that was told it before may have met a node that didn't
    /// have our view yet, and is told again when it has.
    pub(super) fn hold_presences_until_shown(&mut self, now: Instant, link: LinkId) {
        for slot in self.presences.slots() {
            if self.routing.owner_link(slot) == Some(link) {
                self.hold_until_shown(now, slot);
            }
        }
    }

    fn hold(&mut self, now: Instant, slot: Slot, awaited: Awaited, wait: Duration) {
        self.release_hold(slot);
        let until = now + wait;
        self.timers.arm(until, Timer::Hold(slot));
        self.routing.holds.insert(slot, Hold { awaited, until });
    }

    fn has_shown(&self, link: LinkId, version: ViewVersion) -> bool {
        let shown = self.links.get(&link).and_then(|link| link.view);
        shown.is_some_and(|shown| shown >= version)
    }

    pub(super) fn release_hold(&mut self, slot: Slot) {
        if let Some(hold) = self.routing.holds.remove(&slot) {
            self.timers.disarm(hold.until, Timer::Hold(slot));
        }
    }

    /// Goes on with the slots for which a view has come, or was shown.
    pub(super) fn end_holds(&mut self, now: Instant) {
        let ours = self.routing.view_version();
        let is_met = |(slot, hold): (&Slot, &Hold)| {
            let met = match hold.awaited {
                Awaited::View(version) => version <= ours,
                Awaited::Shown(version) => self
                    .routing
                    .owner_link(*slot)
                    .is_some_and(|link| self.has_shown(link, version)),
                Awaited::Nothing => false,
            };
            met.then_some(*slot)
        };
        let slots: Vec<Slot> = self.routing.holds.iter().filter_map(is_met).collect();
        let links: BTreeSet<LinkId> = slots
            .into_iter()
            .filter_map(|slot| self.end_hold(slot))
            .collect();
        for link in links {
            self.pump_link(now, link);
        }
    }

    pub(super) fn on_hold_over(&mut self, now: Instant, slot: Slot) {
        if let Some(link) = self.end_hold(slot) {
            self.pump_link(now, link);
        }
    }

    /// Ends a hold; returns the link on which the slot goes on.
    fn end_hold(&mut self, slot: Slot) -> Option<LinkId> {
        self.release_hold(slot);
        self.queue_subscribes(slot);
        // Presence has no refusal: what was said meanwhile may have met somebody who wasn't the owner.
        self.presences.restate(slot);
        self.routing.owner_link(slot)
    }
}
