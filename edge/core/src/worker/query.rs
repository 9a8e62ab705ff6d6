//! Questions about a channel: presence and history (`client-protocol.md` §9).

use trunkline_protocol::message::{
    HistoryRequest, HistoryResult, PresenceResult, PresenceStatsResult,
};
use trunkline_protocol::{DisconnectCode, ErrorCode, ReplyBody};
use trunkline_shared::frame::HistoryQuery;
use trunkline_shared::{Channel, ClientInfo, Now, Offset, Position, Publication, limits};

use super::channel_name;
use super::context::{Asked, Context, Pending};
use super::outbox::Frame;
use super::plan::OFFSET_MAX;
use super::refusal::Deed;
use super::session::{Failure, Outcome, Session};
use crate::convert;
use crate::exchange::{Ticket, ToUpstream};

impl Session {
    /// Asks who is in a channel.
    pub(super) fn on_presence(&mut self, ctx: &mut Context, now: Now, id: u32, name: &str) {
        self.in_channel(ctx, id, Deed::Presence, name, |session, ctx, channel| {
            session.check_presence(ctx, channel)?;
            let (ticket, channel) = session.ask(ctx, id, channel, Asked::Presence);
            let deadline = ctx.deadline(now);
            ctx.send(ToUpstream::Presence {
                ticket,
                deadline,
                channel,
            });
            Ok(Outcome::Asked(ticket))
        });
    }

    /// Asks how many are in a channel.
    pub(super) fn on_presence_stats(&mut self, ctx: &mut Context, now: Now, id: u32, name: &str) {
        self.in_channel(ctx, id, Deed::Presence, name, |session, ctx, channel| {
            session.check_presence(ctx, channel)?;
            let (ticket, channel) = session.ask(ctx, id, channel, Asked::PresenceStats);
            let deadline = ctx.deadline(now);
            ctx.send(ToUpstream::PresenceStats {
                ticket,
                deadline,
                channel,
            });
            Ok(Outcome::Asked(ticket))
        });
    }

    /// Asks for a part of a channel's past, as much as fits the send queue.
    pub(super) fn on_history(
        &mut self,
        ctx: &mut Context,
        now: Now,
        id: u32,
        request: &HistoryRequest,
    ) {
        self.in_channel(
            ctx,
            id,
            Deed::History,
            &request.channel,
            |session, ctx, channel| {
                let rules = ctx.rules.clone();
                let namespace = channel_name::namespace(rules.as_deref(), channel)?;
                if !namespace.has_history() {
                    return Err(ErrorCode::NotAvailable.into());
                }
                session.access(namespace, channel).check_history()?;
                let query = history_query(request, ctx.config.history_max_publication_limit)?;
                let bytes_max = session.room().min(limits::ANSWER_BYTES_MAX);
                let since = request.since.as_ref();
                let epoch = since.map_or_else(String::new, |since| since.epoch.clone());
                let (ticket, channel) = session.ask(ctx, id, channel, Asked::History(epoch));
                ctx.send(ToUpstream::History {
                    ticket,
                    deadline: ctx.deadline(now),
                    channel,
                    query,
                    bytes_max: u32::try_from(bytes_max).unwrap_or(u32::MAX),
                });
                Ok(Outcome::Asked(ticket))
            },
        );
    }

    fn check_presence(&self, ctx: &Context, channel: &Channel) -> Result<(), Failure> {
        let namespace = channel_name::namespace(ctx.rules.as_deref(), channel)?;
        if !namespace.presence {
            return Err(ErrorCode::NotAvailable.into());
        }
        Ok(self.access(namespace, channel).check_presence()?)
    }

    fn ask(
        &self,
        ctx: &mut Context,
        id: u32,
        channel: &Channel,
        asked: Asked,
    ) -> (Ticket, Channel) {
        let pending = Pending {
            conn: self.conn,
            id,
            channel: channel.clone(),
            asked,
        };
        (ctx.ask(pending), channel.clone())
    }

