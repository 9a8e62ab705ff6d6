//! How long what is kept.

use std::time::Duration;

use super::options::Options;

/// For how long messages stay, and heads that nothing touches; `None` for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeping {
    /// Nothing goes before more is known; partitions are as wide as they would be for these.
    All { messages: Option<Duration> },
    Said {
        messages: Option<Duration>,
        heads: Option<Duration>,
    },
}

impl Keeping {
    pub(super) const fn at_first(options: &Options) -> Self {
        let messages = options.retention;
        if options.keeps_all_at_first {
            Self::All { messages }
        } else {
            let heads = options.heads_kept;
            Self::Said { messages, heads }
        }
    }

    /// By which partitions of messages are made.
    pub(super) const fn retention(self) -> Option<Duration> {
        match self {
            Self::All { messages } | Self::Said { messages, .. } => messages,
        }
    }

    pub(super) const fn heads(self) -> Option<Duration> {
        match self {
            Self::All { .. } => None,
            Self::Said { heads, .. } => heads,
        }
    }

    /// Whether messages that have expired go.
    pub(super) const fn drops(self) -> bool {
        match self {
            Self::All { .. } => false,
            Self::Said { messages, .. } => messages.is_some(),
        }
    }
}
