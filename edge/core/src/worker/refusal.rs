//! Why clients are refused, for whoever runs the edge: a client is told a number, and its author often not even that.

use smol_str::SmolStr;
use trunkline_protocol::{DisconnectCode, ErrorCode};
use trunkline_shared::Channel;

use super::session::Failure;

/// A refused connect or command. It names no user, no channel beyond its namespace, and nothing of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A connect.
    Connect(RefusedConnect),
    /// A command about a channel is answered with error 103.
    Denied {
        /// What was asked for.
        deed: Deed,
        /// Why it is denied.
        why: Denied,
        /// The channel's namespace; empty for channels without one.
        namespace: SmolStr,
    },
    /// A command about a channel is answered with another error.
    Command {
        /// What was asked for.
        deed: Deed,
        /// The error.
        code: ErrorCode,
        /// The channel's namespace; empty for channels without one.
        namespace: SmolStr,
    },
    /// A command about a channel shows a subscription token that closes the connection: another user's, client's or
    /// channel's, or one that isn't signed with the secret.
    SubscriptionToken,
}

/// Why a connect is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedConnect {
    /// It shows no token, 3501.
    NoToken,
    /// Its token is malformed or not signed with the secret, 3500.
    InvalidToken,
    /// Its token isn't valid any more or not yet, error 109.
    ExpiredToken,
    /// Its token names no user, 3507.
    NobodysToken,
    /// Its token names channels, which isn't available yet, error 108.
    NamesChannels,
}

/// Why a command about a channel is answered with error 103.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The namespace's rules don't allow it to this client.
    NotAllowed,
    /// The channel's name says that it is for other users.
    OtherUsersChannel,
    /// It needs a subscription token and comes without.
    NoSubscriptionToken,
    /// Its subscription token is malformed or not signed with the secret.
    InvalidSubscriptionToken,
    /// A subscription is to be refreshed that isn't there.
    NotSubscribed,
}

/// What a command about a channel asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// To be subscribed, or to stay so.
    Subscribe,
    /// To be subscribed no more.
    Unsubscribe,
    /// To publish.
    Publish,
    /// Who is there.
    Presence,
    /// What was published.
    History,
}

impl Deed {
    /// Its name, as in the rules' `allow_…_for_client`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Unsubscribe => "unsubscribe",
            Self::Publish => "publish",
            Self::Presence => "presence",
            Self::History => "history",
        }
    }
}

impl Refusal {
    /// That of a failed command about a channel; `None` where nobody is to blame, or the
    /// close code says it all.
    pub(super) fn of(deed: Deed, channel: &Channel, failure: &Failure) -> Option<Self> {
        let namespace = || channel.namespace().unwrap_or_default().into();
        match failure {
            Failure::Denied(why) => Some(Self::Denied {
                deed,
                why: *why,
                namespace: namespace(),
            }),
            // It may be asked again as it is, and isn't the asker's fault.
            Failure::Error(code) if code.is_temporary() => None,
            Failure::Error(code) => Some(Self::Command {
                deed,
                code: *code,
                namespace: namespace(),
            }),
            Failure::Close(DisconnectCode::InvalidToken) => Some(Self::SubscriptionToken),
            Failure::Close(_) => None,
        }
    }
}
