//! Replies: what a server answers to a command.

use crate::EncodeError;
use crate::envelope::WriteMessage;
use crate::message::{
    ConnectResult, Error, HistoryResult, PingResult, PresenceResult, PresenceStatsResult,
    PublishResult, RefreshResult, RpcResult, SubRefreshResult, SubscribeResult, UnsubscribeResult,
    wire,
};

/// The answer to one command.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The command's id.
    pub id: u32,
    /// Its result, or why it has none.
    pub body: ReplyBody,
}

/// A command's result or error.
#[derive(Clone, Debug, PartialEq)]
pub enum ReplyBody {
    /// The command failed.
    Error(Error),
    /// The connection is open.
    Connect(ConnectResult),
    /// The subscription is made.
    Subscribe(SubscribeResult),
    /// The subscription is ended.
    Unsubscribe,
    /// The publication is taken.
    Publish,
    /// Who is in the channel.
    Presence(PresenceResult),
    /// How many are in the channel.
    PresenceStats(PresenceStatsResult),
    /// A part of the channel's past.
    History(HistoryResult),
    /// The protocol has a name for it, no server sends it.
    Ping,
    /// What the method returned.
    Rpc(RpcResult),
    /// The connection's token is renewed.
    Refresh(RefreshResult),
    /// The subscription's token is renewed.
    SubRefresh(SubRefreshResult),
}

impl ReplyBody {
    /// Names and numbers of the wire; results that hold nothing are there all the same.
    pub(crate) fn write(&self, to: impl WriteMessage) -> Result<(), EncodeError> {
        match self {
            Self::Error(error) => to.message("error", 2, error),
            Self::Connect(result) => to.message("connect", 5, result),
            Self::Subscribe(result) => to.message("subscribe", 6, result),
            Self::Unsubscribe => to.message("unsubscribe", 7, &UnsubscribeResult {}),
            Self::Publish => to.message("publish", 8, &PublishResult {}),
            Self::Presence(result) => to.message("presence", 9, result),
            Self::PresenceStats(result) => to.message("presence_stats", 10, result),
            Self::History(result) => to.message("history", 11, result),
            Self::Ping => to.message("ping", 12, &PingResult {}),
            Self::Rpc(result) => to.message("rpc", 13, result),
            Self::Refresh(result) => to.message("refresh", 14, result),
            Self::SubRefresh(result) => to.message("sub_refresh", 15, result),
        }
    }

    /// What a client has decoded; nothing where the reply holds nothing we know.
    pub(crate) fn from_wire(reply: wire::Reply) -> Option<Self> {
        None.or_else(|| reply.error.map(Self::Error))
            .or_else(|| reply.connect.map(Self::Connect))
            .or_else(|| reply.subscribe.map(Self::Subscribe))
            .or_else(|| reply.unsubscribe.map(|_| Self::Unsubscribe))
            .or_else(|| reply.publish.map(|_| Self::Publish))
            .or_else(|| reply.presence.map(Self::Presence))
            .or_else(|| reply.presence_stats.map(Self::PresenceStats))
            .or_else(|| reply.history.map(Self::History))
            .or_else(|| reply.ping.map(|_| Self::Ping))
            .or_else(|| reply.rpc.map(Self::Rpc))
            .or_else(|| reply.refresh.map(Self::Refresh))
            .or_else(|| reply.sub_refresh.map(Self::SubRefresh))
    }
}
