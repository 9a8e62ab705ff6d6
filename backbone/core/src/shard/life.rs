//! Links that come and go, and edges that die.
//!
//! An edge without a link for the lease is dead: its publish ids are forgotten. Its connections leave presence together
//! one debounce later, unless it comes back or another edge restates them (`design.md` §7). A goodbye needs no lease: the
//! debounce begins at once, and the ids are forgotten at its end.

use std::collections::BTreeSet;

use trunkline_shared::{Channel, Incarnation, Instant, LinkId, Now, Slot};

use super::Shard;
use super::edges::Due;
use crate::io::{EdgeIdentity, Output};

/// The steps that are due, by time.
#[derive(Debug, Default)]
pub(super) struct Lives {
    pub(super) due: BTreeSet<(Instant, Incarnation)>,
}

impl Shard {
    pub(super) fn on_link_up(&mut self, now: Now, link: LinkId, identity: EdgeIdentity) {
        let life = identity.incarnation;
        if !self.edges.by_life.contains_key(&life)
            && self.edges.by_life.len() >= self.config.edges_max
        {
            return self.close(link, "too many edges");
        }
        if let Some(old) = self.edges.link(life).map(|old| old.id) {
            self.on_link_down(now, old, false);
        }
        let came_back = self.edges.by_life.contains_key(&life);
        self.cancel(life);
        let up_since = self.next_number();
        self.edges.connect(&self.config, link, identity, up_since);
        if came_back {
            self.schedule(
                life,
                now.instant + self.config.offline_debounce,
                Due::Restated,
            );
        }
    }

    pub(super) fn on_link_down(&mut self, now: Now, link: LinkId, goodbye: bool) {
        self.forget_parked(link);
        let Some((life, link)) = self.edges.disconnect(link) else {
            return;
        };
        for (slot, channel) in link.subscriptions {
            self.forget_subscriber(slot, &channel, life);
        }
        for state in self.slots.values_mut() {
            state.snapshots.remove(&life);
        }
        self.cancel(life);
        if goodbye {
            // It is still alive, and if it comes back before it ends it repeats what it has no answer to: its ids stay.
            self.schedule(life, now.instant + self.config.offline_debounce, Due::Leave);
        } else {
            self.schedule(life, now.instant + self.config.edge_lease, Due::Death);
        }
    }

    /// Takes a subscriber out of a channel's table.
    pub(super) fn forget_subscriber(&mut self, slot: Slot, channel: &Channel, life: Incarnation) {
        let Some(state) = self.channel_mut(slot, channel) else {
            return;
        };
        let was = state.subscribers.remove(&life);
        self.touch(slot, channel);
        if let Some(was) = was {
            self.unlink(life, slot, channel, was);
        }
    }

    pub(super) fn on_lives_due(&mut self, now: Now) {
        while let Some((when, life)) = self.lives.due.first().copied() {
            if when > now.instant {
                break;
            }
            self.lives.due.remove(&(when, life));
            let due = self
                .edges
                .by_life
                .get_mut(&life)
                .and_then(|edge| edge.due.take());
            match due.map(|(_, due)| due) {
                Some(Due::Death) => self.on_death(now, life),
                Some(Due::Leave) => {
                    self.forget_ids(life);
                    self.edges.by_life.remove(&life);
                    self.leave_all(life, u64::MAX);
                }
                Some(Due::Restated) => {
                    let up_since = self
                        .edges
                        .by_life
                        .get(&life)
                        .map_or(u64::MAX, |edge| edge.up_since);
                    self.leave_all(life, up_since);
                }
                None => {}
            }
        }
    }

    fn on_death(&mut self, now: Now, life: Incarnation) {
        self.forget_ids(life);
        self.schedule(life, now.instant + self.config.offline_debounce, Due::Leave);
    }

    fn schedule(&mut self, life: Incarnation, when: Instant, due: Due) {
        if let Some(edge) = self.edges.by_life.get_mut(&life) {
            edge.due = Some((when, due));
            self.lives.due.insert((when, life));
        }
    }

    fn cancel(&mut self, life: Incarnation) {
        if let Some((when, _)) = self
            .edges
            .by_life
            .get_mut(&life)
            .and_then(|edge| edge.due.take())
        {
            self.lives.due.remove(&(when, life));
        }
    }

    pub(super) fn close(&mut self, link: LinkId, reason: &'static str) {
        self.counters.closed += 1;
        self.outputs.push_back(Output::Close { link, reason });
    }
}
