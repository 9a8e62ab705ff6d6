//! Why links end, on both sides and between them.

use quinn::{ConnectionError, VarInt};
use trunkline_shared::StreamId;
use trunkline_shared::frame::FrameError;

/// The number with which a side closes a connection; the reason travels beside it as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseCode {
    /// On purpose.
    Goodbye,
    /// A newer link of the same life has taken its place.
    Superseded,
    /// No frame version in common.
    NoCommonVersion,
    /// The certificate names somebody who may not be at that end.
    WrongPeer,
    /// The hello, or the streams that belong to it, didn't come as agreed or in time.
    BadHello,
    /// Bytes that are no frame, or a frame where it may not be.
    BadFrame,
    /// More was queued than any core allows.
    QueueFull,
    /// The core at that end finds that its peer breaks the protocol.
    Misbehaved,
    /// A number that this code doesn't know.
    Unknown(u64),
}

impl CloseCode {
    const KNOWN: [Self; 8] = [
        Self::Goodbye,
        Self::Superseded,
        Self::NoCommonVersion,
        Self::WrongPeer,
        Self::BadHello,
        Self::BadFrame,
        Self::QueueFull,
        Self::Misbehaved,
    ];

    /// The number on the wire.
    pub const fn number(self) -> u64 {
        match self {
            Self::Goodbye => 0,
            Self::Superseded => 1,
            Self::NoCommonVersion => 2,
            Self::WrongPeer => 3,
            Self::BadHello => 4,
            Self::BadFrame => 5,
            Self::QueueFull => 6,
            Self::Misbehaved => 7,
            Self::Unknown(number) => number,
        }
    }

    /// The code of a number.
    pub fn from_number(number: u64) -> Self {
        Self::KNOWN
            .into_iter()
            .find(|code| code.number() == number)
            .unwrap_or(Self::Unknown(number))
    }

    pub(crate) fn close(self, connection: &quinn::Connection, reason: &str) {
        let code = VarInt::from_u64(self.number()).unwrap_or(VarInt::MAX);
        connection.close(code, reason.as_bytes());
    }
}

/// Why a link has ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkEnd {
    /// This side closed it on purpose.
    #[error("closed here")]
    Goodbye,
    /// The peer closed it on purpose.
    #[error("the peer said goodbye")]
    PeerGoodbye,
    /// A newer link of the same life has taken its place.
    #[error("a newer link of the same life took its place")]
    Superseded,
    /// The peer sent bytes that are no frame.
    #[error("bad frame on {stream:?}: {error}")]
    BadFrame {
        /// Where.
        stream: StreamId,
        /// What is wrong with them.
        error: FrameError,
    },
    /// The peer sent a frame on a stream where it may not be.
    #[error("frame of another stream on {stream:?}")]
    WrongStream {
        /// Where.
        stream: StreamId,
    },
    /// The peer ended a stream while the link went on, or told nonsense about what it has read.
    #[error("stream {stream:?} is broken")]
    BrokenStream {
        /// Which.
        stream: StreamId,
    },
    /// More was queued here than any core allows: an accounting error of ours.
    #[error("queue of {stream:?} is over its limit")]
    QueueFull {
        /// Which.
        stream: StreamId,
    },
    /// The core of this side closed it.
    #[error("the peer breaks the protocol: {0}")]
    Misbehaved(String),
    /// The peer closed it with a complaint.
    #[error("closed by the peer, {code:?}: {reason}")]
    ClosedByPeer {
        /// Its code.
        code: CloseCode,
        /// Its words.
        reason: String,
    },
    /// The peer's process has lost the link: it was restarted.
    #[error("the peer was restarted")]
    Restarted,
    /// Nothing was heard for the idle time-out.
    #[error("nothing heard for the idle time-out")]
    TimedOut,
    /// QUIC itself failed.
    #[error("transport: {0}")]
    Transport(String),
}

impl LinkEnd {
    /// Whether somebody went away on purpose, so that the peer needn't be waited for.
    pub const fn is_goodbye(&self) -> bool {
        matches!(self, Self::Goodbye | Self::PeerGoodbye)
    }

    /// Whether the peer sent what no link carries.
    pub const fn is_breach(&self) -> bool {
        matches!(
            self,
            Self::BadFrame { .. } | Self::WrongStream { .. } | Self::BrokenStream { .. }
        )
    }

    /// Whether a protocol was broken, here or there: worth a warning.
    pub(crate) const fn is_fault(&self) -> bool {
        match self {
            Self::Goodbye
            | Self::PeerGoodbye
            | Self::Superseded
            | Self::Restarted
            | Self::TimedOut => false,
            Self::BadFrame { .. }
            | Self::WrongStream { .. }
            | Self::BrokenStream { .. }
            | Self::QueueFull { .. }
            | Self::Misbehaved(_)
            | Self::ClosedByPeer { .. }
            | Self::Transport(_) => true,
        }
    }

    pub(crate) const fn code(&self) -> CloseCode {
        match self {
            Self::Superseded => CloseCode::Superseded,
            Self::BadFrame { .. } | Self::WrongStream { .. } | Self::BrokenStream { .. } => {
                CloseCode::BadFrame
            }
            Self::QueueFull { .. } => CloseCode::QueueFull,
            Self::Misbehaved(_) => CloseCode::Misbehaved,
            Self::Goodbye
            | Self::PeerGoodbye
            | Self::ClosedByPeer { .. }
            | Self::Restarted
            | Self::TimedOut
            | Self::Transport(_) => CloseCode::Goodbye,
        }
    }

    /// Reads what QUIC says about a connection that this side did not close.
    pub(crate) fn from_quic(error: &ConnectionError) -> Self {
        match error {
            ConnectionError::ApplicationClosed(close) => {
                let code = CloseCode::from_number(close.error_code.into_inner());
                let reason = String::from_utf8_lossy(&close.reason).into_owned();
                match code {
                    CloseCode::Goodbye => Self::PeerGoodbye,
                    CloseCode::Superseded => Self::Superseded,
                    CloseCode::NoCommonVersion
                    | CloseCode::WrongPeer
                    | CloseCode::BadHello
                    | CloseCode::BadFrame
                    | CloseCode::QueueFull
                    | CloseCode::Misbehaved
                    | CloseCode::Unknown(_) => Self::ClosedByPeer { code, reason },
                }
            }
            ConnectionError::Reset => Self::Restarted,
            ConnectionError::TimedOut => Self::TimedOut,
            ConnectionError::LocallyClosed => Self::Goodbye,
            ConnectionError::VersionMismatch
            | ConnectionError::TransportError(_)
            | ConnectionError::ConnectionClosed(_)
            | ConnectionError::CidsExhausted => Self::Transport(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_survive_their_numbers() {
        for number in 0..20 {
            assert_eq!(CloseCode::from_number(number).number(), number);
        }
        assert_eq!(CloseCode::from_number(5), CloseCode::BadFrame);
        assert_eq!(CloseCode::from_number(8), CloseCode::Unknown(8));
    }
}
