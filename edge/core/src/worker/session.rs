//! One connection: its state, and which of its parts each command goes to (`client-protocol.md` §4).
//!
//! What each command does is in a file of its own; here is only what all of them share.

use std::collections::BTreeMap;

use bytes::Bytes;
use smol_str::SmolStr;
use trunkline_protocol::{
    Command, DisconnectCode, Encoding, ErrorCode, ReplyBody, Request, decode_commands,
};
use trunkline_shared::{Channel, ChannelError, ClientInfo, Now, UnixMillis};

use super::context::Context;
use super::outbox::Outbox;
use super::refusal::{Deed, Denied, Refusal};
use super::reply_order::ReplyOrder;
use super::timers::Timer;
use super::{ConnId, Output};
use crate::exchange::Ticket;

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It must connect first.
    AwaitingConnect,
    /// It has connected.
    Open,
    /// Its connect failed: whatever it sends now closes it.
    Unusable,
    /// We have closed it; its socket may still be written.
    Closed,
}

/// Who has connected.
#[derive(Clone, Debug, Default)]
pub(super) struct Identity {
    /// Empty for an anonymous client.
    pub(super) user: SmolStr,
    /// The connection's id.
    pub(super) client: SmolStr,
    pub(super) info: Bytes,
    /// When the connection is over; `None` for never.
    pub(super) expire_at: Option<UnixMillis>,
}

/// A channel that a connection has, or is about to.
#[derive(Clone, Debug)]
pub(super) struct Membership {
    /// The subscribe that isn't answered; none once it is.
    pub(super) asked: Option<Ticket>,
    pub(super) info: Bytes,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) conn: ConnId,
    pub(super) encoding: Encoding,
    /// Pings of the client protocol are sent; else the shell sends those of WebSocket.
    pub(super) sends_pings: bool,
    pub(super) phase: Phase,
    pub(super) identity: Identity,
    pub(super) memberships: BTreeMap<Channel, Membership>,
    /// Where it is still present after a 2500, and as whom.
    pub(super) lingering: BTreeMap<Channel, ClientInfo>,
    pub(super) outbox: Outbox,
    pub(super) order: ReplyOrder,
    pub(super) is_dirty: bool,
    pub(super) is_paused: bool,
    pub(super) awaits_pong: bool,
}

/// What came of a command.
pub(super) enum Outcome {
    /// It is answered at once.
    Reply(ReplyBody),
    /// It is asked upstream.
    Asked(Ticket),
}

/// Why a command isn't done.
pub(super) enum Failure {
    /// It is answered with error 103.
    Denied(Denied),
    /// It is answered with another error.
    Error(ErrorCode),
    /// The connection ends, without an answer.
    Close(DisconnectCode),
}

impl Failure {
    /// What the client is told: an error, or the code that its connection is closed with.
    pub(super) fn told(self) -> Result<ErrorCode, DisconnectCode> {
        match self {
            Self::Denied(_) => Ok(ErrorCode::PermissionDenied),
            Self::Error(code) => Ok(code),
            Self::Close(code) => Err(code),
        }
    }
}

impl From<Denied> for Failure {
    fn from(why: Denied) -> Self {
        Self::Denied(why)
    }
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Self::Error(code)
    }
}

impl From<DisconnectCode> for Failure {
    fn from(code: DisconnectCode) -> Self {
        Self::Close(code)
    }
}

impl Session {
    /// Makes the session of a new socket; it must connect in time.
    pub(super) fn new(
        ctx: &mut Context,
        now: Now,
        conn: ConnId,
        encoding: Encoding,
        sends_pings: bool,
    ) -> Self {
        ctx.timers.set(
            conn,
            Timer::Stale,
            now.instant + ctx.config.stale_close_delay,
        );
        let config = &ctx.config;
        Self {
            conn,
            encoding,
            sends_pings,
            phase: Phase::AwaitingConnect,
            identity: Identity::default(),
            memberships: BTreeMap::new(),
            lingering: BTreeMap::new(),
            outbox: Outbox::new(config.queue_bytes_max(), config.queue_max_publications),
            order: ReplyOrder::default(),
            is_dirty: false,
            is_paused: false,
            awaits_pong: false,
        }
    }

