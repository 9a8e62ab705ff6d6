//! What a session does with time: pings, expiry, the regular look at its subscriptions (`client-protocol.md` §6, §7, §10).

use trunkline_protocol::DisconnectCode;
use trunkline_shared::{Channel, Now};

use super::context::Context;
use super::outbox::Frame;
use super::session::{Phase, Session};
use super::subscription::{Ending, Subscription};
use super::timers::Timer;
use crate::framing;

impl Session {
    /// One of the session's timers is due.
    pub(super) fn on_timer(&mut self, ctx: &mut Context, now: Now, timer: Timer) {
        match timer {
            Timer::Stale => self.close(ctx, DisconnectCode::Stale),
            Timer::Ping => self.ping(ctx, now),
            Timer::Pong => self.close(ctx, DisconnectCode::NoPong),
            Timer::Expire => self.on_expiry(ctx, now),
            Timer::Tick => self.on_tick(ctx, now),
            Timer::Drain => self.close(ctx, DisconnectCode::Shutdown),
            Timer::Tell(channel) => self.end_if_awaiting(ctx, now, &channel),
            Timer::Leave(channel) => self.stop_lingering(ctx, &channel),
        }
    }

    /// Plans the first ping, after a random time so that connections made together aren't pinged together; says whether
    /// there will be pings at all.
    pub(super) fn schedule_first_ping(&self, ctx: &mut Context, now: Now) -> bool {
        let interval = ctx.config.ping_interval;
        if interval.is_zero() || !self.sends_pings {
            return false;
        }
        let delay = interval / 2 + ctx.random_below(interval / 2);
        ctx.timers.set(self.conn, Timer::Ping, now.instant + delay);
        true
    }

    fn ping(&mut self, ctx: &mut Context, now: Now) {
        self.awaits_pong = true;
        ctx.timers.set(
            self.conn,
            Timer::Pong,
            now.instant + ctx.config.pong_timeout,
        );
        ctx.timers.set(
            self.conn,
            Timer::Ping,
            now.instant + ctx.config.ping_interval,
        );
        let sent = self.queue(ctx, Frame::other(framing::ping(self.encoding)));
        self.close_if_failed(ctx, sent);
    }

    /// Takes a pong: exactly one for each ping.
    pub(super) fn on_pong(&mut self, ctx: &mut Context) {
        if !self.awaits_pong {
            return self.close(ctx, DisconnectCode::BadRequest);
        }
        self.awaits_pong = false;
        ctx.timers.cancel(self.conn, Timer::Pong);
    }

    /// Plans the end of a connection that doesn't refresh.
    pub(super) fn schedule_expiry(&self, ctx: &mut Context, now: Now) {
        let Some(expire_at) = self.identity.expire_at else {
            ctx.timers.cancel(self.conn, Timer::Expire);
            return;
        };
        let close_at = expire_at.plus(ctx.config.expired_close_delay);
        let left = std::time::Duration::from_millis(close_at.0.saturating_sub(now.unix.0));
        ctx.timers.set(self.conn, Timer::Expire, now.instant + left);
    }

    /// The wall clock may have been set back meanwhile.
    fn on_expiry(&mut self, ctx: &mut Context, now: Now) {
        let delay = ctx.config.expired_close_delay;
        match self.identity.expire_at {
            Some(at) if at.plus(delay) <= now.unix => self.close(ctx, DisconnectCode::Expired),
            Some(_) | None => self.schedule_expiry(ctx, now),
        }
    }

    /// Plans the first look at subscriptions, after a random time.
    pub(super) fn schedule_first_tick(&self, ctx: &mut Context, now: Now) {
        let delay = ctx.random_below(ctx.config.presence_update_interval);
        ctx.timers.set(self.conn, Timer::Tick, now.instant + delay);
    }

    fn on_tick(&mut self, ctx: &mut Context, now: Now) {
        ctx.timers.set(
            self.conn,
            Timer::Tick,
            now.instant + ctx.config.presence_update_interval,
        );
        let channels: Vec<Channel> = self.memberships.keys().cloned().collect();
        for channel in channels {
            if self.phase != Phase::Open {
                return;
            }
            if let Some(ending) = self.look_at(ctx, now, &channel) {
                self.end_subscription(ctx, now, &channel, ending);
            }
        }
    }

    /// Whether a subscription must end: it is over, or its channel has gone on without it for too long.
    fn look_at(&self, ctx: &mut Context, now: Now, channel: &Channel) -> Option<Ending> {
        let (expired_delay, behind_max) = (
            ctx.config.expired_sub_close_delay,
            ctx.config.channel_position_check_delay,
        );
        let entry = ctx.subscribers.channel(channel)?;
        let newest = entry.newest();
        let subscription: &Subscription = entry.members.get(&self.conn)?;
        if subscription
            .expire_at
            .is_some_and(|at| at.plus(expired_delay) <= now.unix)
        {
            return Some(subscription.side.expired());
        }
        let (position, since) = newest?;
        let is_lost = now.instant.since(since) >= behind_max && subscription.is_below(position);
        is_lost.then(|| subscription.side.insufficient_state())
    }
}
