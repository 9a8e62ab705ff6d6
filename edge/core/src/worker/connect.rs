//! The first command: who is there, and for how long (`client-protocol.md` §5).

use trunkline_protocol::message::{ConnectRequest, ConnectResult};
use trunkline_protocol::{DisconnectCode, ErrorCode, ReplyBody};
use trunkline_shared::Now;

use super::admission;
use super::context::Context;
use super::plan::ttl;
use super::refusal::{Refusal, RefusedConnect};
use super::session::{Failure, Identity, Phase, Session};
use super::timers::Timer;

/// What clients are told of the server: `trunkline/<semver>`.
pub const VERSION: &str = concat!("trunkline/", env!("CARGO_PKG_VERSION"));

impl Session {
    /// Opens the connection; a failed connect leaves it unusable, and it closes as stale if nothing else does.
    pub(super) fn on_connect(
        &mut self,
        ctx: &mut Context,
        now: Now,
        id: u32,
        request: &ConnectRequest,
    ) {
        if self.phase != Phase::AwaitingConnect {
            return self.close(ctx, DisconnectCode::BadRequest);
        }
        match identify(ctx, now, &request.token).map_err(Failure::told) {
            Ok(identity) => self.open(ctx, now, id, identity),
            Err(Err(code)) => self.close(ctx, code),
            Err(Ok(code)) => {
                self.phase = Phase::Unusable;
                self.reply_error(ctx, id, code);
            }
        }
    }

    fn open(&mut self, ctx: &mut Context, now: Now, id: u32, identity: Identity) {
        self.phase = Phase::Open;
        self.identity = identity;
        ctx.counters.connects += 1;
        *ctx.users.entry(self.identity.user.clone()).or_default() += 1;
        ctx.timers.cancel(self.conn, Timer::Stale);
        self.schedule_expiry(ctx, now);
        self.schedule_first_tick(ctx, now);
        let pings = self.schedule_first_ping(ctx, now);
        let interval = u32::try_from(ctx.config.ping_interval.as_secs()).unwrap_or(u32::MAX);
        let expire_at = self.identity.expire_at;
        let result = ConnectResult {
            client: self.identity.client.to_string(),
            version: VERSION.to_owned(),
            expires: expire_at.is_some(),
            ttl: expire_at.map_or(0, |at| ttl(now.unix, at)),
            ping: if pings { interval } else { 0 },
            pong: pings,
            ..ConnectResult::default()
        };
        self.reply(ctx, id, ReplyBody::Connect(result));
    }

    /// The connection no longer counts for its user.
    pub(super) fn count_out(&self, ctx: &mut Context) {
        let Some(count) = ctx.users.get_mut(&self.identity.user) else {
            return;
        };
        *count -= 1;
        if *count == 0 {
            ctx.users.remove(&self.identity.user);
        }
    }
}

/// Who has connected: what the token says, or nobody if that is allowed.
fn identify(ctx: &mut Context, now: Now, token: &str) -> Result<Identity, Failure> {
    let token =
        admission::identify(&ctx.config, &ctx.verifier, now.unix, token).and_then(|token| {
            if token.names_channels {
                // Server-side subscriptions aren't made yet: a client that counts on them must not think that it has them.
                let code = ErrorCode::NotAvailable;
                return Err((RefusedConnect::NamesChannels, code.into()));
            }
            Ok(token)
        });
    match token {
        Ok(token) => Ok(Identity {
            user: token.user,
            client: ctx.client_id(),
            info: token.info,
            expire_at: token.expire_at,
        }),
        Err((why, failure)) => {
            ctx.refuse(Refusal::Connect(why));
            Err(failure)
        }
    }
}
