//! Subscribers that wait: answered when the channel's pushes come, and those that recover when it is known what they missed.
//!
//! An owner is asked once per channel for all that wait, from the lowest position asked; each is judged by itself
//! (`client-protocol.md` §7.5).

use std::sync::Arc;

use trunkline_shared::{Channel, Epoch, Instant, Position, Publication, RequestId};

use super::interest::{ChannelState, Reader, Recovered, Waiter};
use super::requests::Ask;
use super::ring::Ring;
use super::{Asker, Timer, Upstream};
use crate::exchange::{Answer, Recover, RefusedBecause};
use crate::shared_publication::SharedPublication;
use trunkline_shared::frame::Refusal;

impl Upstream {
    /// Answers the waiters of a channel that can be answered, and asks what the others have missed.
    pub(super) fn serve_waiters(&mut self, now: Instant, channel: &Channel) {
        let Some(state) = self.interest.get(channel).filter(|state| state.is_live()) else {
            return;
        };
        let answers: Vec<Option<Answer>> = state
            .waiters
            .iter()
            .map(|waiter| answer(state, waiter))
            .collect();
        let mut answers = answers.into_iter();
        let mut found = Vec::new();
        let waiters = self.interest.take_waiters(channel, |_| {
            let answer = answers.next().flatten();
            let is_done = answer.is_some();
            found.extend(answer);
            is_done
        });
        for (waiter, answer) in waiters.into_iter().zip(found) {
            self.admit(channel, &waiter, answer);
        }
        if let Some(state) = self.interest.get_mut(channel) {
            state.recovered = None;
        }
        self.ask_recovery(now, channel);
    }

    /// Answers a subscriber; from here on its worker is given what comes.
    fn admit(&mut self, channel: &Channel, waiter: &Waiter, answer: Answer) {
        self.timers
            .disarm(waiter.deadline, waiter_timer(channel, waiter.asker));
        if let Some(state) = self.interest.get_mut(channel) {
            let sent = state.ring.top();
            state.readers.entry(waiter.asker.worker).or_insert(Reader {
                sent,
                lagging: false,
            });
        }
        if let (Some(_), Answer::Subscribed { caught_up, .. }) = (waiter.recover, &answer) {
            self.counters.recovered += u64::from(caught_up.is_some());
            self.counters.not_recovered += u64::from(caught_up.is_none());
        }
        self.workers.answer(&mut self.out, waiter.asker, answer);
    }

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
        let because = super::asking::because(refusal);
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

    pub(super) fn on_waiter_expired(&mut self, now: Instant, channel: &Channel, asker: Asker) {
        let done = self
            .interest
            .take_waiters(channel, |waiter| waiter.asker == asker);
        self.counters.requests_expired += done.len() as u64;
        self.end_waiters(channel, &done, RefusedBecause::Temporary);
        self.settle(now, channel);
    }

    pub(super) fn refuse_waiters(&mut self, channel: &Channel, because: RefusedBecause) {
        let done = self.interest.take_waiters(channel, |_| true);
        self.end_waiters(channel, &done, because);
    }

    pub(super) fn end_waiters(
        &mut self,
        channel: &Channel,
        waiters: &[Waiter],
        because: RefusedBecause,
    ) {
        for waiter in waiters {
            self.timers
                .disarm(waiter.deadline, waiter_timer(channel, waiter.asker));
            self.refuse(waiter.asker, because);
        }
    }
}

pub(super) fn waiter_timer(channel: &Channel, asker: Asker) -> Timer {
    Timer::Waiter(channel.clone(), asker.worker, asker.ticket)
}

/// What a waiter of a live channel is told; `None` while what it missed isn't known.
fn answer(state: &ChannelState, waiter: &Waiter) -> Option<Answer> {
    let Some(top) = state.position() else {
        return Some(Answer::Subscribed {
            position: None,
            caught_up: None,
        });
    };
    let subscribed = |position, caught_up| Answer::Subscribed {
        position: Some(position),
        caught_up,
    };
    let Some(recover) = waiter.recover else {
        return Some(subscribed(top, None));
    };
    if recover.epoch.is_some_and(|epoch| epoch != top.epoch) {
        return Some(subscribed(top, None));
    }
    if recover.after == top.offset {
        return Some(subscribed(top, Some(Vec::new())));
    }
    let recovered = state
        .recovered
        .as_ref()
        .filter(|recovered| Some(recovered.request) == waiter.asked)?;
    let (position, caught_up) = judge(recover, top.epoch, recovered, &state.ring);
    Some(subscribed(position, caught_up))
}

/// Whether a subscriber can be given everything it missed: what the owner sent, and what the ring has since.
fn judge(
    recover: Recover,
    epoch: Epoch,
    recovered: &Recovered,
    ring: &Ring,
) -> (Position, Option<Vec<Arc<SharedPublication>>>) {
    let top = Position {
        epoch,
        offset: recovered.head.offset.max(ring.top()),
    };
    if recovered.head.epoch != epoch {
        return (
            Position {
                epoch,
                offset: ring.top(),
            },
            None,
        );
    }
    let since = if recovered.head.offset < ring.top() {
        ring.after(recovered.head.offset)
    } else {
        None
    };
    let joined = recovered
        .publications
        .iter()
        .chain(since.into_iter().flatten());
    let missed: Vec<_> = joined
        .filter(|shared| shared.publication.offset > recover.after)
        .cloned()
        .collect();
    let offsets = missed.iter().map(|shared| shared.publication.offset.0);
    let whole = recover.after <= top.offset && offsets.eq(recover.after.0 + 1..=top.offset.0);
    let fits = missed.len() <= usize::try_from(recover.limit).unwrap_or(usize::MAX);
    (top, (whole && fits).then_some(missed))
}
