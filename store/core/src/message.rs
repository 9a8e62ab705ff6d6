//! What a store keeps.

use trunkline_shared::{Offset, Publication, PublishId};

/// One message as it is stored: the publication and the id under which it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// Names the publish through all its sendings; a repeat is found by it.
    pub id: PublishId,
    /// The message with its offset and time.
    pub publication: Publication,
}

impl StoredMessage {
    /// Bytes that it counts for in an append call or a read.
    pub fn weight(&self) -> usize {
        self.publication.weight()
    }
}

/// Where a channel's log stands. Kept apart from messages, outlives them; goes when it was long untouched (ADR 0007).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The newest offset; 0 for a channel that never had a message.
    pub offset: Offset,
    /// Nothing at or below it is kept any more, whatever size and TTL say; raised by `history_remove`.
    pub floor: Offset,
}

impl Head {
    /// Where a channel without a head stands: at the mark of its slot, the highest offset of the slot's heads that have gone.
    ///
    /// It goes on after the mark, so no offset is given twice; nothing at or below it is kept.
    pub const fn at_mark(mark: Offset) -> Self {
        Self {
            offset: mark,
            floor: mark,
        }
    }

    /// The head with its floor raised to an offset: never lowered, never above the newest offset.
    #[must_use]
    pub fn with_floor(self, floor: Offset) -> Self {
        Self {
            floor: self.floor.max(floor.min(self.offset)),
            ..self
        }
    }
}
