//! Which slots the node has, as its view says: view first, then claim.
//!
//! A slot that is gained is held unclaimed: what arrives for it waits as while a slot is claimed again. One that is lost
//! takes nothing new and is dropped whole, at once or when its append has ended.

use std::collections::BTreeSet;
use std::sync::Arc;

use trunkline_shared::{Incarnation, Now, RingView, Slot, ViewVersion};

use super::Shard;
use super::slot::{Reclaim, SlotState};
use crate::io::Output;

/// The view that the node holds, and how far its slots are as it says.
#[derive(Debug, Default)]
pub(super) struct Views {
    /// The view, and the node's life in it.
    held: Option<(Arc<RingView>, Incarnation)>,
    /// Slots that the view gives to the node and that aren't claimed in its store's present life, and slots given up whose
    /// append is in flight.
    pub(super) unsettled: BTreeSet<Slot>,
    /// It was told that nothing of the held view is unsettled.
    told: bool,
    /// The latest version that was asked for.
    needed: Option<ViewVersion>,
}

impl Views {
    pub(super) fn version(&self) -> Option<ViewVersion> {
        self.held.as_ref().map(|(view, _)| view.version)
    }

    /// Whether the view gives a slot to the node.
    pub(super) fn gives(&self, slot: Slot) -> bool {
        self.held.as_ref().is_some_and(|(view, me)| {
            view.owner(slot)
                .is_some_and(|owner| owner.incarnation == *me)
        })
    }

    /// Takes a later view, or the same one for another life of the node.
    fn take(&mut self, view: Arc<RingView>, me: Incarnation) -> bool {
        let is_news = self.held.as_ref().is_none_or(|(ours, life)| {
            ours.version < view.version || (ours.version == view.version && *life != me)
        });
        if is_news {
            self.held = Some((view, me));
            self.told = false;
        }
        is_news
    }
}

impl Shard {
    pub(super) fn on_view(&mut self, now: Now, view: Arc<RingView>, me: Incarnation) {
        let version = view.version;
        if !self.views.take(view, me) {
            return;
        }
        for slot in Slot::all() {
            if self.is_mine(slot) {
                self.follow_view(slot, version);
            }
        }
        self.ask_claim(now);
        self.take_parked(now);
    }

    fn follow_view(&mut self, slot: Slot, version: ViewVersion) {
        let given = self.views.gives(slot);
        match self.slots.get(&slot) {
            None if given => self.hold_slot(slot, version),
            None => {}
            // What becomes of it is decided when its append has ended.
            Some(state) if state.is_leaving => {}
            Some(_) if given => self.keep_slot(slot, version),
            Some(_) => self.give_up(slot, version),
        }
    }

    /// Holds a slot that the view gives to the node; [`Shard::ask_claim`] sends the claim.
    pub(super) fn hold_slot(&mut self, slot: Slot, version: ViewVersion) {
        self.slots.insert(slot, SlotState::new(version));
        self.views.unsettled.insert(slot);
        self.claims.want(slot);
    }

    /// A slot that stays keeps its claim, unless that is one of another store or server.
    fn keep_slot(&mut self, slot: Slot, version: ViewVersion) {
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        if state.is_claimed_in(version) {
            return;
        }
        let (foreign, lands) = (state.is_claimed(), state.flight.is_none());
        if !foreign {
            state.claimed_under = version;
            // Views between the two may have given it to another, who may have been sent the same publishes.
            self.send_back(slot);
        }
        if lands {
            self.claims.want(slot);
        }
        self.views.unsettled.insert(slot);
        self.want_claim(
            slot,
            Reclaim {
                new_epoch: false,
                foreign,
            },
        );
    }

    /// Says once for each view that everything is as it says.
    pub(super) fn tell_settled(&mut self) {
        if self.views.told || !self.views.unsettled.is_empty() {
            return;
        }
        if let Some(version) = self.views.version() {
            self.views.told = true;
            self.outputs.push_back(Output::Settled { version });
        }
    }

    /// Asks for a view of at least a version, once.
    pub(super) fn need_view(&mut self, version: ViewVersion) {
        if self.views.needed.is_none_or(|needed| needed < version) {
            self.views.needed = Some(version);
            self.outputs.push_back(Output::NeedView { version });
        }
    }
}
