//! Recovery: what waiting subscribers missed is asked of the owner once per channel, from the lowest position asked.

use std::sync::Arc;

use trunkline_shared::frame::Refusal;
use trunkline_shared::{Channel, Instant, Position, Publication, RequestId};

use super::Upstream;
use super::answering::because;
use super::channel_state::Recovered;
use super::requests::Ask;
use crate::shared_publication::SharedPublication;

impl Upstream {
    /// Asks the owner once for all that recover and haven't been asked for; right behind a subscribe, or later.
    pub(super) fn ask_recovery(&mut self, now: Instant, channel: &Channel) {
        let Some(state) = self
            .interest
            .get(channel)
            .filter(|state| state.recovery.is_none())
        else {
            return;
        };
        let unasked = state
            .waiters
            .iter()
            .filter(|waiter| waiter.asked.is_none())
            .filter_map(|waiter| waiter.recover);
        let widest = unasked.map(|recover| (recover.after, recover.limit));
        let Some((after, limit)) = widest.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
            return;
        };
        if self.routing.link_of(state.slot).is_none() {
            return;
        }
        let slot = state.slot;
        let id = self.ask_own(
            now,
            Ask::Recover {
                channel: channel.clone(),
                after,
                limit,
            },
            slot,
        );
        let Some(state) = self.interest.get_mut(channel) else {
            return;
        };
        state.recovery = Some(id);
        for waiter in state
            .waiters
            .iter_mut()
            .filter(|waiter| waiter.recover.is_some())
        {
            waiter.asked.get_or_insert(id);
        }
    }

    /// Takes the owner's answer; of another numbering than the channel's it says that the channel must be asked anew.
    pub(super) fn on_recovered(
        &mut self,
        now: Instant,
        channel: &Channel,
        request: RequestId,
        head: Position,
        publications: Vec<Publication>,
    ) {
        let recovery = self
            .interest
            .get_mut(channel)
            .filter(|state| state.recovery == Some(request));
        let Some(state) = recovery else { return };
        state.recovery = None;
        if state.is_live() && state.epoch != Some(head.epoch) {
            return self.restate(now, channel);
        }
        let share = |publication| {
            Arc::new(SharedPublication::new(
                channel.clone(),
                Some(head.epoch),
                publication,
            ))
        };
        let publications = publications.into_iter().map(share).collect();
        state.recovered = Some(Recovered {
            request,
            head,
            publications,
        });
        self.serve_waiters(now, channel);
        self.settle(now, channel);
    }

    pub(super) fn on_recovery_lost(&mut self, now: Instant, channel: &Channel, id: RequestId) {
        if self.forget_recovery(channel, id) {
            self.ask_recovery(now, channel);
        }
    }

    pub(super) fn on_recovery_refused(
        &mut self,
        now: Instant,
        channel: &Channel,
        id: RequestId,
        refusal: Refusal,
    ) {
        let because = because(refusal);
        if let Some(because) = because {
            let done = self
                .interest
                .take_waiters(channel, |waiter| waiter.asked == Some(id));
            self.end_waiters(channel, &done, because);
        }
        if self.forget_recovery(channel, id) && because.is_none() {
            // The owner has moved: the subscription isn't there any more either.
            self.restate(now, channel);
        }
        self.settle(now, channel);
    }

    fn forget_recovery(&mut self, channel: &Channel, id: RequestId) -> bool {
        let recovery = self
            .interest
            .get_mut(channel)
            .filter(|state| state.recovery == Some(id));
        let Some(state) = recovery else { return false };
        state.recovery = None;
        for waiter in state
            .waiters
            .iter_mut()
            .filter(|waiter| waiter.asked == Some(id))
        {
            waiter.asked = None;
        }
        true
    }
}
