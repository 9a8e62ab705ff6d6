//! Subscribers that wait: answered when the channel's pushes come and it is known what they missed, or refused.

use std::time::Duration;

use trunkline_shared::{Channel, Instant};

use super::channel_state::{Reader, Waiter};
use super::judge::answer;
use super::resume::Reach;
use super::{Asker, Timer, Upstream};
use crate::exchange::{Answer, RefusedBecause};

impl Upstream {
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

    /// Answers the waiters of a channel that can be answered; of a live one, asks what the others have missed.
    pub(super) fn serve_waiters(&mut self, now: Instant, channel: &Channel) {
        self.answer_waiters(channel);
        let live = self
            .interest
            .get_mut(channel)
            .filter(|state| state.is_live());
        if let Some(state) = live {
            state.recovered = None;
            self.ask_recovery(now, channel);
        }
    }

    fn answer_waiters(&mut self, channel: &Channel) {
        let reach = self.reach(channel);
        let Some(state) = self.interest.get(channel) else {
            return;
        };
        let answers: Vec<Option<Answer>> = state
            .waiters
            .iter()
            .map(|waiter| answer(state, waiter, reach))
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
    }

    /// How far back a channel's recoveries reach; without rules of it nothing is kept.
    fn reach(&self, channel: &Channel) -> Reach {
        let rules = self.routing.rules.as_ref();
        let namespace = rules.and_then(|rules| rules.of(channel));
        Reach {
            size: namespace.map_or(0, |namespace| namespace.history_size.into()),
            ttl: namespace.map_or(Duration::ZERO, |namespace| namespace.history_ttl),
            bytes_max: usize::try_from(self.config.recovery_bytes_max).unwrap_or(usize::MAX),
            now: self.now,
        }
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
        if waiter.recover.is_some() {
            self.interest.use_ring(channel, self.now.instant);
        }
        if let (Some(_), Answer::Subscribed { caught_up, .. }) = (waiter.recover, &answer) {
            let by_owner = waiter.asked.is_some();
            self.counters.resumes_at_owner += u64::from(by_owner);
            self.counters.resumes_at_edge += u64::from(!by_owner);
            self.counters.recovered += u64::from(caught_up.is_some());
            self.counters.not_recovered += u64::from(caught_up.is_none());
        }
        self.workers.answer(&mut self.out, waiter.asker, answer);
    }
}

pub(super) fn waiter_timer(channel: &Channel, asker: Asker) -> Timer {
    Timer::Waiter(channel.clone(), asker.worker, asker.ticket)
}
