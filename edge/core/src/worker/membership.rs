//! How a session leaves channels, and where it is present meanwhile.

use std::mem;

use trunkline_protocol::{Push, ReplyBody, UnsubscribeCode, encode_push, message};
use trunkline_shared::rules::Namespace;
use trunkline_shared::{Channel, ClientInfo, Now, Payload, limits};

use super::context::Context;
use super::outbox::Frame;
use super::permission::Access;
use super::refusal::Deed;
use super::session::{Outcome, Phase, Session};
use super::subscription::Ending;
use super::timers::Timer;
use crate::exchange::ToUpstream;
use crate::framing;

impl Session {
    /// Ends a subscription, or a subscribe in flight; it always succeeds: an error would make SDKs reconnect.
    pub(super) fn on_unsubscribe(&mut self, ctx: &mut Context, id: u32, name: &str) {
        if name.len() > limits::CHANNEL_BYTES_MAX {
            return self.reply(ctx, id, ReplyBody::Unsubscribe);
        }
        self.in_channel(ctx, id, Deed::Unsubscribe, name, |session, ctx, channel| {
            session.leave(ctx, channel, false);
            session.stop_lingering(ctx, channel);
            Ok(Outcome::Reply(ReplyBody::Unsubscribe))
        });
    }

    /// Ends a subscription by the server's will and tells the client.
    pub(super) fn end_subscription(
        &mut self,
        ctx: &mut Context,
        now: Now,
        channel: &Channel,
        ending: Ending,
    ) {
        let code = match ending {
            Ending::Unsubscribe(code) => code,
            Ending::Close(code) => return self.close(ctx, code),
        };
        let returns = code == UnsubscribeCode::InsufficientState;
        self.leave(ctx, channel, returns);
        if self.lingering.contains_key(channel) {
            let until = now.instant + limits::RESUBSCRIBE_GRACE;
            ctx.timers
                .set(self.conn, Timer::Leave(channel.clone()), until);
        }
        let push = Push::Unsubscribe(message::Unsubscribe::from(&code));
        let Ok(message) = encode_push(self.encoding, channel.as_str(), &push) else {
            return;
        };
        let frame = Frame::other(framing::frame(self.encoding, &message));
        let sent = self.push(ctx, channel, frame);
        self.close_if_failed(ctx, sent);
    }

    /// Something of the channel is missing: the client must come back for it.
    pub(super) fn lose(&mut self, ctx: &mut Context, now: Now, channel: &Channel) {
        let Some(subscription) = ctx.subscribers.get(channel, self.conn) else {
            return;
        };
        let ending = subscription.side.insufficient_state();
        ctx.counters.insufficient_states += 1;
        self.end_subscription(ctx, now, channel, ending);
    }

    /// The time to tell the client of an epoch change has come.
    pub(super) fn end_if_awaiting(&mut self, ctx: &mut Context, now: Now, channel: &Channel) {
        let subscription = ctx.subscribers.get(channel, self.conn);
        if subscription.is_some_and(|subscription| subscription.awaits_telling) {
            self.lose(ctx, now, channel);
        }
    }

    /// Leaves a channel; `returns` leaves presence as it is for a while.
    fn leave(&mut self, ctx: &mut Context, channel: &Channel, returns: bool) {
        let info = self.info_in(channel);
        if self.memberships.remove(channel).is_none() {
            return;
        }
        ctx.timers.cancel(self.conn, Timer::Tell(channel.clone()));
        let subscription = ctx.subscribers.remove(channel, self.conn);
        if subscription.is_some_and(|subscription| subscription.is_present) {
            if returns && self.lingering.len() < ctx.config.channel_limit {
                self.lingering.insert(channel.clone(), info);
            } else {
                ctx.send(ToUpstream::Left {
                    channel: channel.clone(),
                    client: info,
                });
            }
        }
        ctx.release(channel);
    }

    /// Leaves every channel, and presence with it.
    pub(super) fn leave_all_channels(&mut self, ctx: &mut Context) {
        let channels: Vec<Channel> = self.memberships.keys().cloned().collect();
        for channel in channels {
            self.leave(ctx, &channel, false);
        }
        for (channel, client) in mem::take(&mut self.lingering) {
            ctx.send(ToUpstream::Left { channel, client });
        }
    }

    /// Tells the owner that the client is present; one that never left isn't told of twice.
    pub(super) fn announce(&mut self, ctx: &mut Context, channel: &Channel) {
        if self.phase != Phase::Open {
            return;
        }
        let client = self.info_in(channel);
        ctx.timers.cancel(self.conn, Timer::Leave(channel.clone()));
        if self
            .lingering
            .remove(channel)
            .is_none_or(|known| known != client)
        {
            ctx.send(ToUpstream::Joined {
                channel: channel.clone(),
                client,
            });
        }
    }

    /// The client hasn't come back to a channel where it is still present.
    pub(super) fn stop_lingering(&mut self, ctx: &mut Context, channel: &Channel) {
        ctx.timers.cancel(self.conn, Timer::Leave(channel.clone()));
        if let Some(client) = self.lingering.remove(channel) {
            ctx.send(ToUpstream::Left {
                channel: channel.clone(),
                client,
            });
        }
    }

    /// The client as others see it in a channel.
    pub(super) fn info_in(&self, channel: &Channel) -> ClientInfo {
        let membership = self.memberships.get(channel);
        ClientInfo {
            user: self.identity.user.clone(),
            client: self.identity.client.clone(),
            conn_info: Payload::new(self.identity.info.clone()),
            chan_info: membership.map_or_else(Payload::default, |m| Payload::new(m.info.clone())),
        }
    }

    /// The client before a channel's rules; one whose subscribe is in flight counts as subscribed, it was allowed to.
    pub(super) fn access<'a>(
        &'a self,
        namespace: &'a Namespace,
        channel: &'a Channel,
    ) -> Access<'a> {
        let is_subscriber = self.memberships.contains_key(channel);
        Access {
            namespace,
            channel,
            user: &self.identity.user,
            is_subscriber,
        }
    }
}
