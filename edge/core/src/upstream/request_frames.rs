//! What each request looks like on the link, and how much room its answer may take.

use trunkline_shared::frame::{History, HistoryQuery, Pull, RemoveHistory, Subscribe, ToNode};
use trunkline_shared::limits::PIECE_BYTES_MAX;
use trunkline_shared::{Channel, Instant, RequestId, Slot};

use super::Upstream;
use super::requests::Ask;

/// Room of an answer that is one small frame.
const SMALL_ANSWER_BYTES: usize = 256;

/// Room of an answer whose length only the node knows.
const LONG_ANSWER_BYTES: usize = 1 << 20;

impl Upstream {
    /// The frame of a request and the room of its answer.
    pub(super) fn request_frame(&self, id: RequestId) -> Option<(ToNode, usize)> {
        let request = self.requests.get(id)?;
        let slot = request.slot;
        Some(match &request.ask {
            Ask::Subscribe(channel) => (
                self.subscribe_frame(id, slot?, channel)?,
                SMALL_ANSWER_BYTES,
            ),
            Ask::Pull(channel) => (self.pull_frame(id, slot?, channel)?, 3 * PIECE_BYTES_MAX),
            Ask::Recover {
                channel,
                after,
                limit,
            } => {
                let query = HistoryQuery::Newest {
                    after: *after,
                    limit: *limit,
                };
                history(id, slot?, channel, query, self.config.recovery_bytes_max)
            }
            Ask::Positions { channels, .. } => {
                let room = channels
                    .iter()
                    .map(|(_, channel)| 32 + channel.as_str().len())
                    .sum::<usize>();
                (
                    ToNode::CheckPositions {
                        request: id,
                        channels: channels.clone(),
                    },
                    SMALL_ANSWER_BYTES + room,
                )
            }
            Ask::History {
                channel,
                query,
                bytes_max,
                ..
            } => history(id, slot?, channel, *query, *bytes_max),
            Ask::RemoveHistory { channel, .. } => (
                ToNode::RemoveHistory(RemoveHistory {
                    request: id,
                    slot: slot?,
                    channel: channel.clone(),
                    time_left_ms: millis_left(request.deadline, self.now.instant),
                }),
                SMALL_ANSWER_BYTES,
            ),
            Ask::Presence { channel, .. } => (
                ToNode::Presence {
                    request: id,
                    slot: slot?,
                    channel: channel.clone(),
                },
                LONG_ANSWER_BYTES,
            ),
            Ask::PresenceStats { channel, .. } => (
                ToNode::PresenceStats {
                    request: id,
                    slot: slot?,
                    channel: channel.clone(),
                },
                SMALL_ANSWER_BYTES,
            ),
            Ask::Info { .. } => (ToNode::Info { request: id }, LONG_ANSWER_BYTES),
        })
    }

    fn subscribe_frame(&self, request: RequestId, slot: Slot, channel: &Channel) -> Option<ToNode> {
        let at = self.interest.get(channel)?.position();
        let view = self.routing.view_version();
        Some(ToNode::Subscribe(Subscribe {
            request,
            slot,
            channel: channel.clone(),
            view,
            at,
        }))
    }

    fn pull_frame(&self, request: RequestId, slot: Slot, channel: &Channel) -> Option<ToNode> {
        let after = self.interest.get(channel)?.position()?;
        Some(ToNode::Pull(Pull {
            request,
            slot,
            channel: channel.clone(),
            after,
        }))
    }
}

fn millis_left(deadline: Instant, now: Instant) -> u32 {
    u32::try_from(deadline.since(now).as_millis()).unwrap_or(u32::MAX)
}

fn history(
    request: RequestId,
    slot: Slot,
    channel: &Channel,
    query: HistoryQuery,
    bytes_max: u32,
) -> (ToNode, usize) {
    let room = usize::try_from(bytes_max)
        .unwrap_or(usize::MAX)
        .saturating_add(PIECE_BYTES_MAX);
    (
        ToNode::History(History {
            request,
            slot,
            channel: channel.clone(),
            query,
            bytes_max,
        }),
        room,
    )
}
