//! Publishes and subscribes under a view that the node doesn't have yet, for slots that it hasn't: they wait for that
//! view, bounded in bytes and each by its own time, then they are `Busy`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use trunkline_shared::frame::{Publish, Refusal, Subscribe, ToEdge, ToNode};
use trunkline_shared::limits::COMMAND_DEADLINE;
use trunkline_shared::{Channel, Instant, LinkId, Now, PublishId, RequestId, Slot, ViewVersion};

use super::Shard;
use super::edges::Caller;

/// What waits for a view, in the order of arrival.
#[derive(Debug, Default)]
pub(super) struct Parked {
    by_turn: BTreeMap<u64, Waiting>,
    due: BTreeSet<(Instant, u64)>,
    bytes: usize,
}

#[derive(Debug)]
struct Waiting {
    caller: Caller,
    request: RequestId,
    slot: Slot,
    /// The view that it names.
    view: ViewVersion,
    deadline: Instant,
    frame: ToNode,
}

impl Parked {
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// When the first one has waited long enough.
    pub(super) fn at(&self) -> Option<Instant> {
        self.due.first().map(|(when, _)| *when)
    }

    fn push(&mut self, turn: u64, waiting: Waiting) {
        self.bytes += waiting.frame.weight();
        self.due.insert((waiting.deadline, turn));
        self.by_turn.insert(turn, waiting);
    }

    fn extract(&mut self, which: impl Fn(&Waiting) -> bool) -> Vec<Waiting> {
        let all = self.by_turn.extract_if(.., |_, waiting| which(waiting));
        let all: Vec<_> = all.collect();
        for (turn, waiting) in &all {
            self.bytes -= waiting.frame.weight();
            self.due.remove(&(waiting.deadline, *turn));
        }
        all.into_iter().map(|(_, waiting)| waiting).collect()
    }

    /// Compares the tables with each other.
    pub(super) fn check(&self) {
        let weights = self.by_turn.values().map(|waiting| waiting.frame.weight());
        let bytes: usize = weights.sum();
        assert_eq!(self.bytes, bytes, "bytes that wait for a view");
        let due = |(turn, waiting): (&u64, &Waiting)| (waiting.deadline, *turn);
        let due: BTreeSet<_> = self.by_turn.iter().map(due).collect();
        assert_eq!(self.due, due, "what waits for a view has a deadline");
    }
}

impl Shard {
    /// Whether it takes a view that the node hasn't, or the end of an append, to know who has a slot.
    pub(super) fn is_undecided(&self, slot: Slot, named: ViewVersion) -> bool {
        let state = self.slots.get(&slot);
        if state.is_some_and(|state| !state.is_leaving) {
            return false;
        }
        let comes_back = state.is_some() && self.views.gives(slot);
        comes_back || self.views.version().is_some_and(|ours| ours < named)
    }

    pub(super) fn park_publish(&mut self, now: Now, caller: Caller, publish: Publish) {
        let left = Duration::from_millis(u64::from(publish.time_left_ms));
        let waiting = Waiting {
            caller,
            request: publish.request,
            slot: publish.slot,
            view: publish.view,
            deadline: now.instant + left,
            frame: ToNode::Publish(publish),
        };
        self.park(now, waiting);
    }

    pub(super) fn park_subscribe(&mut self, now: Now, caller: Caller, subscribe: Subscribe) {
        let waiting = Waiting {
            caller,
            request: subscribe.request,
            slot: subscribe.slot,
            view: subscribe.view,
            deadline: now.instant + COMMAND_DEADLINE,
            frame: ToNode::Subscribe(subscribe),
        };
        self.park(now, waiting);
    }

    fn park(&mut self, now: Now, waiting: Waiting) {
        let full = self.parked.bytes + waiting.frame.weight() > self.config.parked_bytes_max;
        if full || waiting.deadline <= now.instant {
            if let ToNode::Publish(publish) = &waiting.frame {
                let (edge, counter) = (waiting.caller.edge, publish.request.0);
                self.note_sent_back(waiting.slot, PublishId { edge, counter });
            }
            return self.refuse_parked(&waiting);
        }
        self.counters.parked += 1;
        let (turn, named) = (self.next_number(), waiting.view);
        self.parked.push(turn, waiting);
        if self.views.version().is_some_and(|ours| ours < named) {
            self.need_view(named);
        }
    }

    /// Works on what waits no longer for a view.
    pub(super) fn take_parked(&mut self, now: Now) {
        let mut parked = std::mem::take(&mut self.parked);
        let decided = parked.extract(|waiting| !self.is_undecided(waiting.slot, waiting.view));
        self.parked = parked;
        for waiting in decided {
            let mut frame = waiting.frame;
            if let ToNode::Publish(publish) = &mut frame {
                let left = waiting.deadline.since(now.instant).as_millis();
                publish.time_left_ms = u32::try_from(left).unwrap_or(u32::MAX);
            }
            self.dispatch(now, waiting.caller, frame);
        }
    }

    pub(super) fn refuse_late_parked(&mut self, now: Now) {
        let late = |waiting: &Waiting| waiting.deadline <= now.instant;
        let late = self.parked.extract(late);
        late.iter().for_each(|waiting| self.refuse_parked(waiting));
    }

    /// Forgets what came on a link that is down: its edge says it again.
    pub(super) fn forget_parked(&mut self, link: LinkId) {
        self.parked.extract(|waiting| waiting.caller.link == link);
    }

    /// A subscribe that waits must not take effect after the unsubscribe.
    pub(super) fn end_parked_subscribes(&mut self, caller: Caller, channel: &Channel) {
        let ends = |waiting: &Waiting| {
            let of = |subscribe: &Subscribe| subscribe.channel == *channel;
            waiting.caller == caller && matches!(&waiting.frame, ToNode::Subscribe(one) if of(one))
        };
        let ended = self.parked.extract(ends);
        ended.iter().for_each(|waiting| self.refuse_parked(waiting));
    }

    fn refuse_parked(&mut self, waiting: &Waiting) {
        let refusal = Refusal::Busy;
        self.count_refusal(refusal);
        let refused = ToEdge::Refused {
            request: waiting.request,
            slot: waiting.slot,
            refusal,
        };
        self.answer(waiting.caller, refused);
    }
}
