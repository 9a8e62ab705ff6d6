//! What can go wrong between a client and an edge, in words for the person at the terminal.

use std::path::PathBuf;
use std::time::Duration;

use tokio_tungstenite::tungstenite;
use trunkline_process::Failure;
use trunkline_protocol::{DecodeError, message};

/// Why a client can't do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// The URL isn't a WebSocket's.
    #[error("--url {url}: {problem}")]
    Address { url: String, problem: String },
    /// The authorities that are to be believed can't be read.
    #[error("--ca {}: {problem}", .path.display())]
    Authority { path: PathBuf, problem: String },
    /// Nobody listens there, or the name has no address.
    #[error("{address} can't be reached: {error}")]
    Unreachable {
        address: String,
        error: std::io::Error,
    },
    /// TLS isn't spoken there, or the certificate isn't believed.
    #[error("{address}: {error}; --ca FILE names a further authority to trust")]
    Tls {
        address: String,
        error: std::io::Error,
    },
    /// There is no WebSocket at the URL.
    #[error("{url} doesn't answer as an edge: {error}")]
    Handshake {
        url: String,
        error: Box<tungstenite::Error>,
    },
    /// The edge closed the connection.
    #[error("the edge closed the connection: {code} {reason}")]
    Closed { code: u16, reason: String },
    /// The edge lets nobody in without a token.
    #[error("the edge closed the connection: {code} {reason}; it may want a --token")]
    TokenWanted { code: u16, reason: String },
    /// The connection broke.
    #[error("connection lost: {0}")]
    Lost(String),
    /// The edge's pings stay out.
    #[error("connection lost: no ping for {0:?}")]
    Silent(Duration),
    /// An answer stays out.
    #[error("{what}: no answer within {within:?}")]
    Unanswered { what: String, within: Duration },
    /// The edge answered with an error.
    #[error("{what}: {} {}", .error.code, .error.message)]
    Refused { what: String, error: message::Error },
    /// The server ended a subscription for good.
    #[error("{channel}: the edge ended the subscription: {code} {reason}")]
    Unsubscribed {
        channel: String,
        code: u32,
        reason: String,
    },
    /// What came isn't the protocol.
    #[error("the edge sent what is not its protocol: {0}")]
    Protocol(String),
}

impl ClientError {
    /// Whether trying again would end the same way; the rule for close codes is the SDKs'.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Address { .. }
            | Self::Authority { .. }
            | Self::Tls { .. }
            | Self::TokenWanted { .. }
            | Self::Unsubscribed { .. }
            | Self::Protocol(_) => true,
            Self::Closed { code, .. } => matches!(code, 1009 | 3500..=3999 | 4500..=4999),
            Self::Refused { error, .. } => !error.temporary,
            Self::Handshake { error, .. } => is_client_error(error),
            Self::Unreachable { .. }
            | Self::Lost(_)
            | Self::Silent(_)
            | Self::Unanswered { .. } => false,
        }
    }
}

/// An HTTP answer of 400 to 499: the same request would be answered with it again.
fn is_client_error(error: &tungstenite::Error) -> bool {
    if let tungstenite::Error::Http(response) = error {
        response.status().is_client_error()
    } else {
        false
    }
}

impl From<DecodeError> for ClientError {
    fn from(error: DecodeError) -> Self {
        Self::Protocol(error.to_string())
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Address { .. } | ClientError::Authority { .. } => {
                Self::Configuration(error.to_string())
            }
            ClientError::Unreachable { .. }
            | ClientError::Tls { .. }
            | ClientError::Handshake { .. }
            | ClientError::Closed { .. }
            | ClientError::TokenWanted { .. }
            | ClientError::Lost(_)
            | ClientError::Silent(_)
            | ClientError::Unanswered { .. }
            | ClientError::Refused { .. }
            | ClientError::Unsubscribed { .. }
            | ClientError::Protocol(_) => Self::Run(error.to_string()),
        }
    }
}
