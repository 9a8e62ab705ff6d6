//! Pushes: what a server says unasked.

use crate::EncodeError;
use crate::envelope::WriteMessage;
use crate::message::{
    Disconnect, Join, Leave, Message, Publication, Refresh, Subscribe, Unsubscribe, wire,
};

/// Room for a push around its payload: names, id, offset, client info.
const PUSH_OVERHEAD: usize = 192;

/// One push; the channel it concerns stands beside it.
#[derive(Clone, Debug, PartialEq)]
pub enum Push {
    /// A publication of the channel.
    Publication(Publication),
    /// A client came into the channel.
    Join(Join),
    /// A client left the channel.
    Leave(Leave),
    /// The server ended the subscription to the channel.
    Unsubscribe(Unsubscribe),
    /// Something outside of channels.
    Message(Message),
    /// The server made a subscription to the channel.
    Subscribe(Subscribe),
    /// The connection ends; only on transports without a close frame.
    Disconnect(Disconnect),
    /// The connection's expiry changed.
    Refresh(Refresh),
}

impl Push {
    /// Names and numbers of the wire.
    pub(crate) fn write(&self, to: impl WriteMessage) -> Result<(), EncodeError> {
        match self {
            Self::Publication(publication) => to.message("pub", 4, publication),
            Self::Join(join) => to.message("join", 5, join),
            Self::Leave(leave) => to.message("leave", 6, leave),
            Self::Unsubscribe(unsubscribe) => to.message("unsubscribe", 7, unsubscribe),
            Self::Message(message) => to.message("message", 8, message),
            Self::Subscribe(subscribe) => to.message("subscribe", 9, subscribe),
            Self::Disconnect(disconnect) => to.message("disconnect", 11, disconnect),
            Self::Refresh(refresh) => to.message("refresh", 12, refresh),
        }
    }

    /// The push and its channel, of what a client has decoded; nothing where it holds no push we know.
    pub(crate) fn from_wire(push: wire::Push) -> Option<(String, Self)> {
        let body = None
            .or_else(|| push.r#pub.map(Self::Publication))
            .or_else(|| push.join.map(Self::Join))
            .or_else(|| push.leave.map(Self::Leave))
            .or_else(|| push.unsubscribe.map(Self::Unsubscribe))
            .or_else(|| push.message.map(Self::Message))
            .or_else(|| push.subscribe.map(Self::Subscribe))
            .or_else(|| push.disconnect.map(Self::Disconnect))
            .or_else(|| push.refresh.map(Self::Refresh))?;
        Some((push.channel, body))
    }

    /// About how many bytes the encoded push takes.
    pub(crate) fn size_hint(&self) -> usize {
        let payload = match self {
            Self::Publication(publication) => publication.data.len(),
            Self::Message(message) => message.data.len(),
            Self::Subscribe(subscribe) => subscribe.data.len(),
            Self::Join(_)
            | Self::Leave(_)
            | Self::Unsubscribe(_)
            | Self::Disconnect(_)
            | Self::Refresh(_) => 0,
        };
        PUSH_OVERHEAD + payload
    }
}
