//! Why an attempt to reach a node fails.

use quinn::ConnectionError;
use trunkline_shared::frame::HelloError;

use crate::alert::Ends;
use crate::end::CloseCode;
use crate::hello::HelloReadError;
use crate::identity::{IdentityError, PeerIdentity};
use crate::streams::StreamsError;

/// Why an attempt to reach a node failed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The node's name has no address.
    #[error("address {address:?}: {error}")]
    Unresolved {
        /// What was looked up, `host:port`.
        address: String,
        /// Why it wasn't found.
        error: std::io::Error,
    },
    /// The endpoint can't dial: it was closed, or the address isn't one.
    #[error("can't dial: {0}")]
    Undialable(#[from] quinn::ConnectError),
    /// TLS: one side's certificate isn't of the other's authority, has expired, has a wrong name, or wasn't shown; or the
    /// two have no protocol in common.
    #[error("{0}")]
    Tls(String),
    /// The node's certificate names nobody.
    #[error("the peer's {0}")]
    Identity(#[from] IdentityError),
    /// The peer's certificate isn't a backbone node's.
    #[error("{0} is not a backbone node")]
    NoNode(PeerIdentity),
    /// No frame version in common, found here.
    #[error(transparent)]
    Version(#[from] HelloError),
    /// The peer refused the link and said why.
    #[error("refused by the peer, {code:?}: {reason}")]
    Refused {
        /// Its code.
        code: CloseCode,
        /// Its words.
        reason: String,
    },
    /// The peer's hello, or the streams that belong to it, didn't come as agreed.
    #[error("hello: {0}")]
    BadHello(String),
    /// No answer within `handshake_timeout`.
    #[error("no answer in time: no node listens there, or UDP doesn't get through")]
    TimedOut,
    /// The connection failed for another reason.
    #[error("connection lost: {0}")]
    Lost(String),
}

impl ConnectError {
    /// What the peer is told when this side found the fault.
    pub(crate) const fn code(&self) -> CloseCode {
        match self {
            Self::Identity(_) | Self::NoNode(_) => CloseCode::WrongPeer,
            Self::Version(_) => CloseCode::NoCommonVersion,
            Self::BadHello(_) => CloseCode::BadHello,
            Self::Unresolved { .. }
            | Self::Undialable(_)
            | Self::Tls(_)
            | Self::Refused { .. }
            | Self::TimedOut
            | Self::Lost(_) => CloseCode::Goodbye,
        }
    }
}

impl From<ConnectionError> for ConnectError {
    fn from(error: ConnectionError) -> Self {
        if let Some(handshake) = Ends::EDGE.explain(&error) {
            return Self::Tls(handshake);
        }
        match &error {
            ConnectionError::ApplicationClosed(close) => Self::Refused {
                code: CloseCode::from_number(close.error_code.into_inner()),
                reason: String::from_utf8_lossy(&close.reason).into_owned(),
            },
            ConnectionError::TimedOut => Self::TimedOut,
            ConnectionError::TransportError(_)
            | ConnectionError::ConnectionClosed(_)
            | ConnectionError::VersionMismatch
            | ConnectionError::Reset
            | ConnectionError::LocallyClosed
            | ConnectionError::CidsExhausted => Self::Lost(error.to_string()),
        }
    }
}

impl From<StreamsError> for ConnectError {
    fn from(error: StreamsError) -> Self {
        match error {
            StreamsError::Lost(lost) => lost.into(),
            StreamsError::Ended | StreamsError::OutOfOrder { .. } => {
                Self::BadHello(error.to_string())
            }
        }
    }
}

impl From<HelloReadError> for ConnectError {
    fn from(error: HelloReadError) -> Self {
        match error {
            HelloReadError::Stream(stream) => stream.into(),
            HelloReadError::Frame(_) | HelloReadError::Lanes(_) => {
                Self::BadHello(error.to_string())
            }
        }
    }
}
