//! Whether a frame may be worked on: rules known, namespace known, slot its channel's, slot owned.

use smol_str::SmolStr;
use trunkline_shared::frame::{Refusal, ToEdge};
use trunkline_shared::rules::Class;
use trunkline_shared::{Channel, Incarnation, Slot};

use super::Shard;
use super::channel::Request;
use super::edges::Caller;
use super::replay::Retention;

/// What the rules say about a channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChannelRules {
    pub(super) class: Class,
    pub(super) slot: Slot,
    pub(super) retention: Retention,
    pub(super) presence: bool,
    /// Joins and leaves are sent to subscribers.
    pub(super) join_leave: bool,
}

impl Shard {
    pub(super) fn rules_of(&self, channel: &Channel) -> Result<ChannelRules, Refusal> {
        let rules = self.rules.as_ref().ok_or(Refusal::Busy)?;
        let namespace = rules.of(channel).ok_or(Refusal::UnknownChannel)?;
        Ok(ChannelRules {
            class: namespace.class(),
            slot: channel.slot(namespace.routing_segments),
            retention: Retention {
                size: namespace.history_size,
                ttl: namespace.history_ttl,
            },
            presence: namespace.presence,
            join_leave: namespace.join_leave || namespace.force_push_join_leave,
        })
    }

    /// Whether the slot that a frame names is its channel's, and owned.
    pub(super) fn admit(&self, slot: Slot, rules: ChannelRules) -> Result<(), Refusal> {
        if rules.slot != slot {
            return Err(Refusal::WrongSlot);
        }
        if (self.slots.get(&slot)).is_some_and(|state| !state.is_leaving) {
            return Ok(());
        }
        let moved = |version| Refusal::Moved { version };
        Err(self.views.version().map_or(Refusal::Busy, moved))
    }

    /// Whether what needs the store would only wait: without the node's lease, or with a store that is away.
    pub(super) fn is_store_failing(&self, slot: Slot) -> bool {
        let claims_fail = || {
            self.claims.retry.is_failing()
                && self.slots.get(&slot).is_some_and(|state| !state.is_ready())
        };
        !self.is_leased || claims_fail()
    }

    pub(super) fn region_of(&self, edge: Incarnation) -> SmolStr {
        let known = self.edges.by_life.get(&edge);
        known.map_or_else(SmolStr::default, |edge| {
            SmolStr::new(edge.identity.region.as_str())
        })
    }

    /// Answers on the link that asked; if that is down its edge asks again by itself.
    pub(super) fn answer(&mut self, caller: Caller, frame: ToEdge) {
        if self.edges.is_current(caller) {
            self.edges.send(&mut self.outputs, caller.edge, frame);
        }
    }

    pub(super) fn refuse(&mut self, request: &Request, refusal: Refusal) {
        self.count_refusal(refusal);
        self.answer(
            request.caller,
            ToEdge::Refused {
                request: request.id,
                slot: request.slot,
                refusal,
            },
        );
    }

    pub(super) const fn count_refusal(&mut self, refusal: Refusal) {
        match refusal {
            Refusal::Moved { .. } => self.counters.moved += 1,
            Refusal::Busy => self.counters.busy += 1,
            Refusal::StoreAway => self.counters.store_away += 1,
            Refusal::WrongSlot => self.counters.wrong_slots += 1,
            Refusal::StaleView | Refusal::UnknownChannel | Refusal::NotAvailable => {}
        }
    }
}
