//! Errors of the server API and what they are on the wire.

use axum::http::StatusCode;
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};
use trunkline_edge_core::exchange::{Answer, RefusedBecause};

/// An error that an answer names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ApiError {
    /// Not known to be done: no owner, link, store or time.
    Internal,
    /// The namespace doesn't exist.
    UnknownChannel,
    /// Something asked makes no sense.
    BadRequest,
    /// The namespace, or this server, hasn't the feature.
    NotAvailable,
    /// The position asked is of another numbering.
    UnrecoverablePosition,
}

impl ApiError {
    /// The number.
    pub(crate) const fn code(self) -> u32 {
        match self {
            Self::Internal => 100,
            Self::UnknownChannel => 102,
            Self::BadRequest => 107,
            Self::NotAvailable => 108,
            Self::UnrecoverablePosition => 112,
        }
    }

    /// What it is called.
    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::Internal => "internal server error",
            Self::UnknownChannel => "unknown channel",
            Self::BadRequest => "bad request",
            Self::NotAvailable => "not available",
            Self::UnrecoverablePosition => "unrecoverable position",
        }
    }

    /// The status of a call that fails with it, in the error mode "transport".
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::UnknownChannel => StatusCode::NOT_FOUND,
            Self::BadRequest | Self::NotAvailable => StatusCode::BAD_REQUEST,
            Self::UnrecoverablePosition => StatusCode::RANGE_NOT_SATISFIABLE,
        }
    }

    /// What an answer that isn't the one asked for means.
    pub(super) const fn of(answer: &Answer) -> Self {
        match answer {
            Answer::Refused(RefusedBecause::UnknownChannel) => Self::UnknownChannel,
            Answer::Refused(RefusedBecause::NotAvailable) => Self::NotAvailable,
            Answer::Refused(RefusedBecause::Temporary)
            | Answer::Subscribed { .. }
            | Answer::Published { .. }
            | Answer::History { .. }
            | Answer::HistoryRemoved { .. }
            | Answer::Presence(_)
            | Answer::PresenceStats { .. }
            | Answer::Info(_) => Self::Internal,
        }
    }
}

impl Serialize for ApiError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Error", 2)?;
        object.serialize_field("code", &self.code())?;
        object.serialize_field("message", self.message())?;
        object.end()
    }
}

/// Why a call has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The body isn't JSON of the form that the method wants: status 400, whatever the error mode.
    Undecodable,
    /// An error that the answer names.
    Error(ApiError),
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Error(error)
    }
}
