//! Codes of error replies.

use crate::message::Error;

/// Why a command failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorCode {
    /// Something on our side; the command may succeed later.
    Internal,
    /// No credentials.
    Unauthorized,
    /// The channel's namespace isn't known.
    UnknownChannel,
    /// The rules or the token don't allow it.
    PermissionDenied,
    /// No such method.
    MethodNotFound,
    /// The client has the subscription, or one on the way.
    AlreadySubscribed,
    /// One too many.
    LimitExceeded,
    /// The request makes no sense.
    BadRequest,
    /// The feature is off.
    NotAvailable,
    /// The token is over; SDKs fetch a new one and try again.
    TokenExpired,
    /// What the token granted is over.
    Expired,
    /// Too fast; the command may succeed later.
    TooManyRequests,
    /// The position can't be recovered from.
    UnrecoverablePosition,
    /// Pages changed while they were read; the command may succeed later.
    ConcurrentPagination,
}

impl ErrorCode {
    /// All codes, ascending.
    pub const ALL: [Self; 14] = [
        Self::Internal,
        Self::Unauthorized,
        Self::UnknownChannel,
        Self::PermissionDenied,
        Self::MethodNotFound,
        Self::AlreadySubscribed,
        Self::LimitExceeded,
        Self::BadRequest,
        Self::NotAvailable,
        Self::TokenExpired,
        Self::Expired,
        Self::TooManyRequests,
        Self::UnrecoverablePosition,
        Self::ConcurrentPagination,
    ];

    /// The number.
    pub const fn code(self) -> u32 {
        self.entry().0
    }

    /// The text that goes with the number; never empty.
    pub const fn message(self) -> &'static str {
        self.entry().1
    }

    /// Whether the same command may succeed later. SDKs also try again after [`Self::TokenExpired`].
    pub const fn is_temporary(self) -> bool {
        matches!(
            self,
            Self::Internal | Self::TooManyRequests | Self::ConcurrentPagination
        )
    }

    const fn entry(self) -> (u32, &'static str) {
        match self {
            Self::Internal => (100, "internal server error"),
            Self::Unauthorized => (101, "unauthorized"),
            Self::UnknownChannel => (102, "unknown channel"),
            Self::PermissionDenied => (103, "permission denied"),
            Self::MethodNotFound => (104, "method not found"),
            Self::AlreadySubscribed => (105, "already subscribed"),
            Self::LimitExceeded => (106, "limit exceeded"),
            Self::BadRequest => (107, "bad request"),
            Self::NotAvailable => (108, "not available"),
            Self::TokenExpired => (109, "token expired"),
            Self::Expired => (110, "expired"),
            Self::TooManyRequests => (111, "too many requests"),
            Self::UnrecoverablePosition => (112, "unrecoverable position"),
            Self::ConcurrentPagination => (113, "concurrent pagination"),
        }
    }
}

impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Self {
        let temporary = code.is_temporary();
        Self {
            code: code.code(),
            message: code.message().to_owned(),
            temporary,
        }
    }
}