    /// Makes the reply to a history request, cut to what fits the send queue.
    pub(super) fn history_reply(
        &self,
        id: u32,
        epoch: &str,
        head: Position,
        publications: &[Publication],
    ) -> Result<Frame, Failure> {
        let head_epoch = head.epoch.to_string();
        if !epoch.is_empty() && epoch != head_epoch {
            return Err(ErrorCode::UnrecoverablePosition.into());
        }
        let mut result = HistoryResult {
            publications: publications.iter().map(convert::publication).collect(),
            epoch: head_epoch,
            offset: head.offset.0,
        };
        loop {
            let count = result.publications.len();
            match self.encode(id, ReplyBody::History(result.clone())) {
                Ok(frame) if count == 0 || frame.bytes.len() <= self.room() => return Ok(frame),
                Ok(_) | Err(DisconnectCode::Slow) if count > 0 => {
                    result.publications.truncate(count * 3 / 4);
                }
                Ok(frame) => return Ok(frame),
                Err(code) => return Err(code.into()),
            }
        }
    }
}

/// What to ask of the owner; a limit that is negative or above the maximum is the maximum.
fn history_query(request: &HistoryRequest, limit_max: u32) -> Result<HistoryQuery, ErrorCode> {
    let since = request
        .since
        .as_ref()
        .map(|since| Offset(since.offset.min(OFFSET_MAX)));
    if request.reverse && since == Some(Offset::ZERO) {
        return Err(ErrorCode::BadRequest);
    }
    let limit = u32::try_from(request.limit)
        .unwrap_or(limit_max)
        .min(limit_max);
    Ok(match (limit, request.reverse) {
        (0, _) => HistoryQuery::Position,
        (_, false) => HistoryQuery::Forward {
            after: since.unwrap_or_default(),
            limit,
        },
        (_, true) => HistoryQuery::Backward {
            before: since,
            limit,
        },
    })
}

/// Who is there, by connection.
pub(super) fn presence_body(clients: &[ClientInfo]) -> ReplyBody {
    let entries = clients
        .iter()
        .map(|info| (info.client.to_string(), convert::client_info(info)));
    ReplyBody::Presence(PresenceResult {
        presence: entries.collect(),
    })
}

/// How many are there.
pub(super) const fn presence_stats_body(clients: u32, users: u32) -> ReplyBody {
    ReplyBody::PresenceStats(PresenceStatsResult {
        num_clients: clients,
        num_users: users,
    })
}

#[cfg(test)]
mod tests {
    use trunkline_protocol::message::StreamPosition;

    use super::*;

    #[track_caller]
    fn check(
        limit: i32,
        since: Option<u64>,
        reverse: bool,
        expected: Result<HistoryQuery, ErrorCode>,
    ) {
        let since = since.map(|offset| StreamPosition {
            offset,
            epoch: String::new(),
        });
        let request = HistoryRequest {
            channel: "chat:1".into(),
            limit,
            since,
            reverse,
        };
        assert_eq!(history_query(&request, 10), expected);
    }

    #[test]
    fn a_limit_of_zero_asks_for_the_position_only() {
        check(0, None, false, Ok(HistoryQuery::Position));
        check(0, Some(5), false, Ok(HistoryQuery::Position));
    }

    #[test]
    fn a_negative_or_large_limit_is_the_maximum() {
        let forward = HistoryQuery::Forward {
            after: Offset::ZERO,
            limit: 10,
        };
        check(-1, None, false, Ok(forward));
        check(11, None, false, Ok(forward));
    }

    #[test]
    fn since_is_the_offset_before_the_first_one_in_either_direction() {
        let forward = HistoryQuery::Forward {
            after: Offset(5),
            limit: 3,
        };
        check(3, Some(5), false, Ok(forward));
        check(
            3,
            Some(5),
            true,
            Ok(HistoryQuery::Backward {
                before: Some(Offset(5)),
                limit: 3,
            }),
        );
        check(
            3,
            None,
            true,
            Ok(HistoryQuery::Backward {
                before: None,
                limit: 3,
            }),
        );
    }

    #[test]
    fn nothing_comes_before_the_first_one() {
        check(3, Some(0), true, Err(ErrorCode::BadRequest));
        check(0, Some(0), true, Err(ErrorCode::BadRequest));
    }
}
