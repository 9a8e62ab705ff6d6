//! A session's way out: answers and pushes become frames, in order, and the socket is marked dirty.

use trunkline_protocol::{DisconnectCode, ErrorCode, Reply, ReplyBody, encode_reply};
use trunkline_shared::{Channel, limits};

use super::Output;
use super::context::Context;
use super::outbox::Frame;
use super::session::{Phase, Session};
use crate::exchange::Ticket;
use crate::framing;

impl Session {
    /// Answers a command that concerns no channel.
    pub(super) fn reply(&mut self, ctx: &mut Context, id: u32, body: ReplyBody) {
        let sent = self
            .encode(id, body)
            .and_then(|frame| self.queue(ctx, frame));
        self.close_if_failed(ctx, sent);
    }

    /// Answers a command that concerns no channel with an error.
    pub(super) fn reply_error(&mut self, ctx: &mut Context, id: u32, code: ErrorCode) {
        ctx.counters.error(code);
        self.reply(ctx, id, ReplyBody::Error(code.into()));
    }

    /// Answers a command about a channel at once, but not before earlier ones of the channel.
    pub(super) fn reply_in_channel(
        &mut self,
        ctx: &mut Context,
        channel: &Channel,
        id: u32,
        body: ReplyBody,
    ) {
        let sent = match self.encode(id, body) {
            Ok(frame) => match self.order.answer_now(channel, frame) {
                Some(frame) => self.queue(ctx, frame),
                None => self.check_held(),
            },
            Err(code) => Err(code),
        };
        self.close_if_failed(ctx, sent);
    }

    /// Answers a command that was asked upstream, and sends what waited for it.
    pub(super) fn answer(
        &mut self,
        ctx: &mut Context,
        channel: &Channel,
        ticket: Ticket,
        frame: Frame,
        opens_channel: bool,
    ) {
        let ready = self.order.answer(channel, ticket, frame, opens_channel);
        let sent = ready
            .into_iter()
            .try_for_each(|frame| self.queue(ctx, frame));
        let sent = sent.and_then(|()| self.check_held());
        self.close_if_failed(ctx, sent);
        self.pace(ctx);
    }

    /// Pushes something of a channel, but not before its subscribe reply.
    ///
    /// # Errors
    /// With the code that the connection must be closed with.
    pub(super) fn push(
        &mut self,
        ctx: &mut Context,
        channel: &Channel,
        frame: Frame,
    ) -> Result<(), DisconnectCode> {
        if self.order.is_empty() {
            return self.queue(ctx, frame);
        }
        match self.order.hold(channel, frame) {
            Some(frame) => self.queue(ctx, frame),
            None => self.check_held(),
        }
    }

    /// Makes the frame of a reply.
    ///
    /// # Errors
    /// With the code that the connection must be closed with: the client's encoding can't carry the reply, or the reply
    /// alone exceeds the queue.
    pub(super) fn encode(&self, id: u32, body: ReplyBody) -> Result<Frame, DisconnectCode> {
        let mut message = Vec::new();
        encode_reply(self.encoding, &Reply { id, body }, &mut message)
            .map_err(|_| DisconnectCode::InappropriateProtocol)?;
        let frame = framing::frame(self.encoding, &message);
        if frame.len() > self.outbox.bytes_max() {
            return Err(DisconnectCode::Slow);
        }
        Ok(Frame::other(frame))
    }

    /// Puts a frame into the outbox; after the close nothing more.
    ///
    /// # Errors
    /// When that is full.
    pub(super) fn queue(&mut self, ctx: &mut Context, frame: Frame) -> Result<(), DisconnectCode> {
        if self.phase == Phase::Closed {
            return Ok(());
        }
        ctx.counters.frames_out += 1;
        ctx.counters.bytes_out += frame.bytes.len() as u64;
        ctx.counters.publications_out += u64::from(frame.is_publication);
        self.outbox.push(frame);
        self.mark_dirty(ctx);
        if self.outbox.is_full() {
            Err(DisconnectCode::Slow)
        } else {
            Ok(())
        }
    }

    /// The socket has taken something.
    pub(super) fn on_written(&mut self, ctx: &mut Context, bytes: usize, blocked: bool) {
        self.outbox.written(bytes, blocked);
        if !self.outbox.is_empty() {
            self.mark_dirty(ctx);
        }
        if self.outbox.is_full() {
            self.close(ctx, DisconnectCode::Slow);
        }
    }

    /// Bytes that a reply may have to fit behind what waits.
    pub(super) const fn room(&self) -> usize {
        self.outbox.room().saturating_sub(self.order.bytes())
    }

    /// The shell waits for a blocked socket by itself.
    fn mark_dirty(&mut self, ctx: &mut Context) {
        if !self.is_dirty && !self.outbox.is_blocked() {
            self.is_dirty = true;
            ctx.dirty.push_back(self.conn);
        }
    }

    /// What is held back counts for the queue as well.
    const fn check_held(&self) -> Result<(), DisconnectCode> {
        if self.order.bytes() > self.outbox.bytes_max() {
            return Err(DisconnectCode::Slow);
        }
        Ok(())
    }

    /// Closes the connection if something couldn't be sent.
    pub(super) fn close_if_failed(&mut self, ctx: &mut Context, sent: Result<(), DisconnectCode>) {
        if let Err(code) = sent {
            self.close(ctx, code);
        }
    }

    /// Stops reading a socket with too many commands in flight, and goes on at half of them.
    pub(super) fn pace(&mut self, ctx: &mut Context) {
        let (conn, in_flight) = (self.conn, self.order.in_flight());
        if self.phase == Phase::Closed {
            return;
        }
        if !self.is_paused && in_flight >= limits::COMMANDS_IN_FLIGHT_MAX {
            self.is_paused = true;
            ctx.outputs.push_back(Output::PauseReading { conn });
        } else if self.is_paused && in_flight <= limits::COMMANDS_IN_FLIGHT_MAX / 2 {
            self.is_paused = false;
            ctx.outputs.push_back(Output::ResumeReading { conn });
        }
    }
}
