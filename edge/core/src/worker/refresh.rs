//! New tokens for what expires: the connection (`client-protocol.md` §10) and subscriptions (§7.7).

use trunkline_protocol::message::{RefreshResult, SubRefreshRequest, SubRefreshResult};
use trunkline_protocol::{DisconnectCode, ErrorCode, ReplyBody};
use trunkline_shared::{Channel, Now, UnixMillis};

use super::context::Context;
use super::plan::ttl;
use super::refusal::{Deed, Denied};
use super::session::{Failure, Outcome, Session};
use crate::auth::TokenError;

impl Session {
    /// Takes a new connection token of the same user.
    pub(super) fn on_refresh(&mut self, ctx: &mut Context, now: Now, id: u32, token: &str) {
        match self.refresh(ctx, now, token) {
            Ok(expire_at) => {
                self.identity.expire_at = expire_at;
                self.schedule_expiry(ctx, now);
                let result = RefreshResult {
                    client: self.identity.client.to_string(),
                    version: String::new(),
                    expires: expire_at.is_some(),
                    ttl: expire_at.map_or(0, |at| ttl(now.unix, at)),
                };
                self.reply(ctx, id, ReplyBody::Refresh(result));
            }
            Err(code) => self.close(ctx, code),
        }
    }

    fn refresh(
        &self,
        ctx: &Context,
        now: Now,
        token: &str,
    ) -> Result<Option<UnixMillis>, DisconnectCode> {
        if token.is_empty() {
            return Err(DisconnectCode::BadRequest);
        }
        let token = ctx
            .verifier
            .connection(token, now.unix)
            .map_err(|error| match error {
                TokenError::Expired => DisconnectCode::Expired,
                TokenError::Invalid => DisconnectCode::InvalidToken,
            })?;
        if token.user != self.identity.user {
            return Err(DisconnectCode::InvalidToken);
        }
        if token.expire_at.is_some_and(|at| at <= now.unix) {
            return Err(DisconnectCode::Expired);
        }
        Ok(token.expire_at)
    }

    /// Takes a new subscription token of the same user, channel and client.
    pub(super) fn on_sub_refresh(
        &mut self,
        ctx: &mut Context,
        now: Now,
        id: u32,
        request: &SubRefreshRequest,
    ) {
        self.in_channel(
            ctx,
            id,
            Deed::Subscribe,
            &request.channel,
            |session, ctx, channel| session.sub_refresh(ctx, now, channel, request),
        );
    }

    fn sub_refresh(
        &mut self,
        ctx: &mut Context,
        now: Now,
        channel: &Channel,
        request: &SubRefreshRequest,
    ) -> Result<Outcome, Failure> {
        if request.r#type != 0 {
            return Err(ErrorCode::NotAvailable.into());
        }
        let Some(side) = ctx
            .subscribers
            .get(channel, self.conn)
            .map(|mine| mine.side)
        else {
            return Err(Denied::NotSubscribed.into());
        };
        if request.token.is_empty() {
            return Err(ErrorCode::BadRequest.into());
        }
        let token = match ctx.verifier.subscription(&request.token, now.unix) {
            Ok(token) => token,
            Err(TokenError::Invalid) => return Err(DisconnectCode::InvalidToken.into()),
            Err(TokenError::Expired) => {
                // An error reply would end the subscription in SDKs for good. The push makes them subscribe again and
                // fetch a fresh token; the empty reply then finds no subscription to prolong.
                self.end_subscription(ctx, now, channel, side.expired());
                return Ok(Outcome::Reply(ReplyBody::SubRefresh(
                    SubRefreshResult::default(),
                )));
            }
        };
        self.check_owner(&token, channel)?;
        if token.expire_at.is_some_and(|at| at <= now.unix) {
            return Err(ErrorCode::Expired.into());
        }
        if let Some(subscription) = ctx.subscribers.get(channel, self.conn) {
            subscription.expire_at = token.expire_at;
        }
        Ok(Outcome::Reply(ReplyBody::SubRefresh(SubRefreshResult {
            expires: token.expire_at.is_some(),
            ttl: token.expire_at.map_or(0, |at| ttl(now.unix, at)),
        })))
    }
}
