//! Codes of pushed unsubscribes.

use super::{CustomCode, InvalidCode};
use crate::message::Unsubscribe;

/// Why the server ended a subscription.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnsubscribeCode {
    /// An application wants it ended.
    Server,
    /// The client missed something and must come back for it.
    InsufficientState,
    /// The subscription's token is over.
    Expired,
    /// The client must forget its token and position, and come back.
    StateInvalidated,
    /// A code of an application.
    Custom(CustomCode),
}

impl UnsubscribeCode {
    /// All codes of the protocol, ascending.
    pub const ALL: [Self; 4] = [
        Self::Server,
        Self::InsufficientState,
        Self::Expired,
        Self::StateInvalidated,
    ];

    /// Takes a code and a reason of an application.
    ///
    /// # Errors
    /// A code outside of 2000–2999, or a reason as [`super::DisconnectCode::custom`] refuses.
    pub fn custom(code: u32, reason: &str) -> Result<Self, InvalidCode> {
        CustomCode::new(code, 2000..=2999, reason).map(Self::Custom)
    }

    /// The number.
    pub const fn code(&self) -> u16 {
        self.entry().0
    }

    /// The reason: never empty, at most 123 bytes.
    pub const fn reason(&self) -> &str {
        self.entry().1
    }

    /// Whether SDKs subscribe again: from 2500 up.
    pub const fn resubscribes(&self) -> bool {
        self.code() >= 2500
    }

    const fn entry(&self) -> (u16, &str) {
        match self {
            Self::Server => (2000, "server unsubscribe"),
            Self::InsufficientState => (2500, "insufficient state"),
            Self::Expired => (2501, "subscription expired"),
            Self::StateInvalidated => (2502, "state invalidated"),
            Self::Custom(custom) => custom.entry(),
        }
    }
}

impl From<&UnsubscribeCode> for Unsubscribe {
    fn from(code: &UnsubscribeCode) -> Self {
        Self {
            code: u32::from(code.code()),
            reason: code.reason().to_owned(),
        }
    }
}