    /// Takes one WebSocket message: its commands in order, up to the first that ends the connection.
    pub(super) fn on_message(&mut self, ctx: &mut Context, now: Now, message: &Bytes) {
        if self.phase == Phase::Closed {
            return;
        }
        ctx.counters.messages_in += 1;
        for command in decode_commands(self.encoding, message) {
            match command {
                _ if self.phase == Phase::Closed => break,
                Ok(command) => self.on_command(ctx, now, command),
                Err(_) => self.close(ctx, DisconnectCode::BadRequest),
            }
        }
        self.pace(ctx);
    }

    fn on_command(&mut self, ctx: &mut Context, now: Now, command: Command) {
        ctx.counters.commands += 1;
        let is_connect = matches!(command.request, Request::Connect(_));
        match self.phase {
            Phase::Closed => {}
            Phase::AwaitingConnect if is_connect && command.id != 0 => {
                self.dispatch(ctx, now, command);
            }
            Phase::AwaitingConnect | Phase::Unusable => self.close(ctx, DisconnectCode::BadRequest),
            Phase::Open if command.is_pong() => self.on_pong(ctx),
            Phase::Open => self.dispatch(ctx, now, command),
        }
    }

    fn dispatch(&mut self, ctx: &mut Context, now: Now, command: Command) {
        let Command { id, request } = command;
        match request {
            Request::Connect(request) => self.on_connect(ctx, now, id, &request),
            Request::Subscribe(request) => self.on_subscribe(ctx, now, id, &request),
            Request::Unsubscribe(request) => self.on_unsubscribe(ctx, id, &request.channel),
            Request::Publish(request) => self.on_publish(ctx, now, id, request),
            Request::Presence(request) => self.on_presence(ctx, now, id, &request.channel),
            Request::PresenceStats(request) => {
                self.on_presence_stats(ctx, now, id, &request.channel);
            }
            Request::History(request) => self.on_history(ctx, now, id, &request),
            Request::Refresh(request) => self.on_refresh(ctx, now, id, &request.token),
            Request::SubRefresh(request) => self.on_sub_refresh(ctx, now, id, &request),
            Request::Rpc(request) => self.on_rpc(ctx, now, id, &request),
            Request::Send(_) => self.close(ctx, DisconnectCode::NotAvailable),
            Request::Ping | Request::None => self.close(ctx, DisconnectCode::BadRequest),
        }
    }

    /// Runs a command about a channel, whose answers keep their order within the channel.
    pub(super) fn in_channel(
        &mut self,
        ctx: &mut Context,
        id: u32,
        deed: Deed,
        name: &str,
        run: impl FnOnce(&mut Self, &mut Context, &Channel) -> Result<Outcome, Failure>,
    ) {
        let channel = match Channel::parse(name) {
            Ok(channel) => channel,
            Err(ChannelError::Empty) => return self.close(ctx, DisconnectCode::BadRequest),
            Err(ChannelError::TooLong { .. }) => {
                return self.reply_error(ctx, id, ErrorCode::BadRequest);
            }
        };
        let outcome = run(self, ctx, &channel);
        let failure = outcome.as_ref().err();
        if let Some(refusal) = failure.and_then(|why| Refusal::of(deed, &channel, why)) {
            ctx.refuse(refusal);
        }
        match outcome.map_err(Failure::told) {
            Ok(Outcome::Reply(body)) => self.reply_in_channel(ctx, &channel, id, body),
            Ok(Outcome::Asked(ticket)) => self.order.ask(channel, ticket),
            Err(Ok(code)) => {
                ctx.counters.error(code);
                self.reply_in_channel(ctx, &channel, id, ReplyBody::Error(code.into()));
            }
            Err(Err(code)) => self.close(ctx, code),
        }
    }

    /// Ends the connection: it leaves every table but the one of sockets at once.
    ///
    /// What is queued is still written, unless the client is too slow for it.
    pub(super) fn close(&mut self, ctx: &mut Context, code: DisconnectCode) {
        if self.phase == Phase::Closed {
            return;
        }
        let flush = code != DisconnectCode::Slow;
        if !flush {
            self.outbox.clear();
        }
        ctx.counters.close(&code);
        ctx.outputs.push_back(Output::Close {
            conn: self.conn,
            code,
            flush,
        });
        self.leave_everything(ctx);
    }

    /// Leaves every table but the one of sockets.
    pub(super) fn leave_everything(&mut self, ctx: &mut Context) {
        self.leave_all_channels(ctx);
        ctx.timers.cancel_all(self.conn);
        if self.phase == Phase::Open {
            self.count_out(ctx);
        }
        self.order = ReplyOrder::default();
        self.phase = Phase::Closed;
    }
}
