//! Codes of close frames.

use super::{CustomCode, InvalidCode};
use crate::message::Disconnect;

/// Why a connection ends: code and reason of its close frame.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DisconnectCode {
    /// The other side closed; never sent.
    ConnectionClosed,
    /// The edge goes away.
    Shutdown,
    /// Something on our side.
    InternalError,
    /// The connection's token is over.
    Expired,
    /// The token of a server-side subscription is over.
    SubscriptionExpired,
    /// The client doesn't read fast enough.
    Slow,
    /// The socket can't be written.
    WriteError,
    /// The client missed something and must come back for it.
    InsufficientState,
    /// An application wants the client to come back.
    ForceReconnect,
    /// A ping had no pong.
    NoPong,
    /// Too fast.
    TooManyRequests,
    /// The client must forget its token and positions, and come back.
    StateInvalidated,
    /// The token is wrong.
    InvalidToken,
    /// The client doesn't keep to the protocol.
    BadRequest,
    /// The client didn't connect in time.
    Stale,
    /// An application wants the client gone.
    ForceNoReconnect,
    /// One connection too many.
    ConnectionLimit,
    /// One channel too many.
    ChannelLimit,
    /// The client's encoding can't carry what it must be told.
    InappropriateProtocol,
    /// The client may not be here.
    PermissionDenied,
    /// What the client wants is off.
    NotAvailable,
    /// Too many failed commands.
    TooManyErrors,
    /// A code of an application.
    Custom(CustomCode),
}

impl DisconnectCode {
    /// All codes of the protocol, ascending.
    pub const ALL: [Self; 22] = [
        Self::ConnectionClosed,
        Self::Shutdown,
        Self::InternalError,
        Self::Expired,
        Self::SubscriptionExpired,
        Self::Slow,
        Self::WriteError,
        Self::InsufficientState,
        Self::ForceReconnect,
        Self::NoPong,
        Self::TooManyRequests,
        Self::StateInvalidated,
        Self::InvalidToken,
        Self::BadRequest,
        Self::Stale,
        Self::ForceNoReconnect,
        Self::ConnectionLimit,
        Self::ChannelLimit,
        Self::InappropriateProtocol,
        Self::PermissionDenied,
        Self::NotAvailable,
        Self::TooManyErrors,
    ];

    /// Takes a code and a reason of an application.
    ///
    /// # Errors
    /// A code outside of 3000–4999, or a reason that SDKs would misread, see [`Self::reason`].
    pub fn custom(code: u32, reason: &str) -> Result<Self, InvalidCode> {
        CustomCode::new(code, 3000..=4999, reason).map(Self::Custom)
    }

    /// The number, legal in a close frame.
    pub const fn code(&self) -> u16 {
        self.entry().0
    }

    /// The reason: never empty, never JSON, at most 123 bytes. SDKs ignore a code without one.
    pub fn reason(&self) -> &str {
        self.entry().1
    }

    /// Whether SDKs come back: all codes but 3500–3999 and 4500–4999.
    pub const fn reconnects(&self) -> bool {
        !matches!(self.code(), 3500..=3999 | 4500..=4999)
    }

    const fn entry(&self) -> (u16, &str) {
        match self {
            Self::ConnectionClosed => (3000, "connection closed"),
            Self::Shutdown => (3001, "shutdown"),
            Self::InternalError => (3004, "internal server error"),
            Self::Expired => (3005, "connection expired"),
            Self::SubscriptionExpired => (3006, "subscription expired"),
            Self::Slow => (3008, "slow"),
            Self::WriteError => (3009, "write error"),
            Self::InsufficientState => (3010, "insufficient state"),
            Self::ForceReconnect => (3011, "force reconnect"),
            Self::NoPong => (3012, "no pong"),
            Self::TooManyRequests => (3013, "too many requests"),
            Self::StateInvalidated => (3014, "state invalidated"),
            Self::InvalidToken => (3500, "invalid token"),
            Self::BadRequest => (3501, "bad request"),
            Self::Stale => (3502, "stale"),
            Self::ForceNoReconnect => (3503, "force disconnect"),
            Self::ConnectionLimit => (3504, "connection limit"),
            Self::ChannelLimit => (3505, "channel limit"),
            Self::InappropriateProtocol => (3506, "inappropriate protocol"),
            Self::PermissionDenied => (3507, "permission denied"),
            Self::NotAvailable => (3508, "not available"),
            Self::TooManyErrors => (3509, "too many errors"),
            Self::Custom(custom) => custom.entry(),
        }
    }
}

impl From<&DisconnectCode> for Disconnect {
    fn from(code: &DisconnectCode) -> Self {
        let reason = code.reason().to_owned();
        Self {
            code: u32::from(code.code()),
            reason,
            reconnect: false,
        }
    }
}
