//! Commands: what a client asks.

use crate::EncodeError;
use crate::envelope::WriteMessage;
use crate::message::{
    ConnectRequest, HistoryRequest, PingRequest, PresenceRequest, PresenceStatsRequest,
    PublishRequest, RefreshRequest, RpcRequest, SendRequest, SubRefreshRequest, SubscribeRequest,
    UnsubscribeRequest, wire,
};

/// One command of a client.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Number that the reply echoes; 0 for a pong and, if the client likes, for a send.
    pub id: u32,
    /// What is asked.
    pub request: Request,
}

/// What a command asks; of several, the first in the order of this type counts.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// To open the connection.
    Connect(ConnectRequest),
    /// To get a channel's publications.
    Subscribe(SubscribeRequest),
    /// To get them no longer.
    Unsubscribe(UnsubscribeRequest),
    /// To publish into a channel.
    Publish(PublishRequest),
    /// Who is in a channel.
    Presence(PresenceRequest),
    /// How many are in a channel.
    PresenceStats(PresenceStatsRequest),
    /// A part of a channel's past.
    History(HistoryRequest),
    /// To call a method.
    Rpc(RpcRequest),
    /// To take something without an answer.
    Send(SendRequest),
    /// To take a new connection token.
    Refresh(RefreshRequest),
    /// To take a new subscription token.
    SubRefresh(SubRefreshRequest),
    /// A ping by the client, which no server supports.
    Ping,
    /// Nothing: a pong where the id is 0.
    None,
}

impl Command {
    /// Whether the command counts as a pong, whatever else it holds: no id, and not a send.
    pub const fn is_pong(&self) -> bool {
        self.id == 0 && !matches!(self.request, Request::Send(_))
    }

    pub(crate) fn from_wire(command: wire::Command) -> Self {
        Self {
            id: command.id,
            request: Request::from_wire(command),
        }
    }
}

impl Request {
    fn from_wire(command: wire::Command) -> Self {
        None.or_else(|| command.connect.map(Self::Connect))
            .or_else(|| command.subscribe.map(Self::Subscribe))
            .or_else(|| command.unsubscribe.map(Self::Unsubscribe))
            .or_else(|| command.publish.map(Self::Publish))
            .or_else(|| command.presence.map(Self::Presence))
            .or_else(|| command.presence_stats.map(Self::PresenceStats))
            .or_else(|| command.history.map(Self::History))
            .or_else(|| command.rpc.map(Self::Rpc))
            .or_else(|| command.send.map(Self::Send))
            .or_else(|| command.refresh.map(Self::Refresh))
            .or_else(|| command.sub_refresh.map(Self::SubRefresh))
            .or_else(|| command.ping.map(|_| Self::Ping))
            .unwrap_or(Self::None)
    }

    /// Names and numbers of the wire; false where there is nothing to write.
    pub(crate) fn write(&self, to: impl WriteMessage) -> Result<bool, EncodeError> {
        match self {
            Self::Connect(request) => to.message("connect", 4, request),
            Self::Subscribe(request) => to.message("subscribe", 5, request),
            Self::Unsubscribe(request) => to.message("unsubscribe", 6, request),
            Self::Publish(request) => to.message("publish", 7, request),
            Self::Presence(request) => to.message("presence", 8, request),
            Self::PresenceStats(request) => to.message("presence_stats", 9, request),
            Self::History(request) => to.message("history", 10, request),
            Self::Ping => to.message("ping", 11, &PingRequest {}),
            Self::Send(request) => to.message("send", 12, request),
            Self::Rpc(request) => to.message("rpc", 13, request),
            Self::Refresh(request) => to.message("refresh", 14, request),
            Self::SubRefresh(request) => to.message("sub_refresh", 15, request),
            Self::None => return Ok(false),
        }?;
        Ok(true)
    }
}
