//! Why there is no page.

use trunkline_edge_core::exchange::RefusedBecause;

/// Why a request that may read gets no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    /// Nobody answered in time: no owner, link or store.
    #[error("the channel's owner or store can't be reached")]
    Away,
    /// The namespace doesn't exist any more.
    #[error("namespace of the channel is unknown")]
    UnknownNamespace,
    /// The namespace keeps nothing any more.
    #[error("namespace of the channel keeps no history")]
    NoHistory,
    /// The epoch asked for isn't the channel's (any more).
    #[error("epoch is not the channel's any more; begin at the newest page")]
    StaleEpoch,
}

impl From<RefusedBecause> for Trouble {
    fn from(because: RefusedBecause) -> Self {
        match because {
            RefusedBecause::UnknownChannel => Self::UnknownNamespace,
            RefusedBecause::NotAvailable => Self::NoHistory,
            RefusedBecause::Temporary => Self::Away,
        }
    }
}
