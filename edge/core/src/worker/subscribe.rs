//! Subscribing: the checks before upstream is asked, and what follows its answer (`client-protocol.md` §7).

use std::sync::Arc;

use trunkline_protocol::message::SubscribeRequest;
use trunkline_protocol::{DisconnectCode, ErrorCode, ReplyBody};
use trunkline_shared::{Channel, Now, Position};

use super::admission::{self, authorize};
use super::channel_name;
use super::context::{Asked, Context, Pending};
use super::outbox::Frame;
use super::permission::Access;
use super::plan::{Grant, Plan};
use super::refusal::Deed;
use super::session::{Failure, Identity, Membership, Outcome, Session};
use crate::auth::SubscriptionToken;
use crate::exchange::{Ticket, ToUpstream};
use crate::shared_publication::SharedPublication;

/// `type` of a shared-poll subscription, which needs a channel of that type: refused before anything else is looked at.
const SHARED_POLL: i32 = 4;

impl Session {
    /// Asks upstream for a channel if the client may have it.
    pub(super) fn on_subscribe(
        &mut self,
        ctx: &mut Context,
        now: Now,
        id: u32,
        request: &SubscribeRequest,
    ) {
        let is_named = !request.channel.is_empty();
        if is_named && request.r#type == SHARED_POLL {
            return self.reply_error(ctx, id, ErrorCode::NotAvailable);
        }
        if !matches!(request.delta.as_str(), "" | "fossil") {
            return self.close(ctx, DisconnectCode::BadRequest);
        }
        self.in_channel(
            ctx,
            id,
            Deed::Subscribe,
            &request.channel,
            |session, ctx, channel| session.subscribe(ctx, now, id, channel, request),
        );
    }

    fn subscribe(
        &mut self,
        ctx: &mut Context,
        now: Now,
        id: u32,
        channel: &Channel,
        request: &SubscribeRequest,
    ) -> Result<Outcome, Failure> {
        if self.memberships.contains_key(channel) {
            return Err(ErrorCode::AlreadySubscribed.into());
        }
        if self.memberships.len() >= ctx.config.channel_limit {
            return Err(ErrorCode::LimitExceeded.into());
        }
        let rules = ctx.rules.clone();
        let namespace = channel_name::namespace(rules.as_deref(), channel)?;
        if request.r#type != 0 {
            return Err(ErrorCode::NotAvailable.into());
        }
        let access = Access {
            is_subscriber: true,
            ..self.access(namespace, channel)
        };
        let client = &self.identity.client;
        let grant = authorize(access, client, &ctx.verifier, now.unix, &request.token)?;
        if request.tf.is_some() {
            return Err(ErrorCode::BadRequest.into());
        }
        if grant.expire_at.is_some_and(|at| at <= now.unix) {
            return Err(ErrorCode::Expired.into());
        }
        let plan = Plan::new(access, request, &grant);
        Ok(Outcome::Asked(
            self.ask_for(ctx, now, id, channel, plan, grant),
        ))
    }

    /// Whether a subscription token is for this channel and this client; another one's closes the connection.
    pub(super) fn check_owner(
        &self,
        token: &SubscriptionToken,
        channel: &Channel,
    ) -> Result<(), DisconnectCode> {
        let Identity { user, client, .. } = &self.identity;
        admission::check_owner(token, user, client, channel)
    }

    fn ask_for(
        &mut self,
        ctx: &mut Context,
        now: Now,
        id: u32,
        channel: &Channel,
        plan: Plan,
        grant: Grant,
    ) -> Ticket {
        let recover = plan.recover(ctx.config.recovery_max_publication_limit);
        let asked = Asked::Subscribe(Box::new(plan));
        let ticket = ctx.ask(Pending {
            conn: self.conn,
            id,
            channel: channel.clone(),
            asked,
        });
        let membership = Membership {
            asked: Some(ticket),
            info: grant.info,
        };
        self.memberships.insert(channel.clone(), membership);
        ctx.subscribers.ask(channel);
        let deadline = ctx.deadline(now);
        ctx.send(ToUpstream::Subscribe {
            ticket,
            deadline,
            channel: channel.clone(),
            recover,
        });
        ticket
    }

    /// The channel's publications follow from `position` on: the reply, and then the subscription.
    ///
    /// A subscribe that was ended by an unsubscribe meanwhile is answered all the same, and delivers nothing.
    pub(super) fn on_subscribed(
        &mut self,
        ctx: &mut Context,
        now: Now,
        ticket: Ticket,
        command: (u32, Channel),
        plan: &Plan,
        answer: (Option<Position>, Option<Vec<Arc<SharedPublication>>>),
    ) {
        let ((id, channel), (position, caught_up)) = (command, answer);
        let is_wanted = self.awaits(&channel, ticket);
        let missed = plan.missed(position, caught_up.as_deref());
        let reply = self.subscribe_reply(ctx, now, id, plan, position, missed);
        let reply = match reply.map_err(Failure::told) {
            Ok(frame) => frame,
            Err(Err(code)) => return self.close(ctx, code),
            Err(Ok(code)) => return self.on_refused(ctx, ticket, id, &channel, code),
        };
        if !is_wanted {
            return self.answer(ctx, &channel, ticket, reply, false);
        }
        if let Some(membership) = self.memberships.get_mut(&channel) {
            membership.asked = None;
        }
        ctx.subscribers
            .add(&channel, self.conn, plan.subscription(position));
        self.answer(ctx, &channel, ticket, reply, true);
        if plan.announces {
            self.announce(ctx, &channel);
        }
    }

    /// Upstream won't do it; whatever the client had of the channel is gone.
    pub(super) fn on_refused(
        &mut self,
        ctx: &mut Context,
        ticket: Ticket,
        id: u32,
        channel: &Channel,
        code: ErrorCode,
    ) {
        if self.awaits(channel, ticket) {
            self.memberships.remove(channel);
        }
        ctx.counters.error(code);
        match self.encode(id, ReplyBody::Error(code.into())) {
            Ok(frame) => self.answer(ctx, channel, ticket, frame, false),
            Err(code) => self.close(ctx, code),
        }
    }

    /// Whether this very subscribe is still wanted.
    fn awaits(&self, channel: &Channel, ticket: Ticket) -> bool {
        self.memberships
            .get(channel)
            .is_some_and(|membership| membership.asked == Some(ticket))
    }

    /// Makes the reply; what was missed but doesn't fit the queue isn't recovered.
    fn subscribe_reply(
        &self,
        ctx: &mut Context,
        now: Now,
        id: u32,
        plan: &Plan,
        position: Option<Position>,
        missed: Option<Vec<trunkline_protocol::message::Publication>>,
    ) -> Result<Frame, Failure> {
        let carries = missed.as_ref().is_some_and(|missed| !missed.is_empty());
        let mut recovered = missed.is_some();
        let body = ReplyBody::Subscribe(plan.result(now.unix, position, missed));
        let mut frame = match self.encode(id, body) {
            Err(DisconnectCode::Slow) if carries => None,
            encoded => Some(encoded?),
        };
        if carries
            && frame
                .as_ref()
                .is_none_or(|frame| frame.bytes.len() > self.room())
        {
            ctx.counters.unfit_recoveries += 1;
            (recovered, frame) = (false, None);
        }
        if plan.was_recovering() {
            ctx.counters.recovered += u64::from(recovered);
            ctx.counters.unrecovered += u64::from(!recovered);
        }
        if !recovered && plan.rejects_unrecovered() {
            return Err(ErrorCode::UnrecoverablePosition.into());
        }
        match frame {
            Some(frame) => Ok(frame),
            None => {
                let result = plan.result(now.unix, position, None);
                Ok(self.encode(id, ReplyBody::Subscribe(result))?)
            }
        }
    }
}
