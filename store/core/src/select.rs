//! Which messages of a channel's log answer a range request; the same for every store that reads rows in order.

use trunkline_shared::Offset;

use crate::message::{Head, StoredMessage};
use crate::request::RangeRequest;

impl RangeRequest {
    /// The lowest and highest offset that can be in the answer; `None` when nothing can.
    pub fn bounds(&self, head: Head) -> Option<(Offset, Offset)> {
        let from = self.from.max(Offset(head.floor.0.saturating_add(1)));
        let to = self.to.min(head.offset);
        (from <= to && self.limit > 0).then_some((from, to))
    }

    /// Takes the answer from the messages within the bounds, which come in the order asked for.
    ///
    /// # Errors
    /// The first error that it meets among the messages.
    pub fn select<E>(
        &self,
        messages: impl Iterator<Item = Result<StoredMessage, E>>,
    ) -> Result<Vec<StoredMessage>, E> {
        let mut taken: Vec<StoredMessage> = Vec::new();
        let mut bytes = 0;
        for message in messages {
            let message = message?;
            if self.is_expired(&message) && (self.descending || taken.is_empty()) {
                if self.descending { break } else { continue }
            }
            bytes += message.weight();
            if bytes > self.bytes_max && !taken.is_empty() {
                break;
            }
            taken.push(message);
            if taken.len() >= usize::try_from(self.limit).unwrap_or(usize::MAX) {
                break;
            }
        }
        Ok(taken)
    }

    fn is_expired(&self, message: &StoredMessage) -> bool {
        message.publication.time < self.not_before
    }
}
