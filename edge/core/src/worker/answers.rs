//! What upstream says, brought to the session that asked.

use trunkline_protocol::{ErrorCode, ReplyBody};
use trunkline_shared::Now;

use super::context::{Asked, Context, Pending};
use super::outbox::Frame;
use super::query::{presence_body, presence_stats_body};
use super::rpc::rpc_published_body;
use super::session::{Failure, Phase, Session};
use super::sessions::Sessions;
use crate::exchange::{Answer, RefusedBecause, Ticket};

/// Brings an answer to its session; one that is gone only gives its interest up.
pub(super) fn on_answer(
    ctx: &mut Context,
    sessions: &mut Sessions,
    now: Now,
    ticket: Ticket,
    answer: Answer,
) {
    let Some(pending) = ctx.pending.remove(&ticket) else {
        ctx.counters.unknown_answers += 1;
        return;
    };
    let is_subscribe = pending.is_subscribe();
    if is_subscribe {
        let is_registered = matches!(answer, Answer::Subscribed { .. });
        ctx.subscribers.answered(&pending.channel, is_registered);
    }
    let channel = pending.channel.clone();
    match sessions.get_mut(&pending.conn) {
        Some(session) if session.phase == Phase::Open => {
            session.on_answer(ctx, now, ticket, pending, answer);
        }
        Some(_) | None => {}
    }
    if is_subscribe {
        ctx.release(&channel);
    }
}

impl Session {
    fn on_answer(
        &mut self,
        ctx: &mut Context,
        now: Now,
        ticket: Ticket,
        pending: Pending,
        answer: Answer,
    ) {
        let Pending {
            id, channel, asked, ..
        } = pending;
        let reply = match (asked, answer) {
            (
                Asked::Subscribe(plan),
                Answer::Subscribed {
                    position,
                    caught_up,
                },
            ) => {
                let (command, answer) = ((id, channel), (position, caught_up));
                return self.on_subscribed(ctx, now, ticket, command, &plan, answer);
            }
            (Asked::Publish, Answer::Published { .. }) => self.plain(id, ReplyBody::Publish),
            (Asked::RpcPublish, Answer::Published { position }) => {
                self.plain(id, rpc_published_body(position))
            }
            (Asked::Presence, Answer::Presence(clients)) => self.plain(id, presence_body(&clients)),
            (Asked::PresenceStats, Answer::PresenceStats { clients, users }) => {
                self.plain(id, presence_stats_body(clients, users))
            }
            (
                Asked::History(epoch),
                Answer::History {
                    head, publications, ..
                },
            ) => self.history_reply(id, &epoch, head, &publications),
            (_, Answer::Refused(because)) => Err(Failure::Error(code_of(because))),
            // Upstream has answered something that wasn't asked.
            (_, _) => Err(Failure::Error(ErrorCode::Internal)),
        };
        match reply.map_err(Failure::told) {
            Ok(frame) => self.answer(ctx, &channel, ticket, frame, false),
            Err(Ok(code)) => self.on_refused(ctx, ticket, id, &channel, code),
            Err(Err(code)) => self.close(ctx, code),
        }
    }

    fn plain(&self, id: u32, body: ReplyBody) -> Result<Frame, Failure> {
        Ok(self.encode(id, body)?)
    }
}

const fn code_of(because: RefusedBecause) -> ErrorCode {
    match because {
        RefusedBecause::Temporary => ErrorCode::Internal,
        RefusedBecause::UnknownChannel => ErrorCode::UnknownChannel,
        RefusedBecause::NotAvailable => ErrorCode::NotAvailable,
    }
}
